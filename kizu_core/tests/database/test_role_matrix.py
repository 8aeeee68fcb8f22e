"""Row level isolation, from the catalogue: every table and every function by role, so that none can be forgotten.

Each policy is also broken in turn, to know that these looks would notice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from kizu_support.queue import AI, IMAGE, Queue

Row = dict[str, Any]
Users = tuple[UUID, UUID]
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")
FOR_ALL = {"operations", "kizu_models"}
"""Tables without a user that everybody with an account may read."""

FOR_WORKERS = {"kizu_workers", "kizu_selftest_ledger"}
INNER = {
    "schema_version": {"authenticated": {"SELECT"}, "service_role": {"SELECT"}},
    "chores": {"service_role": {"SELECT", "INSERT", "UPDATE"}},
}
"""Tables of Kizu's own schema that anybody but their owner may use."""

APPEND_ONLY = {"corrections"}
"""Tables whose rows nobody changes."""

ASKED = {AI, IMAGE}
"""Tables into which a user may put rows: wishes for work on own photos."""

TABLES = """
select c.oid::regclass::text as name, n.nspname as schema, c.relname as bare, c.relkind as kind,
  c.relrowsecurity as secured,
  exists (select from pg_attribute a where a.attrelid = c.oid and a.attname in ('user_id', 'asset_id')) as personal
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'kizu') and c.relkind in ('r', 'p', 'v', 'm', 'f') order by 1
"""
FUNCTIONS = """
select p.oid, p.proname as name, coalesce(p.proargnames, '{}') as names,
  array(select format_type(t, null) from unnest(p.proargtypes) with ordinality x (t, n) order by n) as types
from pg_proc p where p.pronamespace = 'public'::regnamespace and starts_with(p.proname, 'kizu_') order by 2
"""


def tables(queue: Queue) -> list[Row]:
    return [one for one in queue.rows(TABLES) if one["kind"] in ("r", "p")]


def allowed(queue: Queue, role: str, table: str) -> set[str]:
    """The verbs that a role may use on a table or on some columns of it."""
    found = queue.rows(
        "select v from unnest(%s::text[]) v where has_table_privilege(%s, %s, v) "
        "or (v <> 'DELETE' and has_any_column_privilege(%s, %s, v))",
        [*VERBS],
        role,
        table,
        role,
        table,
    )
    return {row["v"] for row in found}


def wanted(role: str, table: Row) -> set[str]:
    """What the design grants."""
    if table["schema"] == "kizu":
        return INNER.get(table["bare"], {}).get(role, set())
    if role == "service_role":
        return set(VERBS) - ({"UPDATE"} if table["bare"] in APPEND_ONLY else set())
    if role != "authenticated" or table["bare"] in FOR_WORKERS:
        return set()
    return {"SELECT", "INSERT"} if table["bare"] in ASKED else {"SELECT"}


@contextmanager
def acting(queue: Queue, user: UUID) -> Iterator[psycopg.Connection[Any]]:
    """As a user, with nothing kept: what goes through is rolled back."""
    with queue.database.transaction(user) as connection, connection.transaction(force_rollback=True):
        yield connection


def leaks(queue: Queue, a: UUID, b: UUID) -> list[str]:
    """Ways in which A sees too much, or too little, of a table."""
    found = []
    with acting(queue, a) as connection:
        for table in [one for one in tables(queue) if one["schema"] == "public"]:
            if table["bare"] in FOR_WORKERS:
                continue
            name = sql.Identifier(table["bare"])
            rows = connection.execute(sql.SQL("select t::text from {} t").format(name)).fetchall()
            if any(str(b) in row[0] for row in rows):
                found.append(f"{table['bare']}: a row of B")
            elif len(rows) != 1 and table["bare"] not in FOR_ALL:
                found.append(f"{table['bare']}: {len(rows)} rows instead of A's one")
    return found


def everything_of(queue: Queue, user: UUID) -> dict[str, list[str]]:
    """Each row that names the user or one of the user's photos, as text."""
    ids = [str(user), *(str(row["id"]) for row in queue.rows("select id from assets where user_id = %s", user))]
    found = {}
    for table in tables(queue):
        rows = queue.rows(f"select t::text as text from {table['name']} t order by 1")
        found[table["name"]] = [row["text"] for row in rows if any(one in row["text"] for one in ids)]
    return found


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "kizu_api", "kizu_worker", "public"])
def test_each_role_may_do_with_each_table_what_the_design_grants(queue: Queue, role: str) -> None:
    for table in queue.rows(TABLES):
        if table["kind"] not in ("r", "p"):
            continue
        assert allowed(queue, role, table["name"]) == wanted(role, table), (role, table["name"])


def test_views_do_not_look_behind_the_policies(queue: Queue) -> None:
    views = queue.rows("""
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'kizu') and c.relkind in ('v', 'm')
          and not coalesce(c.reloptions::text like '%security_invoker=true%', false)""")
    assert views == []


def test_a_fresh_user_table_can_not_be_forgotten(queue: Queue, users: Users) -> None:
    """Every table that names users or photos is secured and has rows of both, so the looks below mean something."""
    there = everything_of(queue, users[1])
    for table in [one for one in tables(queue) if one["personal"] and one["bare"] not in FOR_WORKERS]:
        assert table["secured"], table["name"]
        assert there[table["name"]], f"{table['name']} has no row of B: add one to fill()"


def test_a_sees_own_rows_and_nothing_of_b(queue: Queue, users: Users) -> None:
    assert leaks(queue, *users) == []
    assert leaks(queue, *reversed(users)) == []


def test_broken_policies_are_noticed(queue: Queue, users: Users) -> None:
    policies = queue.rows("select tablename from pg_policies where schemaname = 'public' and policyname = 'kizu_own'")
    personal = [row["tablename"] for row in policies if row["tablename"] not in FOR_ALL]
    assert len(personal) >= 16
    for table in personal:
        before = queue.rows("select qual from pg_policies where policyname = 'kizu_own' and tablename = %s", table)
        for broken in ("true", "false"):
            queue.run(f"alter policy kizu_own on {table} using ({broken})")
            assert any(one.startswith(f"{table}:") for one in leaks(queue, *users)), (table, broken)
        queue.run(f"alter policy kizu_own on {table} using ({before[0]['qual']})")
    assert leaks(queue, *users) == []


def test_a_changes_nothing_of_b(queue: Queue, users: Users) -> None:
    a, b = users
    before = everything_of(queue, b)
    for table in [one for one in tables(queue) if one["schema"] == "public"]:
        name = sql.Identifier(table["bare"])
        copy = sql.SQL("insert into {0} select * from {0}").format(name)
        for statement in (
            sql.SQL("update {} t set {} = {}").format(name, *[sql.Identifier(first_column(queue, table["bare"]))] * 2),
            sql.SQL("delete from {}").format(name),
            sql.SQL("truncate {}").format(name),
            copy,
        ):
            with pytest.raises(psycopg.Error), queue.database.transaction(a) as connection:
                connection.execute(statement)
    assert everything_of(queue, b) == before


def test_a_asks_for_nothing_of_b(queue: Queue, users: Users) -> None:
    a, b = users
    of_b = queue.rows("select id from assets where user_id = %s", b)[0]["id"]
    before = everything_of(queue, b)
    for table in sorted(ASKED):
        for user, asset in ((b, of_b), (a, of_b), (b, None)):
            ask = f"insert into {table} (user_id, asset_id) values (%s, %s)".encode()
            with pytest.raises(psycopg.errors.InsufficientPrivilege), queue.database.transaction(a) as connection:
                connection.execute(ask, (user, asset))
    assert everything_of(queue, b) == before


@pytest.mark.parametrize("role", ["anon", "kizu_api", "kizu_worker"])
def test_no_function_without_a_role(queue: Queue, role: str) -> None:
    """`anon`, and the accounts themselves before they become a role, call nothing."""
    for function in queue.rows(FUNCTIONS):
        may = queue.rows("select has_function_privilege(%s, %s::oid, 'execute') as may", role, function["oid"])
        assert not may[0]["may"], (role, function["name"])


def test_functions_give_a_nothing_of_b(queue: Queue, users: Users) -> None:
    """A calls every function with B's ids wherever an id fits; refused, or answered without B and without an effect."""
    a, b = users
    ids = [str(b), *(str(row["id"]) for row in queue.rows("select id from assets where user_id = %s", b))]
    jobs = queue.rows(f"select id from {AI} where user_id = %s", b)
    before = everything_of(queue, b)
    answered = set()
    for function in queue.rows(FUNCTIONS):
        for target in (b, UUID(ids[1]), jobs[0]["id"]):
            answer = call_with(queue, a, function, target)
            if answer is not None:
                answered.add(function["name"])
                assert not any(one in answer for one in ids), function["name"]
    assert {"kizu_assets", "kizu_search", "kizu_spaces", "kizu_status"} <= answered
    assert everything_of(queue, b) == before


def call_with(queue: Queue, user: UUID, function: Row, target: UUID) -> str | None:
    """The answer as text; None if it was refused."""
    values = {
        "uuid": str(target),
        "uuid[]": [str(target)],
        "text": AI,
        "text[]": ["ocr"],
        "jsonb": '{"text": "hello"}' if function["name"] == "kizu_search" else "{}",
        "json": "{}",
        "integer": 10,
        "smallint": 10,
        "bigint": 10,
        "real": 1.0,
        "real[]": [1.0, 2.0],
        "double precision": 1.0,
        "boolean": True,
        "timestamp with time zone": "2020-01-01",
        "date": "2020-01-01",
    }
    arguments = [values[kind] for kind in function["types"]]
    marks = ", ".join(f"%s::{kind}" for kind in function["types"])
    try:
        with queue.database.transaction(user) as connection:
            rows = connection.execute(f"select {function['name']}({marks})::text".encode(), arguments).fetchall()
    except psycopg.Error:
        return None
    return " ".join(str(row[0]) for row in rows)


def first_column(queue: Queue, table: str) -> str:
    rows = queue.rows(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum = 1 and not attisdropped", table
    )
    return str(rows[0]["attname"])


def test_a_job_for_bs_photo_never_reaches_a_worker(queue: Queue, users: Users) -> None:
    """Written past every rule, as a hostile client of an open database could."""
    a, b = users
    of_b = queue.rows("select id from assets where user_id = %s", b)[0]["id"]
    queue.run(f"delete from {AI}")
    queue.run(f"delete from {IMAGE}")
    forged = [uuid4(), uuid4()]
    for table, job in zip((AI, IMAGE), forged, strict=True):
        queue.run(f"insert into {table} (id, user_id, asset_id) values (%s, %s, %s)", job, a, of_b)
    queue.call("worker_hello", worker="w", info={}, can=["ocr", "optimize"])
    assert queue.claim("ocr") == [] == queue.claim("optimize", table=IMAGE)
    for table, job in zip((AI, IMAGE), forged, strict=True):
        row = queue.job(job, table)
        assert (row["status"], row["outcome"]) == ("failed", "invalid")
