"""Photos wait for a model whose weights are missing: nothing is fetched for them, and they go on once it is there."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kizu_support.bench import eventually
from kizu_support.command import KIZU, Kizu
from kizu_support.fake_distribution import fake_distribution
from kizu_support.hub import Hub, running_hub

WEIGHTS = b"the word that it finds is lighthouse"

PLUGIN = """
from kizu_core import OcrSpec, WeightFile, hookimpl

@hookimpl
def kizu_ocr_models():
    weight = WeightFile(name="w.bin", source="{url}/w.bin", bytes={size}, licence="CC0-1.0")
    return [OcrSpec(name="finder", summary="finds a word", factory="finder.model:build", output_version="1",
                    languages=("en",), weights=(weight,))]
"""

MODEL = """
from kizu_core import TextSpan

class Finder:
    def __init__(self, context):
        self.word = context.weights["w.bin"].read_text().split()[-1]

    def read_text(self, pictures):
        corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
        return [[TextSpan(text=self.word, score=0.9, quad=corners)] for _ in pictures]

    def close(self):
        pass

def build(context):
    return Finder(context)
"""


TELLER = """
from kizu_core import VlmSpec, hookimpl

@hookimpl
def kizu_vlms():
    return [VlmSpec(name="teller", summary="tells", factory="teller.model:build", output_version="1",
                    tasks=("caption",))]
"""

TELLS = """
from kizu_core import Caption

class Teller:
    def describe(self, pictures, *, task=None):
        return [Caption(text="a lighthouse", task="caption") for _ in pictures]

    def close(self):
        pass

def build(context):
    return Teller()
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        hub.put("/w.bin", WEIGHTS)
        yield hub


@pytest.fixture
def finder(kizu: Kizu, hub: Hub, tmp_path: Path) -> Kizu:
    """The command with a plugin whose weights lie on the hub."""
    modules = {"finder.plugin": PLUGIN.format(url=hub.url, size=len(WEIGHTS)), "finder.model": MODEL}
    fake_distribution(tmp_path / "site", "fake-finder", modules=modules, entry_points={"finder": "finder.plugin"})
    kizu.variables |= {"PYTHONPATH": str(tmp_path / "site"), "KIZU_LOAD_PLUGINS": "finder"}
    return kizu


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for shade in (10, 90):
        Image.new("RGB", (64, 48), (shade, 0, 0)).save(folder / f"{shade}.png")
    return folder


def gap_of(kizu: Kizu) -> dict[str, Any]:
    """What the status says of text that is not read."""
    (gap,) = [one for one in kizu.json("status")["not_done"] if one["operation"] == "ocr"]
    return dict(gap)


def is_read(kizu: Kizu) -> bool:
    found = kizu("search", "lighthouse").out
    return "10.png" in found and "90.png" in found


def test_photos_wait_and_go_on(finder: Kizu, hub: Hub, photos: Path) -> None:
    waiting = finder("run", photos)
    assert waiting.code == 0, waiting.err
    sentence = "2 photos wait: needs model finder (0 kB): kizu models pull finder"
    assert sentence in waiting.out
    assert sentence in finder("status").out
    assert (gap_of(finder)["waiting"], gap_of(finder)["model"], gap_of(finder)["pull_bytes"]) == (2, "finder", 36)
    assert hub.requests == []
    assert finder("run", photos).code == 0  # nothing is queued twice, nothing is tried
    jobs = finder.json("jobs", "list", "--status", "waiting")["jobs"]
    assert [(job["operations"], job["attempt"]) for job in jobs] == [(["ocr"], 0)] * 2

    assert finder("models", "pull", "--missing", "--yes").code == 0
    assert hub.requests == [("/w.bin", None)]
    assert finder("worker", "--drain").code == 0  # they are queued: no new run is needed
    assert is_read(finder)
    assert len(hub.requests) == 1


def test_a_running_worker_notices_weights_that_come_and_go(finder: Kizu, photos: Path, tmp_path: Path) -> None:
    assert finder("run", photos).code == 0
    worker = finder.start("worker", "--poll-interval", "0.5", out=tmp_path / "worker")
    try:
        eventually(lambda: "is ready" in (tmp_path / "worker.err").read_text(), 60)
        assert finder("models", "pull", "finder", "--yes").code == 0
        eventually(lambda: is_read(finder), 60)
        assert "What it needs has come, so this is done now as well: text." in (tmp_path / "worker.err").read_text()
        assert any("ocr" in one["can"] for one in finder.json("workers")["workers"])
        (finder.home / "models" / "ocr" / "finder" / "w.bin").unlink()
        eventually(lambda: not any("ocr" in one["can"] for one in finder.json("workers")["workers"]), 60)
    finally:
        worker.terminate()
        assert worker.wait(60) == 0


@pytest.mark.parametrize("answer", ["y", "n"])
def test_on_a_terminal_a_run_asks_once(answer: str, finder: Kizu, hub: Hub, photos: Path) -> None:
    code, shown = at_terminal(finder, ["run", photos], [answer])
    assert code == 0, shown
    assert shown.count("[y/N]") == 1
    for part in ("finder w.bin", "CC0-1.0", hub.url):
        assert part in shown
    assert is_read(finder) == (answer == "y")
    assert len(hub.requests) == (answer == "y")


def test_terms_are_asked_for_by_themselves(finder: Kizu, hub: Hub, photos: Path) -> None:
    """Agreeing to a download agrees to nothing else."""
    plugin = finder.home.parent / "site" / "finder" / "plugin.py"
    plugin.write_text(plugin.read_text().replace('licence="CC0-1.0"', 'licence="other", consent="research only"'))
    refused = finder("models", "pull", "finder", "--yes")
    assert (refused.code, "kizu models accept finder" in refused.out) == (3, True)
    code, shown = at_terminal(finder, ["run", photos], ["y", "n"])
    assert (code, "research only" in shown, hub.requests) == (0, True, [])
    assert finder("models", "accept", "finder").code == 1
    assert finder("models", "accept", "finder", "--yes").code == 0
    agreed = json.loads((finder.home / "models" / "consents.json").read_text())["ocr/finder"]
    assert list(agreed) == ["research only"]
    assert finder("models", "pull", "finder", "--yes", "--accept-licence", "finder").code == 0
    assert finder("worker", "--drain").code == 0
    assert is_read(finder)
    (finder.home / "models" / "consents.json").unlink()
    assert "finder needs your consent: research only." in finder("models", "list").out


def test_captions_are_off_without_a_gpu(kizu: Kizu, photos: Path, tmp_path: Path) -> None:
    """They are made for photos whose job names them; what else is done is done."""
    modules = {"teller.plugin": TELLER, "teller.model": TELLS}
    fake_distribution(tmp_path / "site", "fake-teller", modules=modules, entry_points={"teller": "teller.plugin"})
    kizu.variables |= {"PYTHONPATH": str(tmp_path / "site"), "KIZU_LOAD_PLUGINS": "teller", "KIZU_DESCRIBE": "off"}
    first = kizu("run", photos)
    assert first.code == 0, first.err
    assert first.out.count("Captions are switched off by KIZU_DESCRIBE.") == 2  # in the plan and at the end
    assert "--operations describe" in kizu("status").out
    assert "describe" not in kizu.json("status")["jobs"]
    assert kizu("run", photos, "--operations", "describe").code == 0
    assert kizu.json("status")["jobs"]["describe"]["done"] == 2
    Image.new("RGB", (64, 48), (0, 0, 200)).save(photos / "new.png")
    assert kizu("run", photos).code == 0
    counts = kizu.json("status")["jobs"]["describe"]
    assert (counts["done"], counts["waiting"]) == (2, 0)
    kizu.variables["KIZU_DESCRIBE"] = "on"
    assert kizu("run", photos).code == 0
    assert kizu.json("status")["jobs"]["describe"]["done"] == 3


def at_terminal(kizu: Kizu, arguments: list[str | Path], answers: list[str]) -> tuple[int, str]:
    """The command with a person before it who types `answers`: its exit code and what was shown."""
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [KIZU, *arguments], env=dict(kizu.environment()), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(terminal, "".join(f"{answer}\n" for answer in answers).encode())
    shown = b""
    while piece := _read(terminal):
        shown += piece
    os.close(terminal)
    return process.wait(60), shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that the other end is closed
        return b""
