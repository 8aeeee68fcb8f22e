"""What a child may take: memory that native code can't outrun, and time for one operation at the cost of that one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from kizu_core.jobs import plugin
from kizu_core.models.offers import offers
from kizu_core.models.selection import load_catalog
from kizu_core.types import JobTable
from kizu_core.worker import lane
from kizu_core.worker.events import ChildRestarted, HandlerOff, Summary
from kizu_core.worker.limits import PICTURES_MB, memory_limit_mb
from kizu_support.bench import Bench
from kizu_support.embedded import settings_for
from kizu_support.fake_distribution import fake_distribution

MODELS = """
    from kizu_core.plugins.hookspecs import hookimpl
    from kizu_core.plugins.specs import DetectorSpec, OcrSpec

    ABOUT = {"summary": "as the mood takes it", "output_version": "1"}

    @hookimpl
    def kizu_ocr_models():
        return [OcrSpec(name="steady", factory="kizu_moody:Steady", languages=("en",), memory_mb=200, **ABOUT)]

    @hookimpl
    def kizu_detectors():
        return [DetectorSpec(name="moody", factory="kizu_moody:Moody", labels=("x",), **ABOUT)]
"""
MOODY = """
    import os, signal, time
    from pathlib import Path
    from kizu_core.types import TextSpan

    MOOD = Path(__file__).with_name("mood")

    class Steady:
        def __init__(self, context):
            pass

        def read_text(self, pictures):
            return [[TextSpan(text="HELLO", score=1.0, quad=((0, 0), (1, 0), (1, 1), (0, 1)))] for _ in pictures]

        def close(self):
            pass

    class Moody:
        def __init__(self, context):
            pass

        def detect(self, pictures):
            mood = MOOD.read_text()
            if mood == "hangs":
                time.sleep(600)
            elif mood == "crashes":
                os.kill(os.getpid(), signal.SIGSEGV)
            elif mood == "starves":
                raise MemoryError
            return [[] for _ in pictures]

        def close(self):
            pass
"""


@pytest.fixture
def moody(probe: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models of one picture: one that works, one whose mood is in a file; an operation may take seconds."""
    fake_distribution(
        probe,
        "kizu-moody",
        modules={"kizu_moody_plugin": MODELS, "kizu_moody": MOODY},
        entry_points={"moody": "kizu_moody_plugin"},
    )
    monkeypatch.setattr(plugin, "OPERATION_TIMEOUT_S", 4)
    return probe / "mood"


def work(bench: Bench) -> Summary:
    """Drains the queue with core's handlers and the two models only."""
    summary, _ = bench.drain(settings_for(bench.settings.home, load_plugins=("core", "moody")), only=("image-ai",))
    return summary


def photo_job(bench: Bench, *operations: str, **fields: Any) -> UUID:
    """A job about a picture on disk."""
    path = bench.folder / "photos" / "a.jpg"
    path.parent.mkdir()
    Image.new("RGB", (64, 48), "teal").save(path)
    root = bench.query(
        "insert into library_roots (user_id, path) values (%s, %s) returning id", bench.user, str(path.parent)
    )[0]["id"]
    asset = bench.query("insert into assets (user_id, sha256) values (%s, 'a') returning id", bench.user)[0]["id"]
    bench.query(
        "insert into asset_files (root_id, user_id, asset_id, path, sha256)"
        " values (%s, %s, %s, 'a.jpg', 'a') returning id",
        *(root, bench.user, asset),
    )
    job = {"user_id": bench.user, "asset_id": asset, "params": {"operations": list(operations)}, **fields}
    return UUID(bench.database.worker.enqueue(JobTable.AI, [job])[0]["id"])


@pytest.mark.parametrize(("mood", "code", "attempts"), [("hangs", "job_timeout", 2), ("crashes", "child_crashed", 3)])
def test_an_operation_at_fault_is_given_up_alone(
    moody: Path, bench: Bench, mood: str, code: str, attempts: int
) -> None:
    moody.write_text(mood)
    job = photo_job(bench, "objects", "ocr")
    summary = work(bench)
    row = bench.row(job)
    assert (row["outcome"], row["todo"], row["result"]["done"]) == ("ok", [], ["ocr"])
    assert len(row["errors"]) == attempts
    [failed] = bench.query("select * from plugin_results where error is not null")
    assert (failed["operation"], failed["plugin"], failed["error"]["code"]) == ("objects", "moody", code)
    assert not failed["error"]["retryable"]
    assert [one["text"] for one in bench.query("select text from extracted_text")] == ["HELLO"]
    assert (summary.operations["objects"].failed, summary.operations["ocr"].done) == (1, 1)


def test_a_model_that_gets_no_memory_lives_and_is_tried_again(moody: Path, bench: Bench) -> None:
    moody.write_text("starves")
    job = photo_job(bench, "objects", "ocr", max_attempts=1)
    summary = work(bench)
    assert summary.restarts == 0
    assert (bench.row(job)["outcome"], bench.row(job)["errors"][0]["code"]) == ("dead", "out_of_memory")
    assert summary.operations["ocr"].done == 1


def test_a_handler_that_gets_no_memory_lives(bench: Bench) -> None:
    bad, good = bench.enqueue({"do": "starve"}, {}, max_attempts=1)
    summary, _ = bench.drain()
    assert (bench.row(bad)["outcome"], bench.row(bad)["errors"][0]["code"]) == ("dead", "out_of_memory")
    assert (bench.row(good)["outcome"], summary.restarts) == ("ok", 0)


def test_a_handler_whose_making_kills_the_process_is_switched_off_and_burns_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "STILLBORN_S", 0.01)
    (job,) = bench.enqueue({}, job_type="probe-stillborn")
    (good,) = bench.enqueue({})
    _, running = bench.drain(only=("probe", "probe-stillborn"))
    [off] = running.of(HandlerOff)
    assert (off.handler, off.error["code"]) == ("probe-stillborn", "child_crashed")
    assert "SIGSEGV" in off.error["message"]
    row = bench.row(job)
    assert (row["status"], row["attempt"], row["crash_count"]) == ("pending", 0, 0)
    assert bench.row(good)["outcome"] == "ok"
    assert len(running.of(ChildRestarted)) <= lane.MOST_STILLBORN


def test_the_limit_follows_the_models(moody: Path, bench: Bench) -> None:
    settings = settings_for(bench.settings.home, load_plugins=("core", "moody"))
    catalog = load_catalog(settings)
    assert memory_limit_mb(offers(catalog, settings, ["optimize"]), settings) == PICTURES_MB
    assert memory_limit_mb(offers(catalog, settings), settings) == PICTURES_MB + 200
    assert memory_limit_mb((), settings_for(bench.settings.home, max_child_mb=300)) == 300
