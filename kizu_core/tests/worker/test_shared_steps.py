"""Several jobs in one step: what goes wrong there is charged to none of them, and then found out one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from kizu_core.jobs import plugin
from kizu_core.types import JobTable
from kizu_core.worker.events import ChildRestarted, JobFailed
from kizu_support.bench import Bench, Running
from kizu_support.embedded import settings_for
from kizu_support.fake_distribution import fake_distribution

SPECS = """
    from kizu_core.plugins.hookspecs import hookimpl
    from kizu_core.plugins.specs import EmbedderSpec, OcrSpec

    ABOUT = {"summary": "as the picture takes it", "output_version": "1"}

    @hookimpl
    def kizu_embedders():
        return [EmbedderSpec(name="touchy", factory="kizu_touchy:Touchy", dim=4, space="touchy", **ABOUT)]

    @hookimpl
    def kizu_ocr_models():
        return [OcrSpec(name="reader", factory="kizu_touchy:Reader", languages=("en",), **ABOUT)]
"""
MODELS = """
    import os, signal, time
    from pathlib import Path
    import numpy as np
    from kizu_core.types import TextSpan

    CALLS = Path(__file__).with_name("calls")

    def hang():
        time.sleep(600)

    def swell():
        held = []
        while True:
            held.append(bytearray(20_000_000))
            time.sleep(0.01)

    HARM = {66: lambda: os.kill(os.getpid(), signal.SIGSEGV), 77: hang, 88: swell}

    class Touchy:
        def __init__(self, context):
            pass

        def embed_images(self, pictures):
            with CALLS.open("a") as calls:
                calls.write(f"{len(pictures)} ")
            for picture in pictures:
                if picture.width_px == 99:
                    raise ValueError("not this one")
                HARM.get(picture.width_px, lambda: None)()
            return np.tile(np.full(4, 0.5, np.float32), (len(pictures), 1))

        def embed_texts(self, texts):
            raise NotImplementedError

        def close(self):
            pass

    class Reader:
        def __init__(self, context):
            pass

        def read_text(self, pictures):
            span = TextSpan(text="HELLO", score=1.0, quad=((0, 0), (1, 0), (1, 1), (0, 1)))
            return [[span] for _ in pictures]

        def close(self):
            pass
"""


@pytest.fixture
def calls(probe: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An embedder that does not stand pictures of certain widths. The file in which it notes how many it was shown."""
    modules = {"kizu_touchy_plugin": SPECS, "kizu_touchy": MODELS}
    fake_distribution(probe, "kizu-touchy", modules=modules, entry_points={"touchy": "kizu_touchy_plugin"})
    monkeypatch.setattr(plugin, "OPERATION_TIMEOUT_S", 4)
    return probe / "calls"


def enqueue(bench: Bench, *widths: int, **more: Any) -> list[UUID]:
    """A job for each of some pictures as wide as told."""
    folder = bench.folder / "photos"
    folder.mkdir()
    root = bench.query(
        "insert into library_roots (user_id, path, state) values (%s, %s, 'online') returning id",
        bench.user,
        str(folder),
    )[0]["id"]
    jobs = []
    for number, width in enumerate(widths):
        Image.new("RGB", (width, 40), "teal").save(folder / f"{number}.png")
        asset = bench.query(
            "insert into assets (user_id, media_kind, sha256) values (%s, 'image', %s) returning id",
            *(bench.user, f"{number}"),
        )[0]["id"]
        bench.query(
            "insert into asset_files (root_id, user_id, asset_id, path, sha256)"
            " values (%s, %s, %s, %s, %s) returning id",
            *(root, bench.user, asset, f"{number}.png", f"{number}"),
        )
        job = {"user_id": bench.user, "asset_id": asset, "params": {"operations": ["embedding", "ocr"]}}
        jobs.append(job | more)
    return [UUID(one["id"]) for one in bench.database.worker.enqueue(JobTable.AI, jobs)]


def work(bench: Bench, **settings: Any) -> Running:
    chosen = settings_for(bench.settings.home, load_plugins=("core", "touchy"), **settings)
    return bench.drain(chosen, only=("image-ai",))[1]


def test_a_claim_is_embedded_in_one_call(calls: Path, bench: Bench) -> None:
    jobs = enqueue(bench, *[10] * 8)
    work(bench)
    assert {bench.row(job)["outcome"] for job in jobs} == {"ok"}
    assert calls.read_text() == "8 "
    assert bench.row(jobs[0])["result"]["decode"]["width_px"] == 10


@pytest.mark.parametrize(
    ("width", "code", "settings"),
    [(66, "child_crashed", {}), (77, "job_timeout", {}), (88, "child_crashed", {"max_child_mb": 400})],
    ids=["crash", "hang", "swell"],
)
def test_one_picture_that_ends_the_process_costs_the_others_nothing(
    calls: Path, bench: Bench, width: int, code: str, settings: dict[str, Any]
) -> None:
    jobs = enqueue(bench, 10, 10, 10, width, 10, 10, 10, 10, max_attempts=1)
    running = work(bench, **settings)
    bad = jobs.pop(3)
    rows = [bench.row(job) for job in jobs]
    assert {(row["outcome"], row["attempt"], row["crash_count"]) for row in rows} == {("ok", 1, 0)}
    assert all(not row["errors"] for row in rows)
    row = bench.row(bad)
    assert (row["outcome"], row["errors"][0]["code"], row["attempt"]) == ("ok", code, 1)
    assert row["result"]["done"] == ["ocr"], "the operation that is to blame is given up alone"
    assert calls.read_text().split()[0] == "8"
    assert set(calls.read_text().split()[1:]) == {"1"}
    assert running.of(JobFailed) == []
    assert len(running.of(ChildRestarted)) == 2


def test_a_job_that_has_nothing_else_to_be_done_ends_failed_and_the_seven_others_complete(
    calls: Path, bench: Bench
) -> None:
    jobs = enqueue(bench, *[10] * 5, 66, 10, 10, params={"operations": ["embedding"]}, max_attempts=2)
    work(bench)
    bad = jobs.pop(5)
    assert {(row["outcome"], row["attempt"]) for row in map(bench.row, jobs)} == {("ok", 1)}
    row = bench.row(bad)
    assert (row["status"], row["outcome"], row["attempt"]) == ("failed", "dead", 2)
    assert calls.read_text() == "8 1 1 1 1 1 1 1 1 1 "


def test_what_is_up_to_date_is_not_done_again(calls: Path, bench: Bench) -> None:
    [job] = enqueue(bench, 10, params={"operations": ["embedding"]})
    work(bench)
    asset = bench.row(job)["asset_id"]
    both: list[dict[str, Any]] = [
        {"operation": "embedding", "plugin": "touchy", "version": "1", "space": "touchy", "job": "quick"},
        {"operation": "ocr", "plugin": "reader", "version": "1", "space": None, "job": "slow"},
    ]
    assert bench.database.worker.enqueue_stale(bench.user, both) == {"ocr": 1}
    work(bench)
    assert calls.read_text() == "1 ", "the embedder is not asked for what it gave"
    assert bench.query("select text from extracted_text where asset_id = %s", asset) == [{"text": "HELLO"}]


def test_a_picture_that_a_model_refuses_spoils_no_other(calls: Path, bench: Bench) -> None:
    jobs = enqueue(bench, 10, 99, 10)
    running = work(bench)
    assert [bench.row(job)["result"]["done"] for job in jobs] == [["embedding", "ocr"], ["ocr"], ["embedding", "ocr"]]
    assert calls.read_text() == "3 1 1 1 "
    assert running.of(ChildRestarted) == []


def test_a_picture_that_can_not_be_decoded_fails_its_own_job(calls: Path, bench: Bench) -> None:
    jobs = enqueue(bench, 10, 10, 10)
    path = bench.folder / "photos" / "1.png"
    path.write_bytes(path.read_bytes()[:50])
    work(bench)
    assert [bench.row(job)["outcome"] for job in jobs] == ["ok", "invalid", "ok"]
    assert bench.row(jobs[1])["errors"][0]["code"] == "unreadable_picture"
    assert calls.read_text() == "2 "
