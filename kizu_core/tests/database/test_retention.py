"""What goes away by itself: old jobs, forgotten workers, blobs that nothing refers to. What is told of a database that
can't tidy up, and whether status reads indexes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from kizu_support.bench import eventually
from kizu_support.postgres import call
from kizu_support.queue import AI, IMAGE, Queue, done

NOTHING = {"jobs": 0, "workers": 0, "more": False}


@pytest.fixture
def old_jobs(queue: Queue) -> UUID:
    """The user of five jobs of each table that ended 31 days ago: completed, failed, cancelled."""
    user = queue.user()
    for _ in range(5):
        queue.ask(user, queue.photo(user), "ocr")
        queue.ask(user, queue.photo(user), table=IMAGE)
    cancelled, failed, *finished = queue.claim("ocr", limit=5)
    queue.fail(failed)
    queue.call("cancel", table=AI, ids=[UUID(cancelled["id"])])
    queue.finish("release", cancelled)
    for job in [*finished, *queue.claim("optimize", limit=5, table=IMAGE)]:
        queue.complete(job, done(job["todo"][0]))
    for table in (AI, IMAGE):
        queue.run(f"update {table} set completed_at = now() - interval '31 days'")
    return user


def kept(queue: Queue) -> int:
    return sum(len(queue.rows(f"select id from {table}")) for table in (AI, IMAGE))


def test_old_jobs_go_in_batches_and_what_they_found_stays(queue: Queue, old_jobs: UUID) -> None:
    waiting = queue.ask(old_jobs, queue.photo(old_jobs), "ocr")
    recent = queue.ask(old_jobs, queue.photo(old_jobs), "ocr", priority=50)
    queue.fail(queue.claim("ocr")[0])
    queue.run(f"update {AI} set created_at = now() - interval '99 days' where id = %s", waiting)
    ledger = queue.rows("select * from plugin_results")
    assert queue.call("prune", keep_days=60) == NOTHING
    queue.run("delete from kizu.chores")
    assert queue.call("prune", keep_days=30, limit=3) == {"jobs": 6, "workers": 0, "more": True}
    assert queue.call("prune", keep_days=30, limit=3) == {"jobs": 4, "workers": 0, "more": False}
    assert {row["id"] for row in queue.rows(f"select id from {AI}")} == {waiting, recent}
    assert queue.rows("select * from plugin_results") == ledger
    queue.run(f"update {AI} set completed_at = now() - interval '31 days' where id = %s", recent)
    assert queue.call("prune", keep_days=30) == NOTHING, "once an hour is enough"


def test_for_ever_is_for_ever(queue: Queue, old_jobs: UUID) -> None:
    assert queue.call("prune", keep_days=0) == NOTHING
    assert kept(queue) == 10


def test_workers_that_prune_together_do_not_wait_for_each_other(queue: Queue, old_jobs: UUID) -> None:
    with psycopg.connect(queue.database.url("postgres")) as holder:
        holder.execute(f"select from {AI} order by id limit 2 for update".encode())
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: queue.call("prune", keep_days=30, limit=2), range(8)))
    assert sum(answer["jobs"] for answer in answers) == 8
    assert kept(queue) == 2


def test_workers_are_forgotten_after_a_day(queue: Queue) -> None:
    for name, age in [("here", "1 s"), ("silent", "1 h"), ("gone", "25 h")]:
        queue.call("worker_hello", worker=name, info={}, can=[])
        queue.run(f"update kizu_workers set beat_at = now() - interval '{age}' where id = %s", name)
    assert queue.call("prune", keep_days=30)["workers"] == 1
    assert {worker["id"] for worker in queue.call("worker_list")} == {"here", "silent"}


def test_orphans_are_what_no_photo_refers_to(queue: Queue) -> None:
    me, other = queue.user(), queue.user("other")

    def key(user: UUID, photo: UUID, name: str = "thumb-0123456789ab.jpg") -> str:
        return f"{user}/processed/{photo}/{name}"

    photo = queue.photo(me)
    referred = [key(me, photo), key(me, photo, "web-0123456789ab.jpg")]
    queue.run("update assets set thumbnail = %s, web_uri = 'https://x/storage/' || %s where id = %s", *referred, photo)
    orphans = [
        key(me, photo, "thumb-ffffffffffff.jpg"),  # of an earlier content
        key(me, uuid4()),  # of a photo that is forgotten
        key(other, photo),  # of somebody else's photo
    ]
    strangers = [key(uuid4(), photo), key(uuid4(), uuid4())]  # of another database
    found = queue.call("orphan_blobs", keys=[*referred, *orphans, *strangers])
    assert sorted(found) == sorted(orphans)
    assert queue.call("orphan_blobs", keys=[]) == []


def test_an_old_transaction_is_named(queue: Queue) -> None:
    with psycopg.connect(queue.database.owner, application_name="psql") as forgotten:
        forgotten.execute("select 1")
        assert queue.call("status")["database"]["oldest_transaction"] is None
        body = queue.rows("select prosrc from pg_proc where proname = 'database_trouble'")[0]["prosrc"]
        queue.run(f"""create or replace function kizu.database_trouble() returns jsonb language sql stable
                      set search_path = '' as $${body.replace("interval '5 min'", "interval '0'")}$$""")
        told = queue.call("status")["database"]["oldest_transaction"]
        assert (told["pid"], told["role"], told["program"]) == (forgotten.info.backend_pid, "kizu_owner", "psql")
        assert told["state"] == "idle in transaction"
        assert queue.call("status", as_user=queue.user())["database"] is None


def test_counting_reads_no_rows_of_a_large_backlog(queue: Queue) -> None:
    """What status costs is index pages: it fetches none of the rows that wait, of the photos, or of what was done."""
    user = queue.user()
    queue.run("insert into assets (user_id, sha256) select %s, g::text from generate_series(1, 5000) g", user)
    for table, todo in [(AI, "ocr"), (IMAGE, "optimize")]:
        queue.run(f"insert into {table} (user_id, asset_id, todo) select user_id, id, array['{todo}'] from assets")
    queue.run("""insert into plugin_results (asset_id, user_id, operation, plugin, version)
                 select id, user_id, 'faces', 'p', '1' from assets""")
    eventually(lambda: _vacuumed(queue))
    with psycopg.connect(queue.database.url("postgres"), autocommit=True) as connection:
        before = _rows_read(connection)
        jobs = call(connection, "kizu_status", p_user=user)["jobs"]
        counts = call(connection, "kizu_job_counts")
        after = _rows_read(connection)
    assert (jobs["ocr"]["waiting"], jobs["optimize"]["waiting"], jobs["faces"]["done"]) == (5000, 5000, 5000)
    assert counts["ocr"] == {"waiting": 5000, "retrying": 0, "running": 0}
    assert {table: after[table] - before[table] for table in after if after[table] - before[table] > 50} == {}


def _vacuumed(queue: Queue) -> bool:
    """Whether a vacuum could mark all pages; one that meets the server's own at work can't."""
    with psycopg.connect(queue.database.url("postgres"), autocommit=True) as connection:
        connection.execute("vacuum analyze")
    tables = [AI, IMAGE, "assets", "plugin_results"]
    pages = queue.rows("select relallvisible = relpages as marked from pg_class where relname = any (%s)", tables)
    return all(row["marked"] for row in pages)


def _rows_read(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Rows of each table that this connection has read so far, other than from an index alone."""
    connection.execute("select pg_stat_force_next_flush()")
    rows = connection.execute("""select relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
                                 from pg_stat_user_tables where schemaname = 'public'""")
    return dict(rows.fetchall())
