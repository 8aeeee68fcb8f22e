"""A child that dies, hangs, swells or talks nonsense harms its own job only, and the worker goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from kizu_core.worker.events import ChildRestarted, JobFailed, JobProgress, JobReturned
from kizu_support.bench import Bench, eventually
from kizu_support.embedded import settings_for


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("segv", "SIGSEGV"),
        ("leave", "status 7"),
        ("garbage", "garbage"),
        ("flood", "garbage"),
        ("babble", "garbage"),
    ],
)
def test_a_crash_is_charged_to_the_job_that_was_worked_on(bench: Bench, do: str, said: str) -> None:
    jobs = bench.enqueue({}, {"do": do, "only_first": str(bench.folder / "once")}, {}, {})
    summary, running = bench.drain()
    assert [bench.row(job)["outcome"] for job in jobs] == ["ok"] * 4
    assert [bench.row(job)["crash_count"] for job in jobs] == [0, 1, 0, 0]
    assert [bench.row(job)["attempt"] for job in jobs] == [1, 2, 1, 1]
    (failed,) = running.of(JobFailed)
    assert (failed.job_id, failed.error["code"], failed.final) == (jobs[1], "child_crashed", False)
    assert said in failed.error["message"]
    assert {event.job_id for event in running.of(JobReturned)} == {*jobs[2:]}
    assert summary.restarts == len(running.of(ChildRestarted)) == 1


def test_progress_beyond_reason_is_cut_down(bench: Bench) -> None:
    (job,) = bench.enqueue({"do": "boast"})
    _, running = bench.drain()
    assert bench.row(job)["outcome"] == "ok"
    assert {len(event.step) for event in running.of(JobProgress)} == {6, 40}
    assert max(event.percent for event in running.of(JobProgress)) == 100


def test_parameters_that_no_frame_can_hold_harm_their_job_only(bench: Bench) -> None:
    bad, good = bench.enqueue({"number": 2**70}, {})
    bench.drain()
    assert [bench.row(job)["outcome"] for job in (bad, good)] == ["invalid", "ok"]


def test_a_killed_child_is_replaced_and_its_job_runs_again(bench: Bench) -> None:
    (job,) = bench.enqueue({"sleep_s": 3})
    bench.start()
    os.kill(bench.started(job), signal.SIGKILL)
    # The promise is two seconds on an idle machine; this waits longer only because tests share theirs.
    eventually(lambda: len(bench.starts(job)) == 2, seconds=15)
    eventually(lambda: bench.row(job)["outcome"] == "ok")
    assert bench.row(job)["attempt"] == 2


def test_a_poison_job_ends_alone_and_the_others_are_done(bench: Bench) -> None:
    good = bench.enqueue(*({} for _ in range(12)))
    (poison,) = bench.enqueue({"do": "segv"})
    _, running = bench.drain()
    assert {bench.row(job)["outcome"] for job in good} == {"ok"}
    row = bench.row(poison)
    assert (row["status"], row["outcome"], row["crash_count"], row["attempt"]) == ("failed", "dead", 2, 3)
    assert len(row["errors"]) == 3
    assert [event.final for event in running.of(JobFailed)] == [False, False, True]
    third = bench.starts(poison)[2]
    assert [one for job in good for one in bench.starts(job) if one == third] == []


@pytest.mark.parametrize("do", ["hang", "stuck"])
def test_a_job_that_takes_too_long_is_ended(bench: Bench, do: str) -> None:
    bad, good = bench.enqueue({"do": do}, {}, job_type="probe-quick", max_attempts=1)
    bench.drain()
    row = bench.row(bad)
    assert (row["outcome"], row["errors"][0]["code"], row["crash_count"]) == ("dead", "job_timeout", 0)
    assert bench.row(good)["outcome"] == "ok"


def test_a_child_that_swells_is_ended(bench: Bench) -> None:
    bad, good = bench.enqueue({"do": "swell"}, {}, max_attempts=1)
    settings = settings_for(bench.settings.home, max_child_mb=256)
    bench.drain(settings)
    row = bench.row(bad)
    assert (row["outcome"], row["errors"][0]["code"]) == ("dead", "child_crashed")
    assert "256 MB" in row["error_message"]
    assert bench.row(good)["outcome"] == "ok"


def test_what_the_child_prints_is_in_its_log(bench: Bench) -> None:
    bench.enqueue({"do": "raises", "only_first": str(bench.folder / "once")})
    bench.drain()
    assert "ZeroDivisionError: of its own making" in (bench.settings.paths.logs / "child-ai.log").read_text()


def test_nothing_is_left_in_the_scratch_folder(bench: Bench) -> None:
    bench.enqueue({}, {"do": "segv", "only_first": str(bench.folder / "once")})
    left = bench.settings.paths.scratch / "worker-left"
    left.mkdir(parents=True)
    (left / "original").write_bytes(b"a photo")
    (left / ".lock").touch()
    bench.drain()
    assert [path for path in bench.settings.paths.scratch.rglob("*") if path.name != ".lock"] == []


def test_no_process_is_left(bench: Bench) -> None:
    (job,) = bench.enqueue({"sleep_s": 60})
    running = bench.start()
    child = bench.started(job)
    running.stop()
    eventually(lambda: not Path(f"/proc/{child}").exists())
