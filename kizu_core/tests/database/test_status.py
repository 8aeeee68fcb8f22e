"""What `kizu_status` counts, and how it names what went wrong."""

from __future__ import annotations

from uuid import uuid4

from kizu_support.queue import AI, IMAGE, Queue, done

BROKEN = {"code": "unreadable_picture", "message": "It is cut short.", "hint": "Copy it again."}


def test_an_empty_library(queue: Queue) -> None:
    assert queue.call("status") == {
        "jobs": {},
        "assets": {"images": 0, "videos": 0, "missing": 0},
        "failures": [],
        "workers": [],
        "database": {"oldest_transaction": None, "dead_rows": []},
        "oldest_waiting_s": None,
        "roots": [],
    }


def test_counts_by_operation(queue: Queue) -> None:
    user = queue.user()
    for _ in range(5):
        queue.ask(user, queue.photo(user), "ocr", "faces")
    queue.ask(user, queue.photo(user), table=IMAGE)
    running, retried, failed, finished = queue.claim("ocr", "faces", limit=4)
    queue.fail(retried, retryable=True, code="fetch_failed")
    queue.run(f"update {AI} set run_after = now() + interval '1 h' where id = %s", retried["id"])
    queue.fail(failed)
    queue.complete(finished, done("ocr"), done("faces", error=BROKEN))
    queue.beat(running)
    counts = queue.call("status", user=user)["jobs"]
    assert counts["ocr"] == {"waiting": 1, "running": 1, "retrying": 1, "done": 1, "failed": 1}
    assert counts["faces"] == {"waiting": 1, "running": 1, "retrying": 1, "done": 0, "failed": 2}
    assert counts["optimize"] == {"waiting": 1, "running": 0, "retrying": 0, "done": 0, "failed": 0}


def test_failures_are_grouped_by_cause_with_examples(queue: Queue) -> None:
    user = queue.user()
    for number in range(5):
        queue.ask(user, queue.photo(user, file_name=f"{number}.jpg"), "ocr", "faces")
    for job in queue.claim("ocr", "faces", limit=5):
        queue.complete(job, done("ocr", error=BROKEN), done("faces", error=BROKEN))
    root = uuid4()
    queue.run("insert into library_roots (id, user_id, path) values (%s, %s, '/p')", root, user)
    queue.run(
        """insert into asset_files (root_id, user_id, path, error)
           values (%s, %s, 'a/b.svg', '{"code": "unsupported_format", "message": "SVG."}')""",
        root, user,
    )  # fmt: skip
    first, second = queue.call("status")["failures"]
    assert first == {**BROKEN, "count": 5, "operations": ["faces", "ocr"], "examples": ["0.jpg", "1.jpg", "2.jpg"]}
    assert (second["code"], second["count"], second["operations"], second["examples"]) == (
        "unsupported_format",
        1,
        [],
        ["a/b.svg"],
    )


def test_a_missing_photo_is_only_missing(queue: Queue) -> None:
    user = queue.user()
    queue.ask(user, queue.photo(user), "ocr")
    queue.fail(queue.claim("ocr")[0])
    queue.run("update assets set missing_since = now()")
    status = queue.call("status")
    assert status["assets"] == {"images": 0, "videos": 0, "missing": 1}
    assert status["failures"] == []


def test_who_works_and_how_long_the_oldest_waits(queue: Queue) -> None:
    user = queue.user()
    queue.call("worker_hello", worker="w", info={"host": "nas"}, can=["ocr"])
    queue.call("worker_hello", worker="gone", info={}, can=[])
    queue.run("update kizu_workers set beat_at = now() - interval '1 h' where id = 'gone'")
    for _ in range(2):
        queue.ask(user, queue.photo(user), "ocr")
    queue.claim("ocr")
    queue.run(f"update {AI} set created_at = now() - interval '100 s'")
    status = queue.call("status")
    assert [(one["id"], one["held"], one["can"]) for one in status["workers"]] == [("w", 1, ["ocr"])]
    assert 100 <= status["oldest_waiting_s"] < 400
