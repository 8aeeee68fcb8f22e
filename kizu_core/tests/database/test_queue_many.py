"""Completing several jobs at once: each gets an answer of its own, and none is another's trouble."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from kizu_support.queue import AI, Queue, Row, done


def claimed(queue: Queue, number: int) -> list[Row]:
    """Jobs for as many photos, held by one worker."""
    user = queue.user()
    for _ in range(number):
        queue.ask(user, queue.photo(user), "ocr")
    return queue.claim("ocr", limit=number)


def item(job: Row, *texts: str, **more: Any) -> Row:
    rows = {"extracted_text": [{"text": text} for text in texts]}
    return {
        "id": job["id"],
        "token": job["lease_token"],
        "payload": {"operations": [done("ocr")], "rows": rows},
        **more,
    }


def complete(queue: Queue, *items: Row) -> list[str]:
    """An answer for each, "refused" for what the database does not take."""
    answers = queue.call("complete_many", table=AI, items=Jsonb(list(items)))
    assert [one["id"] for one in answers] == [one["id"] for one in items]
    return [one.get("answer", "refused") for one in answers]


def test_each_job_gets_its_own_answer(queue: Queue) -> None:
    good, stale, cancelled, refused, last = jobs = claimed(queue, 5)
    queue.call("cancel", table=AI, ids=[UUID(cancelled["id"])])
    bad = item(refused)
    bad["payload"]["rows"] = {"extracted_text": [{"text": "x", "no_such_column": 1}]}
    answers = complete(queue, item(good, "a"), item(stale, token=str(uuid4())), item(cancelled), bad, item(last, "b"))
    assert answers == ["ok", "lease_lost", "cancelled", "refused", "ok"]
    assert [queue.job(job["id"])["status"] for job in jobs] == [
        "completed",
        "processing",
        "failed",
        "processing",
        "completed",
    ]
    assert [row["text"] for row in queue.rows("select text from extracted_text order by text")] == ["a", "b"]


def test_repeated_after_a_lost_answer(queue: Queue) -> None:
    items = [item(job, "text") for job in claimed(queue, 3)]
    assert complete(queue, *items) == ["ok"] * 3
    assert complete(queue, *items) == ["already"] * 3
    assert queue.rows("select count(*) as n from extracted_text")[0]["n"] == 3


def test_calls_for_the_same_photos_never_wait_in_a_circle(queue: Queue) -> None:
    """Two workers hold jobs for the same photos, listed in opposite orders."""
    user = queue.user()
    photos = [queue.photo(user) for _ in range(20)]
    for photo in photos:
        queue.ask(user, photo, "ocr", dedupe_key=f"1-{photo}")
        queue.ask(user, photo, "ocr", dedupe_key=f"2-{photo}")
    first, second = (queue.claim("ocr", limit=20, worker=name) for name in "ab")
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda jobs: complete(queue, *(item(job, "text") for job in jobs)), (first, second[::-1]))
        assert list(answers) == [["ok"] * 20] * 2
    assert queue.rows("select count(*) as n from extracted_text")[0]["n"] == 20
