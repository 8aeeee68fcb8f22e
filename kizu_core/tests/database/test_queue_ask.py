"""Asking for work: operations, keys that keep doubles out, wake-ups, workers that come and go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from kizu_support.queue import AI, IMAGE, Queue, done


def test_one_job_from_twenty_racing_calls(queue: Queue) -> None:
    user = queue.user()
    job = {"user_id": str(user), "asset_id": str(queue.photo(user)), "dedupe_key": "k"}
    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(lambda _: queue.call("enqueue", table=AI, jobs=[job])[0], range(20)))
    assert len({one["id"] for one in made}) == 1
    assert sum(one["created"] for one in made) == 1
    assert len(queue.rows(f"select id from {AI}")) == 1


def test_a_finished_job_makes_room_for_its_double(queue: Queue) -> None:
    user = queue.user()
    photo = queue.photo(user)
    first = queue.ask(user, photo, "ocr", dedupe_key="k")
    (claimed,) = queue.claim("ocr")
    assert queue.ask(user, photo, "ocr", dedupe_key="k") == first
    queue.complete(claimed, done("ocr"))
    assert queue.ask(user, photo, "ocr", dedupe_key="k") != first


def test_keys_of_users_do_not_meet(queue: Queue) -> None:
    a, b = queue.user("a"), queue.user("b")
    assert queue.ask(a, queue.photo(a), dedupe_key="k") != queue.ask(b, queue.photo(b), dedupe_key="k")


def test_requeue_leaves_a_job_with_a_waiting_double_alone(queue: Queue) -> None:
    user = queue.user()
    photo = queue.photo(user)
    first = queue.ask(user, photo, "ocr", dedupe_key="k")
    queue.fail(queue.claim("ocr")[0])
    queue.ask(user, photo, "ocr", dedupe_key="k")
    assert queue.call("requeue", table=AI, ids=[first]) == 0


@pytest.mark.parametrize(
    "job",
    [{"asset_id": str(uuid4())}, {"user_id": None}, {"user_id": str(uuid4()), "params": {"x": "y" * 70_000}}],
)
def test_jobs_that_are_refused(queue: Queue, job: dict[str, object]) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        queue.call("enqueue", table=AI, jobs=[job])


@pytest.mark.parametrize("table", ["assets", "kizu_workers", 'x"; drop table assets; --', None])
def test_only_job_tables_are_job_tables(queue: Queue, table: str | None) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="no job table"):
        queue.call("claim", table=table, worker="w", request=uuid4(), can=["ocr"], limit=1, lease_s=60)


@pytest.mark.parametrize(
    ("params", "todo"),
    [
        ({"operations": ["ocr", "faces", "ocr"]}, ["faces", "ocr"]),
        ({"operations": ["own_operation-2"]}, ["own_operation-2"]),
        ({"operations": "ocr"}, ["ocr"]),
        ({"operations": []}, ["all"]),
        ({"operations": {"a": 1}}, ["all"]),
        ({"operations": ["Bad Name", "; drop", 7]}, ["all"]),
        ({}, ["all"]),
    ],
)
def test_operations_of_old_clients(queue: Queue, params: dict[str, object], todo: list[str]) -> None:
    queue.run(f"insert into {AI} (user_id, input_params) values (%s, %s)", uuid4(), psycopg.types.json.Jsonb(params))
    assert queue.rows(f"select todo from {AI}") == [{"todo": todo}]


def test_all_is_what_some_worker_offers_and_nobody_switched_off(queue: Queue) -> None:
    user = queue.user()
    early = queue.ask(user, queue.photo(user), "all")
    queue.run("update operations set enabled = false where name = 'faces'")
    queue.call("worker_hello", worker="o", info={}, can=["ocr", "faces", "generate_moments"])
    assert queue.job(early)["todo"] == ["ocr"]
    assert queue.job(queue.ask(user, queue.photo(user), "all"))["todo"] == ["ocr"]
    named = queue.ask(user, queue.photo(user), "describe")
    queue.call("worker_hello", worker="e", info={}, can=["embedding"])
    assert queue.job(early)["todo"] == ["embedding", "ocr"]
    assert queue.job(named)["todo"] == ["describe"]


def test_an_operation_offered_while_an_all_job_runs(queue: Queue) -> None:
    user = queue.user()
    queue.call("worker_hello", worker="o", info={}, can=["ocr"])
    job = queue.ask(user, queue.photo(user), "all")
    (claimed,) = queue.claim("ocr")
    queue.call("worker_hello", worker="e", info={}, can=["embedding"])
    assert queue.complete(claimed, done("ocr")) == "ok"
    assert (queue.job(job)["status"], queue.job(job)["todo"]) == ("pending", ["embedding"])


def test_both_spellings_of_the_job_type(queue: Queue) -> None:
    queue.run(f"insert into {AI} (user_id, job_type) values (%s, 'image_api')", uuid4())
    (row,) = queue.rows(f"select job_type, needs from {AI}")
    assert (row["job_type"], row["needs"]) == ("image_ai", "image_ai:all")


def test_the_photo_may_stand_in_the_parameters(queue: Queue) -> None:
    user = queue.user()
    photo = queue.photo(user)
    params = psycopg.types.json.Jsonb({"asset_id": str(photo), "operations": ["ocr"], "image_url": "u"})
    queue.run(f"insert into {AI} (user_id, input_params) values (%s, %s)", user, params)
    assert queue.claim("ocr")[0]["asset_id"] == str(photo)
    queue.run(f"""insert into {AI} (user_id, input_params) values (%s, '{{"asset_id": "none"}}')""", user)


def test_workers_come_beat_and_go(queue: Queue) -> None:
    queue.call("worker_hello", worker="w", info={"host": "nas"}, can=["ocr"])
    queue.run("update kizu_workers set beat_at = now() - interval '1 h'")
    queue.beat()
    assert queue.rows("select id from kizu_workers where beat_at > now() - interval '1 min'") == [{"id": "w"}]
    queue.call("worker_bye", worker="w")
    assert queue.rows("select * from kizu_workers") == []


def test_waiting_work_wakes_listeners(queue: Queue) -> None:
    user = queue.user()
    photo = queue.photo(user)
    with psycopg.connect(queue.database.worker, autocommit=True) as listener:
        listener.execute("listen kizu_jobs")

        def woken() -> int:
            return len(list(listener.notifies(timeout=0.5, stop_after=1)))

        queue.ask(user, photo, "ocr")
        assert woken()
        queue.ask(user, photo, table=IMAGE)
        assert woken()
        (job,) = queue.claim("ocr")
        assert not woken()
        queue.finish("release", job)
        assert woken()
        (job,) = queue.claim("ocr")
        queue.fail(job)
        queue.call("requeue", table=AI, ids=[job["id"]])
        assert woken()
        queue.run(f"insert into {AI} (user_id) select user_id from {AI} where false")
        assert not woken()
