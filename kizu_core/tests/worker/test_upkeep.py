"""What a worker does besides jobs, with a real database and real files."""

from __future__ import annotations

import os
import time
from pathlib import Path
from uuid import uuid4

import pytest

from kizu_core.blobs.local import DAY_S
from kizu_support.bench import Bench, eventually

OLD_S = DAY_S + 60


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it had worked for longer than a test can wait."""
    monkeypatch.setattr("kizu_core.worker.supervisor.UPKEEP_S", 0.1)
    monkeypatch.setattr("kizu_core.worker.upkeep.NOTE_S", 0.2)


def test_who_works_tells_how_its_model_process_fares(bench: Bench) -> None:
    bench.enqueue({"do": "segv", "only_first": str(bench.folder / "once")})
    running = bench.start()
    eventually(lambda: [one for one in bench.database.worker.workers() if one["info"].get("restarts") == 1])
    (worker,) = bench.database.worker.workers()
    assert worker["alive"]
    assert worker["info"]["pid"] == os.getpid()
    assert "probe" in worker["can"]
    running.stop()
    assert bench.database.worker.workers() == []


def test_a_worker_that_was_forgotten_is_known_again(bench: Bench) -> None:
    running = bench.start()
    (worker,) = eventually(bench.database.worker.workers)
    bench.database.worker.worker_bye(worker["id"])  # what pruning does after a day of silence
    (again,) = eventually(bench.database.worker.workers)
    assert (again["id"], again["can"]) == (worker["id"], worker["can"])
    running.stop()


def test_old_thumbnails_without_a_photo_are_swept_while_it_works(bench: Bench) -> None:
    blobs = bench.settings.blobs_dir
    orphan, fresh, foreign = (
        blobs / f"{user}/processed/{uuid4()}/thumb-0123456789ab.jpg" for user in (bench.user, bench.user, uuid4())
    )
    for path in (orphan, fresh, foreign):
        _write(path, 0 if path is fresh else OLD_S)
    bench.start()
    eventually(lambda: not orphan.exists())
    assert fresh.exists()
    assert foreign.exists(), "a photo of another database"


def test_jobs_of_last_year_are_pruned_while_it_works(bench: Bench) -> None:
    (job,) = bench.enqueue({})
    bench.drain()
    assert bench.row(job)["status"] == "completed"
    for table, column in [("ai_processing_jobs", "completed_at"), ("kizu.chores", "done_at")]:
        bench.query(f"update {table} set {column} = now() - interval '1 year' returning 1")
    bench.start()
    eventually(lambda: not bench.query("select id from ai_processing_jobs"))


def _write(path: Path, age_s: float) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"picture")
    os.utime(path, (time.time() - age_s,) * 2)
