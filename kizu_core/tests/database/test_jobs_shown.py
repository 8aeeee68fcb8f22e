"""Jobs as a person looks at them: lists, causes, one in full, trying again, taking back."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from kizu_support.queue import AI, IMAGE, Queue, Row, done

CUT = {"code": "unreadable_picture", "message": "It is cut short.", "hint": "Copy it again."}


@pytest.fixture
def me(queue: Queue) -> UUID:
    """The user of these tests."""
    return queue.user()


def jobs(queue: Queue, user: UUID, **more: Any) -> list[Row]:
    """All that a user's list shows, page by page of two."""
    found: list[Row] = []
    page: Row = {"next": {}}
    while page["next"] is not None:
        after = {"after": page["next"]} if page["next"] else {}
        page = queue.call("jobs", as_user=user, filter=more, limit=2, **after)
        found += page["jobs"]
    return found


def states(queue: Queue, user: UUID) -> list[str]:
    return sorted(job["state"] for job in jobs(queue, user))


def test_every_state_has_its_list(queue: Queue, me: UUID) -> None:
    for _ in range(6):
        queue.ask(me, queue.photo(me, file_name="a.jpg"), "ocr")
    picture = queue.ask(me, queue.photo(me), table=IMAGE)
    running, retried, failed, cancelled, finished = queue.claim("ocr", limit=5)
    queue.fail(retried, retryable=True)
    queue.run(f"update {AI} set run_after = now() + interval '1 h' where id = %s", retried["id"])
    queue.fail(failed)
    queue.call("cancel", table=AI, ids=[UUID(cancelled["id"])])
    queue.finish("release", cancelled)
    queue.complete(finished, done("ocr"))
    found = {state: jobs(queue, me, state=state) for state in ("running", "retrying", "failed", "cancelled", "done")}
    assert {state: [job["id"] for job in some] for state, some in found.items()} == {
        "running": [running["id"]],
        "retrying": [retried["id"]],
        "failed": [failed["id"]],
        "cancelled": [cancelled["id"]],
        "done": [finished["id"]],
    }
    assert [job["operations"] for job in found["done"] + found["failed"]] == [["ocr"], ["ocr"]]
    assert found["failed"][0]["error"]["message"] == "It is broken."
    assert found["failed"][0]["photo"] == "a.jpg"
    waiting = jobs(queue, me, state="waiting")
    assert {job["operations"][0] for job in waiting} == {"ocr", "optimize"}
    assert [job["id"] for job in jobs(queue, me, operation="optimize")] == [str(picture)]
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        jobs(queue, me, state="lost")


@pytest.mark.parametrize("state", ["waiting", "done", None])
def test_pages_hold_each_job_once_the_newest_first(queue: Queue, me: UUID, state: str | None) -> None:
    for number in range(7):
        queue.ask(me, queue.photo(me), "ocr", table=(AI, IMAGE)[number % 2])
    queue.run(f"update {AI} set created_at = (select min(created_at) from {AI})")  # as one statement makes them
    if state == "done":
        for job in [*queue.claim("ocr", limit=9), *queue.claim("optimize", limit=9, table=IMAGE)]:
            queue.complete(job)
    found = jobs(queue, me, **({"state": state} if state else {}))
    assert len({job["id"] for job in found}) == len(found) == 7
    times = [job["completed_at"] or job["created_at"] for job in found]
    assert times == sorted(times, reverse=True)


def test_nobody_sees_or_changes_the_jobs_of_others(queue: Queue, me: UUID) -> None:
    other = queue.user("other")
    job = queue.ask(other, queue.photo(other), "ocr")
    queue.fail(queue.claim("ocr")[0])
    assert jobs(queue, me) == []
    assert queue.call("jobs", as_user=me, user=other)["jobs"] == []
    assert queue.call("job", as_user=me, id=str(job), user=other) == []
    assert queue.call("job_causes", as_user=me, user=other) == []
    assert queue.call("retry_failed", user=me) == {"jobs": 0, "next": None}
    assert queue.call("cancel_waiting", user=me) == {"cancelled": 0, "stopping": 0}
    assert len(queue.call("jobs")["jobs"]) == len(queue.call("jobs", user=other)["jobs"]) == 1
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        queue.call("retry_failed", as_user=me, user=me)


def test_a_job_is_found_by_the_beginning_of_its_id(queue: Queue, me: UUID) -> None:
    photo = queue.photo(me)
    for last in "12":
        queue.run(f"insert into {AI} (id, user_id, asset_id) values (%s, %s, %s)", f"{'ab' * 15}c{last}", me, photo)

    def found(beginning: str) -> list[str]:
        return [job["id"][-1] for job in queue.call("job", as_user=me, id=beginning)]

    assert found("ab") == found("ABABABAB-ABab") == ["1", "2"]
    assert found("ab" * 15 + "c2") == ["2"]
    assert found("abac") == found("") == found("zz") == found("ab" * 17) == found("%") == []
    (job,) = queue.call("job", as_user=me, id="ab" * 15 + "c2")
    assert "lease_token" not in job
    assert job["params"] == {}


def test_causes_are_those_of_photos_and_of_jobs_without_one(queue: Queue, me: UUID) -> None:
    for number in range(5):
        queue.ask(me, queue.photo(me, file_name=f"{number}.jpg"), "ocr", "faces")
    whole, *partly = queue.claim("ocr", "faces", limit=5)
    queue.fail(whole, **CUT)
    for job in partly:
        queue.complete(job, done("ocr", error=CUT), done("faces"))
    plain = queue.ask(me, None, job_type="generate_moments")
    queue.fail(queue.claim("generate_moments")[0])
    first, second = queue.call("job_causes", as_user=me)
    assert first == {**CUT, "count": 5, "operations": ["faces", "ocr"], "examples": ["0.jpg", "1.jpg", "2.jpg"]}
    assert (second["code"], second["count"], second["operations"]) == ("media", 1, ["generate_moments"])
    assert second["examples"] == [str(plain)]


def fail_all(queue: Queue, me: UUID, count: int) -> None:
    """Photos on which `ocr` failed, their jobs with it."""
    for _ in range(count):
        queue.ask(me, queue.photo(me), "ocr")
    for job in queue.claim("ocr", limit=count):
        queue.fail(job, **CUT)


def retry(queue: Queue, me: UUID, **more: Any) -> int:
    """All calls of one retry, two photos at a time."""
    count, after = 0, None
    while True:
        answer = queue.call("retry_failed", user=me, after=after, limit=2, **more)
        count += int(answer["jobs"])
        if answer["next"] is None:
            return count
        after = UUID(answer["next"])


def test_failed_jobs_run_again_and_the_ledger_forgets(queue: Queue, me: UUID) -> None:
    fail_all(queue, me, 5)
    assert retry(queue, me, cause="other") == 0
    assert retry(queue, me, cause="unreadable_picture") == 5
    assert states(queue, me) == ["waiting"] * 5
    assert queue.rows("select * from plugin_results") == []
    for job in queue.claim("ocr", limit=5):
        assert job["attempt"] == 1
        queue.complete(job, done("ocr"))
    assert queue.call("job_causes", as_user=me) == []
    assert retry(queue, me) == 0


def test_operations_whose_job_went_on_without_them_get_a_new_one(queue: Queue, me: UUID) -> None:
    photos = [queue.photo(me) for _ in range(3)]
    for photo in photos:
        queue.ask(me, photo, "ocr", "faces")
        queue.ask(me, photo, table=IMAGE)
    for job in queue.claim("ocr", "faces", limit=3):
        queue.complete(job, done("ocr", error=CUT), done("faces"))
    for job in queue.claim("optimize", limit=3, table=IMAGE):
        queue.complete(job, done("optimize", error=CUT))
    queue.run(f"delete from {IMAGE}")  # pruned since
    assert retry(queue, me) == 6
    assert retry(queue, me) == 0
    assert {tuple(job["todo"]) for job in queue.claim("ocr", "faces", limit=9)} == {("ocr",)}
    assert len(queue.claim("optimize", limit=9, table=IMAGE)) == 3
    assert [row["operation"] for row in queue.rows("select distinct operation from plugin_results")] == ["faces"]


def test_what_is_tried_again_already_is_left_to_that(queue: Queue, me: UUID) -> None:
    photo = queue.photo(me)
    queue.ask(me, photo, "ocr", "faces")
    queue.complete(queue.claim("ocr", "faces")[0], done("ocr", error=CUT), done("faces"))
    queue.ask(me, photo, "ocr")
    assert retry(queue, me) == 0
    assert states(queue, me) == ["done", "waiting"]


def test_doubles_that_failed_are_tried_again_once(queue: Queue, me: UUID) -> None:
    photo = queue.photo(me)
    for _ in range(2):
        queue.ask(me, photo, "ocr", dedupe_key="k")
        queue.fail(queue.claim("ocr")[0], **CUT)
    assert retry(queue, me) == 1
    assert states(queue, me) == ["failed", "waiting"]


def test_a_cancelled_job_is_no_failure(queue: Queue, me: UUID) -> None:
    job = queue.ask(me, queue.photo(me), "ocr")
    queue.call("cancel", table=AI, ids=[job])
    assert queue.call("job_causes", as_user=me) == []
    assert retry(queue, me) == 0
    assert states(queue, me) == ["cancelled"]


def test_all_that_waits_is_taken_back(queue: Queue, me: UUID) -> None:
    for _ in range(3):
        queue.ask(me, queue.photo(me), "ocr")
        queue.ask(me, queue.photo(me), table=IMAGE)
    queue.claim("ocr")
    assert queue.call("cancel_waiting", user=me, limit=2) == {"cancelled": 4, "stopping": 0}
    assert queue.call("cancel_waiting", user=me, limit=2) == {"cancelled": 1, "stopping": 0}
    assert queue.call("cancel_waiting", user=me, limit=2) == {"cancelled": 0, "stopping": 0}
    assert states(queue, me) == ["cancelled"] * 5 + ["running"]


def test_one_operation_is_taken_back_and_the_others_go_on(queue: Queue, me: UUID) -> None:
    alone, shared = (queue.ask(me, queue.photo(me), *names) for names in (["describe"], ["describe", "ocr"]))
    running = [queue.ask(me, queue.photo(me), *names, priority=50) for names in (["describe"], ["describe", "ocr"])]
    held = queue.claim("describe", limit=2)
    assert {job["id"] for job in held} == set(map(str, running))
    assert queue.call("cancel_waiting", user=me, operation="describe") == {"cancelled": 2, "stopping": 1}
    assert queue.call("cancel_waiting", user=me, operation="describe") == {"cancelled": 0, "stopping": 0}
    assert queue.job(alone)["outcome"] == "cancelled"
    assert (queue.job(shared)["todo"], queue.job(shared)["needs"]) == (["ocr"], "image_ai:ocr")
    by_id = {job["id"]: job for job in held}
    assert queue.beat(*(by_id[str(job)] for job in running)) == ["cancel", "ok"]


def test_workers_that_live_and_those_that_do_not(queue: Queue, me: UUID) -> None:
    queue.call("worker_hello", worker="w", info={"host": "nas"}, can=["ocr"])
    queue.call("worker_hello", worker="gone", info={}, can=[])
    queue.run("update kizu_workers set beat_at = now() - interval '1 h'")
    queue.ask(me, queue.photo(me), "ocr")
    queue.claim("ocr")
    assert queue.call("worker_note", worker="w", info={"restarts": 2}) is True
    assert queue.call("worker_note", worker="unknown", info={"restarts": 2}) is False
    gone, here = queue.call("worker_list")
    assert (gone["id"], gone["alive"], gone["held"]) == ("gone", False, 0)
    assert 3500 < gone["silent_s"] < 3700
    assert (here["id"], here["alive"], here["held"]) == ("w", True, 1)
    assert here["info"] == {"host": "nas", "restarts": 2}


def test_a_stranger_asks_about_strange_things(queue: Queue) -> None:
    nobody = uuid4()
    assert queue.call("jobs", as_user=nobody, filter={"operation": "'; drop table assets; --"})["jobs"] == []
    assert queue.call("jobs", as_user=nobody, limit=-5)["jobs"] == []
