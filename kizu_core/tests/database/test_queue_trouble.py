"""Failure, crash, silence, cancellation: what becomes of a job that does not simply end well."""

from __future__ import annotations

import statistics
from uuid import UUID

import pytest

from kizu_support.queue import AI, IMAGE, Queue, Row, done


@pytest.fixture
def job(queue: Queue) -> Row:
    """A claimed job for text recognition."""
    user = queue.user()
    queue.ask(user, queue.photo(user), "ocr", params={"wanted": [{"operation": "ocr", "plugin": "r", "version": "7"}]})
    return queue.claim("ocr")[0]


def test_a_failure_that_nothing_can_help(queue: Queue, job: Row) -> None:
    assert queue.fail(job, message="x" * 5000) == "invalid"
    assert queue.fail(job) == "already"
    row = queue.job(job["id"])
    assert (row["status"], row["outcome"], len(row["error_message"])) == ("failed", "invalid", 2000)
    assert [(one["attempt"], one["code"], one["worker"]) for one in row["errors"]] == [(1, "media", "w")]
    (entry,) = queue.rows(
        "select operation, plugin, version, source_sha256, error ->> 'code' as code from plugin_results"
    )
    assert tuple(entry.values()) == ("ocr", "r", "7", job["asset"]["sha256"], "media")


@pytest.mark.parametrize("wanted", ["x", 3, {"operation": "ocr"}, [1, None, "ocr"], [{"operation": 1}]])
def test_parameters_may_hold_anything(queue: Queue, wanted: object) -> None:
    user = queue.user()
    queue.ask(user, queue.photo(user), "ocr", params={"wanted": wanted})
    assert queue.fail(queue.claim("ocr")[0]) == "invalid"


def test_what_others_can_do_goes_on(queue: Queue) -> None:
    user = queue.user()
    job = queue.ask(user, queue.photo(user), "embedding", "ocr")
    queue.fail(queue.claim("ocr")[0])
    assert queue.job(job)["status"] == "pending"
    queue.complete(queue.claim("embedding")[0], done("embedding"))
    assert (queue.job(job)["status"], queue.job(job)["outcome"]) == ("completed", "ok")


def test_tries_are_limited_and_ever_farther_apart(queue: Queue, job: Row) -> None:
    delays = []
    for attempt in range(1, 6):
        assert job["attempt"] == attempt
        answer = queue.fail(job, retryable=True)
        if answer == "dead":
            break
        (row,) = queue.rows(
            f"select extract(epoch from run_after - (errors -> -1 ->> 'at')::timestamptz) as delay from {AI}"
        )
        delays.append(float(row["delay"]))
        assert attempt == 1 or queue.claim("ocr") == []
        queue.make_due()
        (job,) = queue.claim("ocr")
    assert [round(delay / base) for delay, base in zip(delays, [1, 16, 81, 256], strict=True)] == [1, 1, 1, 1]
    row = queue.job(job["id"])
    assert (row["status"], row["outcome"], row["attempt"], len(row["errors"])) == ("failed", "dead", 5, 5)


def test_backoff_spreads_and_has_a_ceiling(queue: Queue) -> None:
    for attempt, base in [(1, 1), (2, 16), (3, 81), (9, 3600), (1000, 3600)]:
        drawn = [row["s"] for row in queue.rows("select kizu.backoff(%s) as s from generate_series(1, 200)", attempt)]
        assert all(0.8 * base <= one <= 1.2 * base for one in drawn)
        assert statistics.stdev(drawn) >= 0.08 * base


def test_the_storage_may_name_the_delay(queue: Queue, job: Row) -> None:
    assert (
        queue.finish("fail", job, error={"code": "fetch_failed", "message": "Busy.", "retryable": True}, retry_s=500)
        == "retry"
    )
    (row,) = queue.rows(f"select extract(epoch from run_after - now()) as delay from {AI}")
    assert 490 < row["delay"] <= 500


def test_only_the_last_errors_are_kept(queue: Queue, job: Row) -> None:
    queue.run(f"update {AI} set max_attempts = 100, attempt = 30")
    queue.run(f"update {AI} set errors = (select jsonb_agg(n) from generate_series(1, 20) n)")
    queue.fail(job, retryable=True)
    errors = queue.job(job["id"])["errors"]
    assert errors[:-1] == list(range(2, 21))
    assert errors[-1]["code"] == "media"


def test_a_crash_is_tried_again_at_once_twice(queue: Queue, job: Row) -> None:
    for crashes in (1, 2):
        assert queue.fail(job, crashed=True, retryable=True) == "retry"
        (job,) = queue.claim("ocr")
        assert job["crash_count"] == crashes
    assert queue.fail(job, crashed=True, retryable=True) == "dead"
    assert queue.job(job["id"])["outcome"] == "dead"


def test_a_crashed_job_keeps_its_place(queue: Queue) -> None:
    user = queue.user()
    for _ in range(3):
        queue.ask(user, queue.photo(user), "ocr")
    (job,) = queue.claim("ocr")
    queue.fail(job, crashed=True)
    assert queue.claim("ocr")[0]["id"] == job["id"]


def test_a_crashed_job_stands_in_front_of_those_that_came_with_it(queue: Queue) -> None:
    user = queue.user()
    photos = [queue.photo(user) for _ in range(3)]
    queue.call("enqueue", table=AI, jobs=[{"user_id": str(user), "asset_id": str(photo)} for photo in photos])
    queue.call("worker_hello", worker="w", info={}, can=["ocr"])
    (job,) = queue.claim("ocr")
    queue.fail(job, crashed=True)
    assert queue.claim("ocr")[0]["id"] == job["id"]


def test_release_counts_no_attempt(queue: Queue, job: Row) -> None:
    assert queue.finish("release", job) == "ok"
    assert queue.finish("release", job) == "already"
    row = queue.job(job["id"])
    assert (row["status"], row["attempt"], row["worker_id"], row["lease_until"]) == ("pending", 0, None, None)
    assert queue.claim("ocr")[0]["attempt"] == 1


def test_release_keeps_the_place_unless_a_delay_is_asked_for(queue: Queue) -> None:
    user = queue.user()
    for _ in range(2):
        queue.ask(user, queue.photo(user), "ocr")
    (job,) = queue.claim("ocr")
    queue.finish("release", job)
    (again,) = queue.claim("ocr")
    assert again["id"] == job["id"]
    queue.finish("release", again, delay_s=600)
    assert queue.claim("ocr")[0]["id"] != job["id"]
    assert queue.claim("ocr") == []


def test_reap_returns_what_a_silent_worker_held(queue: Queue, job: Row) -> None:
    assert queue.call("reap") == 0
    queue.let_lease_end(job)
    assert queue.call("reap") == 1
    row = queue.job(job["id"])
    assert (row["status"], row["attempt"], row["reclaim_count"], row["lease_token"]) == ("pending", 1, 1, None)
    assert row["errors"][0]["code"] == "lease_expired"
    assert queue.claim("ocr")[0]["attempt"] == 2


def test_reap_ends_what_was_tried_often_enough(queue: Queue, job: Row) -> None:
    queue.run(f"update {AI} set max_attempts = 1, lease_until = now() - interval '1 s'")
    assert queue.call("reap") == 1
    assert queue.job(job["id"])["outcome"] == "dead"
    assert queue.rows("select error ->> 'code' as code from plugin_results") == [{"code": "lease_expired"}]


def test_heartbeat_extends_and_progress_only_grows(queue: Queue, job: Row) -> None:
    queue.let_lease_end(job)
    assert queue.beat(job, progress=40, step="decode") == ["ok"]
    assert queue.beat(job, progress=20) == ["ok"]
    assert queue.beat(job, progress=100) == ["ok"]
    row = queue.job(job["id"])
    assert (row["progress"], row["current_step"]) == (99, "decode")
    assert queue.call("reap") == 0


def test_heartbeat_speaks_for_jobs_of_both_tables(queue: Queue, job: Row) -> None:
    queue.ask(UUID(job["user_id"]), UUID(job["asset_id"]), table=IMAGE)
    (image,) = queue.claim("optimize", table=IMAGE)
    assert queue.beat(job, image) == ["ok", "ok"]
    assert queue.beat({**job, "lease_token": image["lease_token"]}, image) == ["lost", "ok"]


def test_a_heartbeat_waits_for_no_completion(queue: Queue, job: Row) -> None:
    """That of a large library may take minutes: its job, and the others of the same worker, stay their holder's."""
    queue.ask(UUID(job["user_id"]), queue.photo(UUID(job["user_id"])), "ocr")
    (other,) = queue.claim("ocr")
    queue.let_lease_end(job)
    with queue.database.transaction() as completing:
        completing.execute(f"select from {AI} where id = %s for update", [job["id"]])
        assert queue.beat(job, other) == ["ok", "ok"]
        assert queue.beat({**job, "lease_token": other["lease_token"]}) == ["lost"]
        assert queue.call("reap") == 0
    assert queue.call("reap") == 1
    assert queue.beat(job) == ["lost"]


def test_a_waiting_job_is_taken_back_at_once(queue: Queue) -> None:
    user = queue.user()
    job = queue.ask(user, queue.photo(user), "ocr")
    assert queue.call("cancel", table=AI, ids=[job]) == 1
    assert (queue.job(job)["status"], queue.job(job)["outcome"]) == ("failed", "cancelled")
    assert queue.claim("ocr") == []
    assert queue.call("cancel", table=AI, ids=[job]) == 0


@pytest.mark.parametrize("verb", ["complete", "fail", "release", "reap"])
def test_a_running_job_hears_that_it_was_taken_back(queue: Queue, job: Row, verb: str) -> None:
    assert queue.call("cancel", table=AI, ids=[UUID(job["id"])]) == 1
    assert queue.beat(job) == ["cancel"]
    if verb == "reap":
        queue.let_lease_end(job)
        assert queue.call("reap") == 1
    elif verb == "complete":
        assert queue.complete(job, done("ocr"), rows={"extracted_text": [{"text": "x"}]}) == "cancelled"
    elif verb == "fail":
        assert queue.fail(job, retryable=True) == "cancelled"
    else:
        queue.finish("release", job)
    row = queue.job(job["id"])
    assert (row["status"], row["outcome"]) == ("failed", "cancelled")
    assert queue.rows("select * from extracted_text") == []


def test_requeue_starts_from_the_beginning(queue: Queue, job: Row) -> None:
    queue.fail(job)
    assert queue.call("requeue", table=AI, ids=[UUID(job["id"])]) == 1
    assert queue.rows("select * from plugin_results") == []
    (again,) = queue.claim("ocr")
    assert (again["attempt"], again["crash_count"], again["todo"]) == (1, 0, ["ocr"])
    assert queue.complete(again, done("ocr")) == "ok"
    assert queue.call("requeue", table=AI, ids=[UUID(job["id"])]) == 0
