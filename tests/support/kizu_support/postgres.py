"""A throw-away PostgreSQL for tests: real server, real roles, a fresh migrated database for each test.

Use from any test folder: put `from kizu_support.postgres import kizu_database, postgres` into its `conftest.py`
(fixtures are found by name there), then take `kizu_database` in a test. It has the URLs of the three roles and a
`transaction` that is what PostgREST and the direct transport do: role and claims first, then the statement.

The server is started once per test process, without durability, in a private folder under the system's temporary
one (socket paths are limited to some 100 characters). The first migrated database serves as template for the others.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow, tuple_row
from psycopg.types.json import Jsonb

from kizu_core.database.embedded.account import Account, account_for
from kizu_core.database.embedded.programs import binaries

Connection = psycopg.Connection[TupleRow]

# What a superuser does once for a server, and what for each database; Kizu itself never needs more than `kizu_owner`.
ROLES = """
    create role anon nologin noinherit;
    create role authenticated nologin noinherit;
    create role service_role nologin noinherit;
    create role kizu_owner login noinherit;
    create role kizu_worker login noinherit;
    create role kizu_api login noinherit;
    grant service_role to kizu_worker;
    grant authenticated, anon to kizu_api;
    grant pg_read_all_stats to service_role with inherit true;
"""
EXTENSIONS = """
    create schema extensions authorization kizu_owner;
    create extension vector schema extensions;
    create extension pg_trgm schema extensions;
"""
TEMPLATE = "kizu_template"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "jit": "off",
}


@dataclass(frozen=True, slots=True)
class KizuDatabase:
    """One migrated database. `url(role)` for any role; `owner`, `worker`, `api` are the three of an installation."""

    socket: Path
    name: str

    def url(self, role: str) -> str:
        """Connection URL of a role; `postgres` is the superuser, for looking behind row level security."""
        return f"postgresql://{role}@/{self.name}?host={quote(str(self.socket))}"

    @property
    def owner(self) -> str:
        return self.url("kizu_owner")

    @property
    def worker(self) -> str:
        return self.url("kizu_worker")

    @property
    def api(self) -> str:
        return self.url("kizu_api")

    @contextmanager
    def transaction(
        self, user: UUID | None = None, *, role: str | None = None
    ) -> Iterator[psycopg.Connection[TupleRow]]:
        """A transaction as a worker (no user), as a user, or as another role (`anon`, `postgres`, `kizu_owner`)."""
        role = role or ("authenticated" if user else "service_role")
        login = {"service_role": "kizu_worker", "authenticated": "kizu_api", "anon": "kizu_api"}.get(role, role)
        with psycopg.connect(self.url(login), row_factory=tuple_row) as connection:
            connection.execute("select set_config('role', %s, true)", (role,))
            claims = json.dumps({"role": role, "sub": str(user)} if user else {"role": role})
            connection.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
            yield connection


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server and the way to make databases on it."""

    socket: Path

    def create(self, name: str, *, template: str = "template1", extensions: bool = False) -> KizuDatabase:
        """A new database that belongs to `kizu_owner`."""
        with psycopg.connect(KizuDatabase(self.socket, "postgres").url("postgres"), autocommit=True) as connection:
            make = sql.SQL("create database {} template {} owner kizu_owner")
            connection.execute(make.format(sql.Identifier(name), sql.Identifier(template)))
        database = KizuDatabase(self.socket, name)
        if extensions:
            with psycopg.connect(database.url("postgres")) as connection:
                connection.execute(EXTENSIONS)
        return database

    def drop(self, database: KizuDatabase) -> None:
        """Remove a database, whoever is still connected."""
        with psycopg.connect(KizuDatabase(self.socket, "postgres").url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} (force)").format(sql.Identifier(database.name)))


def migrations() -> list[Path]:
    """The migration files in the order in which they apply."""
    folder = Path(str(files("kizu_core.database") / "migrations"))
    return sorted(folder.glob("*.sql"))


def migrate(database: KizuDatabase) -> None:
    """Run every migration as the owner, each in one transaction, as the Supabase CLI does."""
    for path in migrations():
        with psycopg.connect(database.owner) as connection:
            connection.execute(path.read_bytes())


def call(connection: Connection, function: str, /, **arguments: Any) -> Any:
    """Call a `kizu_*` function with named arguments, dicts and lists of dicts as jsonb; returns its one value."""
    named = sql.SQL(", ").join(sql.SQL("{} => {}").format(sql.Identifier(k), sql.Placeholder(k)) for k in arguments)
    query = sql.SQL("select public.{}({})").format(sql.Identifier(function), named)
    row = connection.execute(query, {key: _as_json(value) for key, value in arguments.items()}).fetchone()
    return row[0] if row else None


def _as_json(value: Any) -> Any:
    is_json = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict) for one in value))
    return Jsonb(value) if is_json else value


def _run(account: Account, program: str, *arguments: str) -> None:
    command = [*account.prefix, str(binaries() / program), *arguments]
    done = subprocess.run(command, text=True, capture_output=True, cwd="/", **account.popen_options())
    if done.returncode:
        pytest.fail(f"{program} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the test process, with Kizu's roles and a migrated template database."""
    home = Path(tempfile.mkdtemp(prefix="kizu-"))
    data = home / "data"
    account = account_for(home, data)
    _run(account, "initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync",
         "--locale-provider=builtin", "--locale=C.UTF-8")  # fmt: skip
    options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
    _run(account, "pg_ctl", "-D", str(data), "-w", "-l", str(home / "log"), "-o", f"{options} -k '{home}'", "start")
    try:
        server = Postgres(home)
        with psycopg.connect(KizuDatabase(home, "postgres").url("postgres")) as connection:
            connection.execute(ROLES)
        migrate(server.create(TEMPLATE, extensions=True))
        yield server
    finally:
        _run(account, "pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(home, ignore_errors=True)


_numbers = count(1)


@pytest.fixture
def kizu_database(postgres: Postgres) -> Iterator[KizuDatabase]:
    """A fresh, migrated, empty database."""
    database = postgres.create(f"kizu_{next(_numbers)}", template=TEMPLATE)
    yield database
    postgres.drop(database)


@pytest.fixture(scope="session")
def shared_database(postgres: Postgres) -> Iterator[KizuDatabase]:
    """A migrated database that all tests of a process share: for tests that look at users of their own only."""
    database = postgres.create("kizu_shared", template=TEMPLATE)
    yield database
    postgres.drop(database)
