"""Two workers that can do different things finish one job together; a third, that can do nothing of it, lets it be.

Real processes on one database, each with other plugins in use, as on computers on which other plugins are installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any
from uuid import UUID

import pytest
from PIL import Image, ImageDraw

from kizu_core.api import Library, open_library
from kizu_core.types import JobTable
from kizu_support.bench import eventually
from kizu_support.command import Kizu
from kizu_support.embedded import settings_for
from kizu_support.probe import install_probe

READER, EMBEDDER, OTHER = "rapidocr", "histogram", "probe"


@pytest.fixture
def library(kizu: Kizu, tmp_path: Path) -> Iterator[Library]:
    """A library of one photo with a word in it, held open: its database stays up."""
    pytest.importorskip("kizu_plugin_rapidocr")
    pytest.importorskip("kizu_plugin_histogram")
    kizu.variables["PYTHONPATH"] = str(install_probe(tmp_path / "plugins"))
    photos = tmp_path / "photos"
    photos.mkdir()
    image = Image.new("RGB", (640, 320), (236, 230, 210))
    ImageDraw.Draw(image).text((60, 100), "WELCOME", fill=(20, 30, 60), font_size=96)
    image.save(photos / "sign.jpg", quality=95)
    with open_library(settings_for(kizu.home)) as opened:
        opened.import_folder(photos)
        yield opened


class Workers:
    """Workers that each have one plugin besides core, for photos or the probe's jobs only."""

    def __init__(self, kizu: Kizu, folder: Path) -> None:
        self._kizu = kizu
        self._folder = folder
        self._running: list[Popen[str]] = []

    def start(self, plugin: str) -> None:
        variables = {"KIZU_LOAD_PLUGINS": f"core,{plugin}", "KIZU_POLL_INTERVAL": "0.2"}
        its_own = Kizu(self._kizu.home, self._kizu.variables | variables)
        options = ["--worker-id", plugin, "--only", "probe" if plugin == OTHER else "image-ai"]
        self._running.append(its_own.start("worker", *options, out=self._folder / f"{plugin}.txt"))

    def end(self) -> list[int]:
        """Asks all to end; how they did."""
        for worker in self._running:
            worker.terminate()
        codes = [worker.wait(60) for worker in self._running]
        self._running = []
        return codes


@pytest.fixture
def workers(kizu: Kizu, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(kizu, tmp_path)
    yield made
    made.end()


def present(library: Library, *names: str) -> bool:
    return {worker["id"] for worker in library.database.worker.workers()} == set(names)


def ask_for_all(library: Library) -> str:
    asset = library.assets.page(1)["assets"][0]["id"]
    job = {"user_id": library.user, "asset_id": asset, "params": {"operations": ["all"]}}
    return str(UUID(library.database.worker.enqueue(JobTable.AI, [job])[0]["id"]))


def history(library: Library, job: str) -> dict[str, Any]:
    shown = library.jobs.show(job)
    names = ("state", "operations", "attempt", "picked_up_at", "worker_id", "errors")
    return {name: shown[name] for name in names}


def test_an_all_job_is_finished_by_those_who_can(library: Library, workers: Workers) -> None:
    for plugin in (READER, EMBEDDER):  # so that it is known what "all" stands for
        workers.start(plugin)
    eventually(lambda: present(library, READER, EMBEDDER), 120)
    assert workers.end() == [0, 0]

    job = ask_for_all(library)
    untouched = history(library, job)
    assert untouched == {
        "state": "waiting",
        "operations": ["embedding", "ocr"],
        "attempt": 0,
        "picked_up_at": None,
        "worker_id": None,
        "errors": [],
    }
    workers.start(OTHER)
    eventually(lambda: present(library, OTHER), 120)
    own = library.database.worker.enqueue(JobTable.AI, [{"user_id": library.user, "job_type": "probe"}])[0]["id"]
    eventually(lambda: library.jobs.show(own)["state"] == "done", 60)  # it claims, and has done so before
    assert history(library, job) == untouched

    workers.start(EMBEDDER)
    eventually(lambda: library.jobs.show(job)["operations"] == ["ocr"], 120)
    half = history(library, job)
    assert (half["state"], half["attempt"], half["errors"]) == ("waiting", 0, [])
    assert half["picked_up_at"] is not None

    workers.start(READER)
    eventually(lambda: library.jobs.show(job)["state"] == "done", 120)
    finished = library.jobs.show(job)
    assert (finished["worker_id"], finished["attempt"], finished["errors"]) == (READER, 1, [])
    assert sorted(finished["result"]["done"]) == ["embedding", "ocr"]
    asset = library.assets.show(UUID(finished["asset_id"])) or {}
    assert [text["text"] for text in asset["texts"]] == ["WELCOME"]
    assert [done["plugin"] for done in asset["operations"]] == [EMBEDDER, READER]
    assert len(asset["embeddings"]) == 1
