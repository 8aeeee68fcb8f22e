"""Brings a database to the schema of this version: plain SQL files, run in the order of their names.

Every statement of every file tolerates what is already there. So a file that has not run, or has changed since it
ran, is run, and after it all that follow, for they may redefine what it defines.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg

from kizu_core.database.direct import Connection, connect
from kizu_core.database.trouble import call_error
from kizu_core.errors import DatabaseError, DatabaseUnavailable, SchemaMismatch

LOCK = 0x6B697A75  # "kizu"; held while one file runs, so that processes that start together take turns
LOCK_TIMEOUT = "5s"
NO_EXTENSION = {"0A000", "58P01", "42501"}  # not known to the server, its files missing, only for superusers


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `version` is the number that leads its name."""

    version: str
    name: str
    text: str
    checksum: str


@cache
def migrations() -> tuple[Migration, ...]:
    """The migrations of this version, oldest first."""
    folder = files("kizu_core.database") / "migrations"
    found = sorted((one for one in folder.iterdir() if one.name.endswith(".sql")), key=lambda one: one.name)
    return tuple(_migration(one.name, one.read_text(encoding="utf-8")) for one in found)


def _migration(file_name: str, text: str) -> Migration:
    version, _, name = file_name.removesuffix(".sql").partition("_")
    return Migration(version, name, text, hashlib.sha256(text.encode()).hexdigest())


def migrate(url: str, *, with_policies: bool = False) -> list[str]:
    """Run what is missing and return the names of the files that ran; any number of processes may do it at once.

    `url` is of a role that may create. `with_policies` also gives Kizu's grants and row level security to tables
    that were there before Kizu. Raises `SchemaMismatch` when the database belongs to a newer version.
    """
    ran = _run_pending(url)
    if with_policies:
        _disown(url)
        ran += _run_pending(url)
    return list(dict.fromkeys(ran))


def schema_version(url: str) -> str | None:
    """Newest migration that the database has, or None for a database without Kizu."""
    with connect(url, autocommit=True) as connection:
        return max(_applied(connection), default=None)


def is_behind(url: str) -> bool:
    """Whether the database has an older schema of Kizu's. Raises `SchemaMismatch` for a newer one."""
    with connect(url, autocommit=True) as connection:
        applied = _applied(connection)
        return bool(applied) and _first_due(applied) is not None


def _run_pending(url: str) -> list[str]:
    ran = []
    with connect(url) as connection:
        _refuse_encoding(connection)
        while (name := _run_next(connection)) is not None:
            ran.append(name)
    return ran


def _refuse_encoding(connection: Connection) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseError(
            f"The database's encoding is {encoding}, which can't hold every text.",
            hint="Create one with: create database photos encoding 'UTF8' template template0;",
        )


def _run_next(connection: Connection) -> str | None:
    """Run the first file that is due, in one transaction; its name, or None when the schema is complete."""
    due: Migration | None = None
    try:
        with connection.transaction():
            _wait_at_most(connection, "0")
            connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
            due = _first_due(_applied(connection))
            if due is None:
                return None
            _wait_at_most(connection, LOCK_TIMEOUT)
            connection.execute(due.text.encode(), prepare=False)
            _record(connection, due)
    except psycopg.errors.LockNotAvailable:
        raise DatabaseUnavailable(
            "Another program holds a table that the new schema changes.", hint="Close it, then run `kizu db migrate`."
        ) from None
    except psycopg.Error as error:
        raise _failed(error, due) from error
    return f"{due.version}_{due.name}"


def _wait_at_most(connection: Connection, time: str) -> None:
    """How long a lock may take in this transaction; the work itself takes what it takes."""
    settings = "select set_config('lock_timeout', %s, true), set_config('statement_timeout', '0', true)"
    connection.execute(settings, [time])


def _failed(error: psycopg.Error, due: Migration | None) -> Exception:
    known = call_error(error, f"the migration {due.name}" if due else "a look at its schema")
    if error.sqlstate in NO_EXTENSION and "extension" in str(error):
        return DatabaseError(
            "The database lacks an extension that Kizu needs, and this user can't create it.",
            hint="Install pgvector for that PostgreSQL; then, as its superuser: create schema extensions; "
            "create extension vector schema extensions; create extension pg_trgm schema extensions;",
        )
    return known


def _applied(connection: Connection) -> dict[str, str | None]:
    """Version -> checksum of the migrations that the database has; None where another tool applied it."""
    if connection.execute("select to_regclass('kizu.schema_version') is null").fetchone() == (True,):
        return {}
    rows: list[tuple[Any, ...]] = connection.execute("select version, checksum from kizu.schema_version").fetchall()
    return dict(rows)


def _first_due(applied: dict[str, str | None]) -> Migration | None:
    newer = set(applied) - {one.version for one in migrations()}
    if newer:
        raise SchemaMismatch(
            f"The database has the schema of a newer Kizu ({max(newer)}).",
            hint="Update Kizu on this machine.",
        )
    return next((one for one in migrations() if applied.get(one.version, "") not in {None, one.checksum}), None)


def _record(connection: Connection, done: Migration) -> None:
    connection.execute("delete from kizu.schema_version where version > %s", [done.version])
    connection.execute(
        "insert into kizu.schema_version (version, name, checksum) values (%s, %s, %s) "
        "on conflict (version) do update set checksum = excluded.checksum, applied_at = now()",
        [done.version, done.name, done.checksum],
    )


def _disown(url: str) -> None:
    """Forget which tables were there before Kizu, so that the next run treats them as its own."""
    with connect(url) as connection:
        connection.execute("delete from kizu.adopted")
        connection.execute("delete from kizu.schema_version")
