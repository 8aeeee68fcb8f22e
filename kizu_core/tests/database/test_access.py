"""Who sees and may do what: one user's rows are never another's, and nothing is for everybody."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from kizu_support.queue import AI, IMAGE, Queue, done

OWNED = [
    "profiles", "contacts", "assets", "library_roots", "asset_files", AI, IMAGE, "image_embeddings", "face_clusters",
    "face_embeddings", "detected_objects", "extracted_text", "image_descriptions", "plugin_results", "moments",
    "moment_assets", "moment_history", "moment_blocks", "corrections", "face_rules", "face_centroids", "face_reviews",
]  # fmt: skip
USER_FUNCTIONS = {
    "kizu_schema_version", "kizu_enqueue", "kizu_status", "kizu_assets", "kizu_asset", "kizu_search",
    "kizu_spaces", "kizu_vocabulary", "kizu_models_known", "kizu_jobs", "kizu_job", "kizu_job_causes", "kizu_roots",
    "kizu_people", "kizu_person", "kizu_faces", "kizu_people_review", "kizu_corrections", "kizu_view_people",
    "kizu_view_names", "kizu_view_photos", "kizu_view_faces", "kizu_view_vectors", "kizu_view_facts",
    "kizu_moments", "kizu_moment", "kizu_moments_state", "kizu_moment_blocks",
}  # fmt: skip


def count(queue: Queue, table: str, user: UUID | None, role: str | None = None) -> int:
    with queue.database.transaction(user, role=role) as connection:
        row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
        return int(row[0]) if row else 0


@pytest.mark.parametrize("table", OWNED)
def test_a_user_sees_own_rows_only(queue: Queue, users: tuple[UUID, UUID], table: str) -> None:
    assert [count(queue, table, user) for user in users] == [1, 1]
    assert count(queue, table, uuid4()) == 0
    assert count(queue, table, None) == 2  # a worker
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        count(queue, table, None, "anon")
    column = {"profiles": "display_name", "moment_assets": "display_order"}.get(table, "user_id")
    for statement in (f"update {table} set {column} = null", f"delete from {table}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), queue.database.transaction(users[0]) as connection:
            connection.execute(statement.encode())


def test_every_table_is_protected(queue: Queue) -> None:
    tables = queue.rows("""select relname as name, relrowsecurity as flag from pg_class
                           where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')""")
    assert {row["name"] for row in tables} >= {*OWNED, "operations", "kizu_workers"}
    assert all(row["flag"] for row in tables)


def test_functions_are_for_named_roles_only(queue: Queue) -> None:
    mine = "p.pronamespace in ('public'::regnamespace, 'kizu'::regnamespace)"
    functions = queue.rows(f"""
        select n.nspname as schema, p.proname as name, p.prosecdef as definer, p.proconfig as config,
          a.grantee::regrole::text as role
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
          aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        where {mine}""")
    assert {row["role"] for row in functions} <= {"kizu_owner", "authenticated", "service_role"}
    for_users = {row["name"] for row in functions if row["role"] == "authenticated" and row["schema"] == "public"}
    assert for_users == USER_FUNCTIONS
    assert {row["name"] for row in functions if row["definer"]} <= {"kizu_search"}
    assert all(any(one.startswith("search_path=") for one in row["config"] or []) for row in functions)
    names = [row["proname"] for row in queue.rows("select proname from pg_proc p where " + mine)]
    assert len(names) == len(set(names)), "overloads can't be called by name over REST"


def test_a_new_function_of_the_owner_is_nobodys(queue: Queue) -> None:
    with queue.database.transaction(role="kizu_owner") as connection:
        connection.execute("create function public.kizu_forgotten() returns int language sql as 'select 1'")
    for role in ("anon", "authenticated", "service_role"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), queue.database.transaction(role=role) as connection:
            connection.execute("select public.kizu_forgotten()")


def test_roles_have_no_power_of_their_own(queue: Queue) -> None:
    roles = queue.rows("""select rolname from pg_roles
                          where (rolname ~ '^kizu_' or rolname in ('anon', 'authenticated', 'service_role'))
                            and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)""")
    assert roles == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(queue.database.api) as connection:
        connection.execute("set role service_role")


def test_a_user_asks_for_work_on_own_photos(queue: Queue, users: tuple[UUID, UUID]) -> None:
    a, b = users
    photos = {str(row["user_id"]): str(row["id"]) for row in queue.rows("select id, user_id from assets")}

    def ask(table: str = AI, **fields: Any) -> Any:
        return queue.call(
            "enqueue", as_user=a, table=table, jobs=[{"user_id": str(a), "asset_id": photos[str(a)], **fields}]
        )

    first = ask(dedupe_key="k", params={"operations": ["ocr"]})[0]
    assert ask(dedupe_key="k")[0] == {**first, "created": False}
    assert ask(IMAGE, priority=50)[0]["created"]
    (job,) = queue.claim("ocr")
    assert (job["id"], job["user_id"]) == (first["id"], str(a))
    for forged in ({"user_id": str(b)}, {"asset_id": photos[str(b)]}, {"priority": 0}, {"max_attempts": 1000}):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(**forged)


@pytest.mark.parametrize("column", ["status", "claim_order", "lease_token", "todo", "outcome", "attempt"])
def test_a_user_sets_no_state_of_a_job(queue: Queue, users: tuple[UUID, UUID], column: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), queue.database.transaction(users[0]) as connection:
        connection.execute(f"insert into {AI} (user_id, {column}) values ('{users[0]}', null)".encode())


def test_status_is_the_users_own(queue: Queue, users: tuple[UUID, UUID]) -> None:
    queue.photo(users[1])
    queue.call("worker_hello", worker="w", info={"host": "nas"}, can=[])
    mine = queue.call("status", as_user=users[0])
    assert mine["assets"]["images"] == 1
    assert mine["workers"] == []
    assert len(mine["roots"]) == 1
    assert queue.call("status", as_user=users[0], user=users[1])["assets"]["images"] == 0
    assert queue.call("status")["assets"]["images"] == 3


def test_a_worker_acts_without_a_user(queue: Queue) -> None:
    """Workers are not superusers either: their rights come from grants and policies alone."""
    user = queue.user()
    queue.ask(user, queue.photo(user), "ocr")
    (job,) = queue.claim("ocr")
    assert queue.complete(job, done("ocr"), rows={"extracted_text": [{"text": "x"}]}) == "ok"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Café ÉCOLE", "cafe ecole"),
        ("İstanbul", "istanbul"),
        ("Ελλάδα", "ελλαδα"),
        ("Ёлка", "елка"),
        ("ガラス", "ガラス"),
        ("", ""),
    ],
)
def test_folding(queue: Queue, text: str, folded: str) -> None:
    (row,) = queue.rows("select kizu.fold(%s) as text, normalize(%s, NFD) as expected", text, folded)
    assert row["text"] == row["expected"]
