"""Promises of the queue to those who use it: order, shares, no doubles, and a cost that does not follow the backlog."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from kizu_support.postgres import call
from kizu_support.queue import AI, IMAGE, Queue, Row, done


def fill(queue: Queue, user: UUID, count: int, priority: int = 100) -> None:
    """So many jobs for text recognition of one user, each for a photo of its own."""
    queue.run(
        f"""with photo as (insert into assets (user_id, sha256) select %s, gen_random_uuid()::text
                           from generate_series(1, %s) returning id, user_id)
            insert into {AI} (user_id, asset_id, todo, priority) select user_id, id, array['ocr'], %s from photo""",
        user, count, priority,
    )  # fmt: skip


def in_order(queue: Queue, count: int) -> list[Row]:
    """Jobs as one worker takes and completes them, one at a time, over one connection."""
    taken = []
    for _ in range(count):
        (job,) = queue.claim("ocr")
        queue.complete(job, done("ocr"))
        taken.append(job)
    return taken


def test_what_somebody_waits_for_comes_before_any_bulk_work(queue: Queue) -> None:
    user = queue.user()
    fill(queue, user, 500, priority=200)
    in_order(queue, 3)
    fill(queue, user, 20, priority=50)
    jobs = [queue.job(job["id"]) for job in in_order(queue, 24)]
    assert [job["priority"] for job in jobs] == [50] * 20 + [200] * 4


def test_a_newcomer_gets_every_other_turn(queue: Queue) -> None:
    long, short = queue.user("long"), queue.user("short")
    fill(queue, long, 500)
    in_order(queue, 5)
    fill(queue, short, 10)
    turns = [place for place, job in enumerate(in_order(queue, 30)) if job["user_id"] == str(short)]
    assert len(turns) == 10
    assert max(after - before for before, after in zip([-1, *turns], turns, strict=False)) <= 3


def test_five_users_with_as_much_to_do_get_as_much_done(queue: Queue) -> None:
    for name in "abcde":
        fill(queue, queue.user(name), 40)
    shares = Counter(job["user_id"] for job in in_order(queue, 100))
    assert len(shares) == 5
    assert max(shares.values()) - min(shares.values()) <= 1


def test_fifty_that_ask_at_once_get_one_job(queue: Queue) -> None:
    """Through the function and past it, with a job of the same name running and after its end."""
    user = queue.user()
    photo = str(queue.photo(user))
    job = {"user_id": str(user), "asset_id": photo, "dedupe_key": "k", "params": {"operations": ["ocr"]}}

    def ask(number: int) -> str | None:
        if number % 5:
            return str(queue.call("enqueue", table=AI, jobs=[job])[0]["id"])
        with psycopg.connect(queue.database.url("postgres")) as connection:
            insert = f"""insert into {AI} (user_id, asset_id, dedupe_key, input_params) values (%s, %s, 'k', %s)
                         on conflict do nothing returning id"""
            row = connection.execute(insert.encode(), (user, photo, Jsonb(job["params"]))).fetchone()
            return str(row[0]) if row else None

    with ThreadPoolExecutor(16) as pool:
        first = set(pool.map(ask, range(50))) - {None}
        (claimed,) = queue.claim("ocr")
        while_it_runs = set(pool.map(ask, range(50))) - {None}
        queue.complete(claimed, done("ocr"))
        after = set(pool.map(ask, range(50))) - {None}
    assert first == while_it_runs == {claimed["id"]}
    assert len(after) == 1
    assert after != first
    assert len(queue.rows(f"select id from {AI}")) == 2


@pytest.mark.parametrize("table", [AI, IMAGE])
def test_an_answer_that_comes_twice_changes_nothing(queue: Queue, table: str) -> None:
    user = queue.user()
    queue.ask(user, queue.photo(user), *(["ocr"] if table == AI else []), table=table)
    (job,) = queue.claim("ocr", "optimize", table=table)
    operation = job["todo"][0]
    rows = {"extracted_text": [{"text": "Hello", "line": 0}]} if table == AI else {}
    follow = [{"table": AI, "job_type": "recluster", "dedupe_key": "r"}]

    def answer() -> str:
        return queue.complete(job, done(operation), rows=rows, asset={"thumbnail": "t"}, enqueue=follow)

    assert answer() == "ok"
    before = _everything(queue)
    assert {answer() for _ in range(3)} == {"already"}
    assert queue.fail(job) == "already"
    assert _everything(queue) == before


def _everything(queue: Queue) -> dict[str, list[Row]]:
    tables = [AI, IMAGE, "assets", "plugin_results", "extracted_text"]
    return {table: queue.rows(f"select * from {table} order by ctid") for table in tables}


@pytest.mark.parametrize("due", [True, False], ids=["that it can not do", "that is not due"])
def test_a_claim_in_vain_reads_no_rows_of_a_large_backlog(queue: Queue, due: bool) -> None:
    user = queue.user()
    fill(queue, user, 10_000)
    if not due:
        queue.run(f"update {AI} set run_after = now() + interval '1 h'")
    with psycopg.connect(queue.database.url("postgres"), autocommit=True) as connection:
        connection.execute(f"vacuum analyze {AI}".encode())
        able = ["embedding", "faces"] if due else ["ocr"]
        _claim(connection, able)  # plans, and marks dead index entries
        before = _work(connection)
        assert _claim(connection, able) == []
        rows, blocks = (now - then for now, then in zip(_work(connection), before, strict=True))
    assert rows < 10
    assert blocks < 200, "the table alone has more than twice as many"


def _claim(connection: psycopg.Connection[Any], able: list[str]) -> Any:
    arguments = {"p_table": AI, "p_worker": "w", "p_request": uuid4(), "p_can": able, "p_limit": 8, "p_lease_s": 60}
    return call(connection, "kizu_claim", **arguments)


def _work(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """Rows and blocks of the job table and its indexes that this connection has read so far."""
    connection.execute("select pg_stat_force_next_flush()")
    query = f"""select coalesce(t.seq_tup_read, 0) + coalesce(t.idx_tup_fetch, 0),
                  coalesce(b.heap_blks_hit + b.heap_blks_read, 0) + coalesce(b.idx_blks_hit + b.idx_blks_read, 0)
                from pg_stat_user_tables t join pg_statio_user_tables b using (relid) where t.relname = '{AI}'"""
    (found,) = connection.execute(query.encode()).fetchall()
    return int(found[0]), int(found[1])


def test_one_notice_for_a_statement_whatever_it_inserts(queue: Queue) -> None:
    """A commit that notifies takes a lock of the whole database; the notice says nothing about what was inserted."""
    wakes = queue.rows("""select tgrelid::regclass::text as name, tgtype & 1 as by_row from pg_trigger
                          where tgname = 'kizu_wake' order by 1""")
    assert wakes == [{"name": AI, "by_row": 0}, {"name": IMAGE, "by_row": 0}]
    user = queue.user()
    with psycopg.connect(queue.database.worker, autocommit=True) as listener:
        listener.execute("listen kizu_jobs")
        fill(queue, user, 500)
        notices = list(listener.notifies(timeout=0.5))
    assert [notice.payload for notice in notices] == [""]


def test_a_user_can_not_multiply_kinds_of_work(queue: Queue) -> None:
    """Each claim looks at every kind that waits."""
    user, other = queue.user(), queue.user("other")

    def ask(operation: str, who: UUID = user) -> Any:
        job = {"user_id": str(who), "asset_id": str(photos[who]), "params": {"operations": [operation]}}
        return queue.call("enqueue", as_user=who, table=AI, jobs=[job])

    photos = {who: queue.photo(who) for who in (user, other)}
    for number in range(64):
        ask(f"own-{number}")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="64 different kinds"):
        ask("own-64")
    assert ask("own-7")
    assert ask("own-64", other)
    assert queue.ask(user, photos[user], "own-64"), "workers are trusted"
    assert len(queue.claim("own-7", "own-8", "own-9", limit=9)) == 4
    assert ask("own-65")
