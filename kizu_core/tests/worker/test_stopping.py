"""Stop, cancel, lost leases: a job is finished or given back, never both and never neither."""

from __future__ import annotations

import time

import pytest

from kizu_core.types import JobTable
from kizu_core.worker import batch
from kizu_core.worker.events import JobDone, JobReturned
from kizu_support.bench import Bench, eventually


def test_stop_finishes_the_job_in_hand_and_gives_back_the_others(bench: Bench) -> None:
    short, other = bench.enqueue({"sleep_s": 1.5}, {"sleep_s": 60})
    running = bench.start()
    bench.started(short)
    running.worker.stop()
    running.end(20)
    assert bench.row(short)["outcome"] == "ok"
    row = bench.row(other)
    assert (row["status"], row["attempt"], row["worker_id"]) == ("pending", 0, None)
    assert bench.starts(other) == []


def test_stop_gives_back_what_outlasts_the_grace(bench: Bench) -> None:
    (job,) = bench.enqueue({"sleep_s": 60})
    running = bench.start(grace_seconds=0.5)
    bench.started(job)
    running.worker.stop()
    running.end(20)
    assert (bench.row(job)["status"], bench.row(job)["attempt"]) == ("pending", 0)
    assert [event.job_id for event in running.of(JobReturned)] == [job]


def test_a_second_stop_gives_back_at_once(bench: Bench) -> None:
    (job,) = bench.enqueue({"sleep_s": 600})
    running = bench.start(grace_seconds=600)
    bench.started(job)
    for _ in range(5):
        running.worker.stop()
    running.end(20)
    assert (bench.row(job)["status"], bench.row(job)["attempt"]) == ("pending", 0)


def test_a_stopped_worker_leaves_no_trace_of_itself(bench: Bench) -> None:
    running = bench.start()
    eventually(lambda: bench.query("select id from kizu_workers"))
    running.worker.stop()
    running.end(20)
    assert bench.query("select id from kizu_workers") == []


def test_a_cancelled_job_ends_without_results(bench: Bench) -> None:
    job, other = bench.enqueue({"sleep_s": 60}, {})
    running = bench.start(lease_seconds=4)
    bench.started(job)
    bench.database.worker.cancel(JobTable.AI, [job])
    eventually(lambda: bench.row(job)["status"] == "failed")
    assert bench.row(job)["outcome"] == "cancelled"
    eventually(lambda: bench.row(other)["outcome"] == "ok")
    assert [event.job_id for event in running.of(JobDone)] == [other]


def test_a_handler_that_ignores_the_wish_is_ended(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "DEAF_S", 2.0)
    (job,) = bench.enqueue({"sleep_s": 600, "ignore_cancel": True})
    bench.start(lease_seconds=4)
    bench.started(job)
    asked = time.monotonic()
    bench.database.worker.cancel(JobTable.AI, [job])
    eventually(lambda: bench.row(job)["status"] == "failed")
    assert bench.row(job)["outcome"] == "cancelled"
    assert time.monotonic() - asked > 2, "it had its time to end by itself"


def test_a_waiting_job_that_is_cancelled_is_not_begun(bench: Bench) -> None:
    (job,) = bench.enqueue({})
    bench.database.worker.cancel(JobTable.AI, [job])
    bench.drain()
    assert (bench.row(job)["outcome"], bench.starts(job)) == ("cancelled", [])


def test_a_job_that_another_worker_has_now_is_left_to_it(bench: Bench) -> None:
    (job,) = bench.enqueue({"sleep_s": 4})
    running = bench.start(lease_seconds=4, worker_id="slow")
    bench.started(job)
    # As the reaper of another worker would after a long silence of this one.
    bench.query(
        "update ai_processing_jobs set lease_token = gen_random_uuid(), worker_id = 'other', attempt = 2,"
        " lease_until = now() + interval '1 hour' where id = %s returning id",
        job,
    )
    eventually(lambda: running.of(JobReturned))
    assert [event.reason for event in running.of(JobReturned)] == ["lease_lost"]
    row = bench.row(job)
    assert (row["status"], row["worker_id"], row["attempt"]) == ("processing", "other", 2)
    assert running.of(JobDone) == []


def test_a_job_that_was_lost_and_comes_back_is_done_by_the_same_child(bench: Bench) -> None:
    (job,) = bench.enqueue({"sleep_s": 3})
    running = bench.start(lease_seconds=4)
    bench.started(job)
    # As a reaper would after an outage that was longer than the lease.
    bench.query(
        "update ai_processing_jobs set status = 'pending', lease_token = null, lease_until = null, worker_id = null"
        " where id = %s returning id",
        job,
    )
    eventually(lambda: running.of(JobReturned))
    eventually(lambda: bench.row(job)["completed_at"])
    assert (bench.row(job)["outcome"], len(set(bench.starts(job)))) == ("ok", 1)
