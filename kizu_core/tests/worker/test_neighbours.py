"""Who is provably dead, and what becomes of the jobs that such a one held."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from kizu_core.worker.neighbours import about_us, bury_neighbours, is_gone, place
from kizu_support.bench import Bench, eventually

pytestmark = pytest.mark.skipif(place() is None, reason="process numbers are not to be trusted here")

SAY = "import json; from kizu_core.worker.neighbours import about_us; print(json.dumps(about_us()), flush=True)"


@pytest.fixture
def dead() -> dict[str, Any]:
    """What a worker said of itself that has ended."""
    said = subprocess.run([sys.executable, "-c", SAY], capture_output=True, text=True, check=True).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def test_who_is_gone(dead: dict[str, Any]) -> None:
    alive = about_us()
    assert is_gone(dead)
    assert not is_gone(alive)
    assert is_gone({**alive, "started": alive["started"] + 1}), "the number is somebody else's now"


@pytest.mark.parametrize(
    "change", [{"place": "elsewhere"}, {"place": None}, {"pid": None}, {"pid": 0}, {"pid": "x"}, {"started": None}]
)
def test_of_others_nothing_is_known(dead: dict[str, Any], change: dict[str, Any]) -> None:
    assert not is_gone({**dead, **change})
    assert not is_gone({"host": dead["host"], "pid": dead["pid"]})


def test_an_ended_process_that_nobody_waited_for_is_gone() -> None:
    wait = [sys.executable, "-c", f"{SAY}; input()"]
    with subprocess.Popen(wait, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        info = json.loads(process.stdout.readline())
        assert not is_gone(info)
        process.stdin.write("\n")
        process.stdin.flush()
        eventually(lambda: is_gone(info))
        assert process.returncode is None


def test_the_jobs_of_the_dead_are_taken_back_at_once(bench: Bench, dead: dict[str, Any]) -> None:
    ids = bench.enqueue({}, {}, {})
    worker = bench.database.worker
    for name, info in {"dead": dead, "alive": about_us(), "far": {**dead, "place": "elsewhere"}}.items():
        worker.worker_hello(name, info, ["probe"])
        bench.query("select kizu_claim('ai_processing_jobs', %s, gen_random_uuid(), '{probe}', 1, 60)", name)
    assert bury_neighbours(worker) == 1
    rows = [bench.row(job) for job in ids]
    assert [(row["status"], row["worker_id"], row["reclaim_count"]) for row in rows] == [
        ("pending", None, 1),
        ("processing", "alive", 0),
        ("processing", "far", 0),
    ]
    assert rows[0]["errors"][0]["code"] == "lease_expired"
    assert bury_neighbours(worker) == 0
    assert {row["id"] for row in worker.workers()} == {"alive", "far"}


def test_one_that_was_started_again_under_its_name_is_left_alone(bench: Bench, dead: dict[str, Any]) -> None:
    (job,) = bench.enqueue({})
    worker = bench.database.worker
    worker.worker_hello("same", about_us(), ["probe"])
    bench.query("select kizu_claim('ai_processing_jobs', 'same', gen_random_uuid(), '{probe}', 1, 60)")
    assert worker.bury("same", dead) == 0
    assert bench.row(job)["worker_id"] == "same"
