"""Ending a lease: every verb is fenced and may be repeated; results and state appear together."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
import pytest

from kizu_support.queue import AI, IMAGE, Queue, Row, done

TEXT = {"text": "Hello", "score": 0.9, "line": 0, "model": "m", "output_version": "1", "frame_ms": 0}
VECTOR = {"embedding": [0.5, 0.25], "dim": 2, "space": "s", "model": "m", "output_version": "1", "frame_ms": 0}


@pytest.fixture
def job(queue: Queue) -> Row:
    """A claimed job for text recognition."""
    user = queue.user()
    queue.ask(user, queue.photo(user), "ocr")
    return queue.claim("ocr")[0]


def test_completion_stores_all_at_once(queue: Queue, job: Row) -> None:
    good = done("ocr", found=1, seconds=0.5)
    rows = {"extracted_text": [TEXT]}
    assert queue.complete(job, good, rows=rows, asset={"thumbnail": "t.jpg"}, result={"ms": 3}) == "ok"
    row = queue.job(job["id"])
    assert (row["status"], row["outcome"], row["progress"], row["lease_until"]) == ("completed", "ok", 100, None)
    assert row["completed_at"] is not None
    assert row["result"]["ms"] == 3
    (text,) = queue.rows("select * from extracted_text")
    assert (text["text"], text["folded"]) == ("Hello", "hello")
    assert (str(text["asset_id"]), str(text["user_id"])) == (job["asset_id"], job["user_id"])
    (entry,) = queue.rows("select * from plugin_results")
    assert (entry["found"], entry["source_sha256"], entry["error"]) == (1, job["asset"]["sha256"], None)
    assert queue.rows("select thumbnail from assets") == [{"thumbnail": "t.jpg"}]


def test_completion_may_be_repeated(queue: Queue, job: Row) -> None:
    assert queue.complete(job, done("ocr"), rows={"extracted_text": [TEXT]}) == "ok"
    before = queue.rows("select * from extracted_text"), queue.job(job["id"])
    assert queue.complete(job, done("ocr"), rows={"extracted_text": [TEXT]}) == "already"
    assert (queue.rows("select * from extracted_text"), queue.job(job["id"])) == before


@pytest.mark.parametrize("verb", ["complete", "fail", "release"])
def test_a_stale_token_writes_nothing(queue: Queue, job: Row, verb: str) -> None:
    queue.let_lease_end(job)
    assert queue.call("reap") == 1
    (again,) = queue.claim("ocr", worker="other")
    before = queue.job(job["id"])
    arguments: dict[str, Row] = {
        "complete": {"payload": {"operations": [done("ocr")]}},
        "fail": {"error": {"code": "x"}},
        "release": {},
    }
    for token in (job["lease_token"], str(uuid4())):
        assert queue.finish(verb, {**job, "lease_token": token}, **arguments[verb]) == "lease_lost"
    assert queue.beat(job, progress=50) == ["lost"]
    assert queue.job(job["id"]) == before
    assert queue.rows("select * from plugin_results") == []
    assert queue.complete(again, done("ocr")) == "ok"


def test_an_expired_lease_is_the_holders_until_somebody_reaps(queue: Queue, job: Row) -> None:
    queue.let_lease_end(job)
    assert queue.complete(job, done("ocr")) == "ok"
    assert queue.call("reap") == 0


def test_results_are_replaced_not_added(queue: Queue, job: Row) -> None:
    queue.complete(job, done("ocr", found=2), rows={"extracted_text": [TEXT, {**TEXT, "line": 1}]})
    queue.ask(UUID(job["user_id"]), UUID(job["asset_id"]), "ocr")
    queue.complete(queue.claim("ocr")[0], done("ocr", plugin="q", found=0))
    assert queue.rows("select * from extracted_text") == []
    assert queue.rows("select plugin, found from plugin_results") == [{"plugin": "q", "found": 0}]


def test_vectors_of_another_space_stay(queue: Queue) -> None:
    user = queue.user()
    photo = queue.photo(user)
    for plugin, space in [("a", "s1"), ("b", "s2"), ("a", "s1")]:
        queue.ask(user, photo, "embedding")
        vector = {**VECTOR, "space": space}
        queue.complete(
            queue.claim("embedding")[0],
            done("embedding", plugin=plugin, space=space),
            rows={"image_embeddings": [vector]},
        )
    spaces = queue.rows("select space, embedding::text from image_embeddings order by space")
    assert spaces == [{"space": "s1", "embedding": "[0.5,0.25]"}, {"space": "s2", "embedding": "[0.5,0.25]"}]
    assert len(queue.rows("select * from plugin_results")) == 2


@pytest.mark.parametrize(
    "payload",
    [
        {"rows": {"extracted_text": [{**TEXT, "user_id": str(uuid4())}]}},
        {"rows": {"extracted_text": [{**TEXT, "asset_id": str(uuid4())}]}},
        {"rows": {"extracted_text": [{"no_such_column": 1}]}},
        {"rows": {"detected_objects": [{"label": "cat"}]}},
        {"rows": {"assets": [{"file_name": "x"}]}},
        {"asset": {"user_id": str(uuid4())}},
        {"operations": [done("faces")]},
        {"retry": ["faces"]},
    ],
)
def test_what_is_not_the_jobs_own_is_refused_as_a_whole(queue: Queue, job: Row, payload: Row) -> None:
    with pytest.raises(psycopg.Error):
        queue.finish("complete", job, payload={"operations": [done("ocr")], **payload})
    assert queue.job(job["id"])["status"] == "processing"
    for table in ("extracted_text", "plugin_results"):
        assert queue.rows(f"select * from {table}") == []


def test_a_photo_that_changed_hands_after_the_claim(queue: Queue, job: Row) -> None:
    queue.run("update assets set user_id = %s", queue.user("other"))
    assert queue.complete(job, done("ocr"), rows={"extracted_text": [TEXT]}) == "lease_lost"
    assert queue.job(job["id"])["outcome"] == "invalid"
    assert queue.rows("select * from extracted_text") == []


def test_two_workers_share_one_job(queue: Queue) -> None:
    user = queue.user()
    job = queue.ask(user, queue.photo(user), "embedding", "ocr")
    (first,) = queue.claim("ocr")
    assert first["todo"] == ["ocr"]
    assert queue.complete(first, done("ocr")) == "ok"
    row = queue.job(job)
    assert (row["status"], row["todo"], row["attempt"], row["completed_at"]) == ("pending", ["embedding"], 0, None)
    assert queue.complete(first, done("ocr")) == "already"
    assert queue.claim("ocr") == []
    (second,) = queue.claim("embedding")
    assert queue.complete(second, done("embedding")) == "ok"
    row = queue.job(job)
    assert (row["status"], row["outcome"], sorted(row["result"]["done"])) == ("completed", "ok", ["embedding", "ocr"])


def test_an_operation_to_try_again(queue: Queue) -> None:
    user = queue.user()
    job = queue.ask(user, queue.photo(user), "embedding", "ocr", max_attempts=2)
    trouble = {"code": "model_unavailable", "message": "Out of memory.", "hint": None, "retryable": True}
    (claimed,) = queue.claim("ocr", "embedding")
    assert queue.complete(claimed, done("embedding"), retry=["ocr"], error=trouble) == "ok"
    row = queue.job(job)
    assert (row["status"], row["todo"], row["attempt"], row["error_message"]) == (
        "pending",
        ["ocr"],
        1,
        "Out of memory.",
    )
    assert queue.claim("ocr") == []
    queue.make_due()
    assert queue.finish("complete", queue.claim("ocr")[0], payload={"retry": ["ocr"], "error": trouble}) == "ok"
    row = queue.job(job)
    assert (row["status"], row["outcome"], row["todo"]) == ("failed", "dead", ["ocr"])
    ledger = {entry["operation"]: entry["error"] for entry in queue.rows("select operation, error from plugin_results")}
    assert ledger["embedding"] is None
    assert ledger["ocr"]["code"] == "model_unavailable"


def test_a_job_without_any_success_has_failed(queue: Queue, job: Row) -> None:
    error = {"code": "unreadable_picture", "message": "It is cut short.", "hint": None}
    assert queue.complete(job, done("ocr", found=0, error=error)) == "ok"
    row = queue.job(job["id"])
    assert (row["status"], row["outcome"], row["error_message"]) == ("failed", "invalid", "It is cut short.")
    (entry,) = queue.rows("select error from plugin_results")
    assert entry["error"] == error


def test_success_leaves_no_error_behind(queue: Queue, job: Row) -> None:
    assert queue.complete(job, done("ocr"), error=None) == "ok"
    row = queue.job(job["id"])
    assert (row["errors"], row["error_message"]) == ([], None)


def test_follow_up_jobs_are_the_same_users(queue: Queue, job: Row) -> None:
    follow: Row = {
        "table": AI,
        "job_type": "recluster",
        "asset_id": None,
        "params": {},
        "priority": 200,
        "user_id": str(uuid4()),
    }
    assert queue.complete(job, done("ocr"), enqueue=[follow]) == "ok"
    (made,) = queue.rows("select user_id, priority from ai_processing_jobs where job_type = 'recluster'")
    assert (str(made["user_id"]), made["priority"]) == (job["user_id"], 200)


def test_image_jobs_show_addresses_in_their_own_columns(queue: Queue) -> None:
    user = queue.user()
    queue.ask(user, queue.photo(user), table=IMAGE)
    (job,) = queue.claim("optimize", table=IMAGE)
    queue.complete(job, done("optimize"), asset={"thumbnail": "t", "web_uri": "w"})
    row = queue.job(job["id"], IMAGE)
    assert (row["status"], row["thumbnail_url"], row["web_url"]) == ("completed", "t", "w")
