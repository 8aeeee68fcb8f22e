"""A database that an older application made becomes Kizu's without losing a value or a rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from kizu_support.postgres import Postgres, migrate
from kizu_support.queue import AI, IMAGE, Queue, Row, done

OLD = (Path(__file__).parent / "old_schema.sql").read_bytes()
RULES = {
    "grants": """select table_name, grantee, privilege_type from information_schema.role_table_grants
                 where table_schema = 'public' order by 1, 2, 3""",
    "policies": "select * from pg_policies where schemaname = 'public' order by tablename, policyname",
    "flags": """select relname, relrowsecurity, relforcerowsecurity from pg_class
                where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1""",
    "types": """select table_name, column_name, udt_name, is_nullable, column_default from information_schema.columns
                where table_schema = 'public' order by 1, 2""",
}


def snapshot(queue: Queue, tables: list[str]) -> dict[str, list[Row]]:
    return {table: queue.rows(f"select * from {table} order by id::text") for table in tables}


@pytest.fixture
def old(postgres: Postgres) -> Iterator[Queue]:
    """The old database, not migrated."""
    database = postgres.create("kizu_old", extensions=True)
    with psycopg.connect(database.owner) as connection:
        connection.execute(OLD)
    yield Queue(database)
    postgres.drop(database)


@pytest.fixture
def migrated(old: Queue) -> Queue:
    """The old database, migrated."""
    migrate(old.database)
    return old


def test_every_row_and_rule_stays(old: Queue) -> None:
    tables = [row["relname"] for row in old.rows(RULES["flags"])]
    rows, rules = snapshot(old, tables), {name: old.rows(query) for name, query in RULES.items()}
    assert sum(len(one) for one in rows.values()) > 40
    for _ in range(2):
        migrate(old.database)
        for table, before in rows.items():
            after = snapshot(old, [table])[table]
            kept = [{name: row[name] for name in known} for row, known in zip(after, before, strict=True)]
            for row in before:  # the one value that is normalised, in jobs that are still to be done
                if row.get("job_type") == "image_api" and row["status"] in {"pending", "processing"}:
                    row["job_type"] = "image_ai"
            assert kept == before
        for name, query in RULES.items():
            key = "column_name" if name == "types" else None
            before = rules[name]
            known = {(row.get("table_name"), row[key]) for row in before} if key else set()
            after = [
                row
                for row in old.rows(query)
                if (row.get("table_name") or row.get("tablename") or row.get("relname")) in tables
                and (not key or (row["table_name"], row[key]) in known)
            ]
            assert after == before, name


def test_new_tables_beside_them_are_protected(migrated: Queue) -> None:
    flags = {row["relname"]: row["relrowsecurity"] for row in migrated.rows(RULES["flags"])}
    assert flags["plugin_results"]
    assert flags["asset_files"]
    assert not flags["image_processing_jobs"]


def test_waiting_jobs_can_be_claimed(migrated: Queue) -> None:
    jobs = {job["id"][-1]: job for job in migrated.claim("ocr", limit=9)}
    assert set(jobs) == {"1"}
    assert (jobs["1"]["job_type"], jobs["1"]["todo"]) == ("image_ai", ["ocr"])
    migrated.call("worker_hello", worker="w", info={}, can=["ocr", "faces"])
    (job,) = migrated.claim("faces", "ocr", limit=9)
    assert (job["id"][-1], job["todo"]) == ("2", ["faces", "ocr"])
    assert [job["id"][-1] for job in migrated.claim("generate_moments", limit=9)] == ["7"]
    assert [job["id"][-1] for job in migrated.claim("optimize", table=IMAGE, limit=9)] == ["1"]
    assert [job["id"][-1] for job in migrated.claim("video", table=IMAGE, limit=9)] == ["2"]


def test_jobs_that_old_workers_left_are_reaped_after_15_minutes(migrated: Queue) -> None:
    assert migrated.call("reap") == 2
    jobs = {str(row["id"])[-1]: row for row in migrated.rows(f"select * from {AI}")}
    assert (jobs["3"]["status"], jobs["3"]["job_type"], jobs["3"]["todo"]) == ("pending", "image_ai", ["ocr"])
    assert jobs["4"]["status"] == "processing"
    assert {job["id"][-1] for job in migrated.claim("ocr", limit=9)} == {"1", "3"}
    assert {job["id"][-1] for job in migrated.claim("optimize", table=IMAGE, limit=9)} == {"1", "3"}


def test_results_are_cast_to_the_old_types(migrated: Queue) -> None:
    photo = UUID("b0000000-0000-0000-0000-000000000001")
    migrated.ask(UUID("a0000000-0000-0000-0000-000000000000"), photo, "embedding")
    row = {"embedding": [0.25] * 512, "dim": 512, "space": "s", "model": "m", "output_version": "1", "frame_ms": 0}
    (job,) = migrated.claim("embedding")
    assert migrated.complete(job, done("embedding", space="s"), rows={"image_embeddings": [row]}) == "ok"
    stored = migrated.rows(
        "select pg_typeof(embedding)::text as type, space from image_embeddings where asset_id = %s", photo
    )
    assert stored == [{"type": "extensions.vector", "space": "s"}]


def test_old_text_is_folded_for_search(migrated: Queue) -> None:
    assert migrated.rows("select distinct folded from extracted_text") == [{"folded": "cafe"}]


def test_an_old_worker_goes_on_working(migrated: Queue) -> None:
    """The specification's own way: read the first pending row, then update it where it is still pending."""
    claim = f"""update {AI} set status = 'processing', worker_id = 'nas-1', picked_up_at = now()
                where id = (select id from {AI} where status = 'pending' order by created_at limit 1)
                  and status = 'pending'
                returning *"""
    with psycopg.connect(migrated.database.url("postgres"), row_factory=dict_row) as connection:
        job = connection.execute(claim.encode()).fetchone()
    assert job is not None
    assert migrated.call("reap") == 2
    migrated.run(f"update {AI} set status = 'completed', completed_at = now(), progress = 100 where id = %s", job["id"])
    assert migrated.job(job["id"])["status"] == "completed"
    assert migrated.call("status")["jobs"]["ocr"]["running"] == 1


def test_policies_on_request(migrated: Queue) -> None:
    with psycopg.connect(migrated.database.owner) as connection:
        connection.execute("delete from kizu.adopted")
    migrate(migrated.database)
    assert all(row["relrowsecurity"] for row in migrated.rows(RULES["flags"]))
    assert len(migrated.rows("select * from pg_policies where policyname like 'application_%'")) == 4
