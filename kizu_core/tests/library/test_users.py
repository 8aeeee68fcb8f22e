"""Users: names that can be told apart, and a deletion after which nothing of a person is left anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from kizu_core.blobs.local import LocalBlobs
from kizu_core.database import Database, OpenDatabase
from kizu_core.database.direct import DirectTransport
from kizu_core.errors import LibraryError, StorageError
from kizu_core.library.alone import alone
from kizu_core.library.users import LONGEST_NAME, Users, checked_name
from kizu_core.settings import Paths
from kizu_support.library import Library, draw, tree_hash
from kizu_support.postgres import KizuDatabase, kizu_database

__all__ = ["kizu_database"]

SAMPLES: dict[str, Callable[[], object]] = {
    "uuid": uuid4,
    "text": lambda: "x",
    "jsonb": lambda: "{}",
    "halfvec": lambda: "[1,0,0]",
    "vector": lambda: "[1,0,0]",
    "bool": lambda: False,
    "float4": lambda: 0.5,
    "int4": lambda: 1,
    "int8": lambda: 1,
    "timestamptz": lambda: "2026-01-01",
}
"""Type -> a value for a column that has to have one."""

Own = tuple[Users, Database]

PERSON = ("cluster_id", "person_id", "a", "b")
OWNERS = ("user_id", "asset_id", "root_id", "moment_id", *PERSON)


@pytest.fixture
def users(library: Library, tmp_path: Path) -> Users:
    return Users(library.opened, LocalBlobs(tmp_path / "blobs"), Paths(tmp_path / "home"))


@pytest.fixture
def own(kizu_database: KizuDatabase, tmp_path: Path) -> Iterator[Own]:
    """Users of a database of their own."""
    with closing(Database(DirectTransport(kizu_database.worker))) as worker:
        opened = OpenDatabase(worker, worker, listen_url=kizu_database.worker, embedded=None)
        yield Users(opened, LocalBlobs(tmp_path / "blobs"), Paths(tmp_path / "home")), worker


@pytest.fixture
def names() -> Iterator[str]:
    """Names that nobody else in the shared database has."""
    return (f"user {uuid4().hex}" for _ in range(1000))


def test_names_that_differ_by_case_and_spaces_only_are_one(users: Users, names: Iterator[str]) -> None:
    name = next(names)
    made = users.add(f"  {name} ")
    for same in (name, name.upper(), name.replace(" ", ""), name.replace(" ", "\u00a0 ")):
        with pytest.raises(LibraryError, match="already called"):
            users.add(same)
    other = next(names)
    users.add(other)
    with pytest.raises(LibraryError, match="already called"):
        users.rename(users.find(other), name.title())
    assert users.find(name).id == made


def test_a_command_for_a_known_person_makes_no_double(library: Library, users: Users, names: Iterator[str]) -> None:
    name = next(names)
    ensure = library.opened.worker.ensure_user
    assert {ensure(name), ensure(name.upper()), ensure(f" {name}")} == {users.find(name).id}


def test_a_name_may_change_its_own_capitals(users: Users, names: Iterator[str]) -> None:
    name = next(names)
    users.add(name)
    user = users.find(name)
    assert users.rename(user, name.upper()) == name.upper()
    assert users.find(name.upper()).id == user.id
    with pytest.raises(LibraryError, match="There is no user"):
        users.find(name)


@pytest.mark.parametrize(
    "name", ["", "   ", "a\nb", "\x1b[31mred", "a\u202eb", "a\u200bb", "\ufeff", "a\ud800", "x" * (LONGEST_NAME + 1)]
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(LibraryError):
        checked_name(name)


@pytest.mark.parametrize("name", ["me", "Zoë", "Anna B.", "李", "नीतू", "می\u200cخواهم", "O'Neil; drop table", "👩"])
def test_what_is_a_name(name: str) -> None:
    assert checked_name(f" {name} ") == name


@given(st.text())
def test_any_text_is_a_printable_name_or_refused(text: str) -> None:
    try:
        name = checked_name(text)
    except LibraryError:
        return
    assert name == name.strip()
    assert 0 < len(name) <= LONGEST_NAME
    name.encode()


def test_nothing_is_left_of_a_deleted_user(kizu_database: KizuDatabase, own: Own, tmp_path: Path) -> None:
    with psycopg.connect(kizu_database.url("postgres")) as connection:
        anna, ben = (_with_a_row_everywhere(connection) for _ in range(2))
    blobs, photos = LocalBlobs(tmp_path / "blobs"), tmp_path / "photos"
    users, database = own
    for user, name in ((anna, "Anna"), (ben, "Ben")):
        database.rename_user(user, name)
        for number in range(2):
            picture = draw(photos / f"{number}.jpg")
            blobs.put(f"{user}/processed/{uuid4()}/thumb-0.jpg", picture)
    before, original = _rows_of(kizu_database, ben), tree_hash(photos)
    assert min(before.values()) > 0

    gone = users.delete(users.find("Anna"))

    assert set(_rows_of(kizu_database, anna).values()) == {0}
    assert _rows_of(kizu_database, ben) == before, "somebody else's are all there"
    assert [user.name for user in users.all()] == ["Ben"]
    assert gone["files"] == 2
    assert not [path for path in tmp_path.rglob("*") if str(anna) in str(path)]
    assert len(list((blobs.root / str(ben)).rglob("*.jpg"))) == 2
    assert tree_hash(photos) == original


def test_a_user_whose_photos_are_being_worked_on_is_not_deleted(
    kizu_database: KizuDatabase, own: Own, tmp_path: Path
) -> None:
    users, database = own
    anna = database.ensure_user("Anna")
    with psycopg.connect(kizu_database.url("postgres")) as connection:
        connection.execute("insert into ai_processing_jobs (user_id, todo) values (%s, '{ocr}')", [anna])
        busy = "update ai_processing_jobs set status = 'processing', lease_until = now() + %s::interval"
        connection.execute(busy, ["1 min"])
        connection.commit()
        with pytest.raises(LibraryError, match="in hand"):
            users.delete(users.find("Anna"))
        with alone(Paths(tmp_path / "home"), anna, lambda: None), pytest.raises(LibraryError, match="reading photos"):
            users.delete(users.find("Anna"))
        assert users.counts(users.find("Anna"))["jobs"] == 1
        connection.execute(busy, ["-1 min"])  # its worker died
    assert users.delete(users.find("Anna")) == {"ai_processing_jobs": 1, "profiles": 1}


def test_a_link_in_place_of_the_blobs_is_not_followed(tmp_path: Path) -> None:
    user, elsewhere = uuid4(), tmp_path / "elsewhere"
    draw(elsewhere / "precious.jpg")
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / str(user)).symlink_to(elsewhere)
    with pytest.raises(StorageError, match="link"):
        LocalBlobs(tmp_path / "blobs").remove_user(user)
    (tmp_path / "blobs" / str(user)).unlink()
    (tmp_path / "blobs" / str(user)).mkdir()
    (tmp_path / "blobs" / str(user) / "inside").symlink_to(elsewhere)
    LocalBlobs(tmp_path / "blobs").remove_user(user)
    assert (elsewhere / "precious.jpg").exists()


def _owned(connection: psycopg.Connection[Any]) -> dict[str, set[str]]:
    """Every table that has a column for a person, or for what belongs to one -> those columns."""
    rows = connection.execute(
        "select c.table_schema || '.' || c.table_name, c.column_name from information_schema.columns c"
        " join information_schema.tables t using (table_schema, table_name)"
        " where t.table_type = 'BASE TABLE' and t.table_schema in ('public', 'kizu') and column_name = any (%s)",
        [list(OWNERS)],
    )
    owned: dict[str, set[str]] = {}
    for table, column in rows:
        owned.setdefault(table, set()).add(column)
    return owned


def _with_a_row_everywhere(connection: psycopg.Connection[Any]) -> UUID:
    """A new user who has a row in each of these tables; whoever adds a table gets it tested here."""
    made = connection.execute("insert into profiles default values returning id").fetchone()
    assert made
    owners: dict[str, UUID] = {"user_id": made[0]}
    for table, column in (("assets", "asset_id"), ("library_roots", "root_id"), ("moments", "moment_id")):
        owners[column] = uuid4()
        _insert(connection, f"public.{table}", {"id": owners[column], "user_id": made[0]})
    owners |= dict.fromkeys(PERSON, uuid4())
    _insert(connection, "public.face_clusters", {"id": owners["person_id"], "user_id": made[0]})
    done = {"public.assets", "public.library_roots", "public.moments", "public.face_clusters"}
    for table, columns in _owned(connection).items():
        if table not in done:
            _insert(connection, table, {column: owners[column] for column in columns})
    user: UUID = made[0]
    return user


def _insert(connection: psycopg.Connection[Any], table: str, values: dict[str, Any]) -> None:
    needed = connection.execute(
        "select column_name, udt_name from information_schema.columns where table_schema || '.' || table_name = %s"
        " and is_nullable = 'NO' and column_default is null and is_identity = 'NO' and is_generated = 'NEVER'",
        [table],
    )
    row = {name: SAMPLES[kind]() for name, kind in needed} | values
    query = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier(*table.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join([sql.Placeholder()] * len(row)),
    )
    connection.execute(query, list(row.values()))


def _rows_of(database: KizuDatabase, user: UUID) -> dict[str, int]:
    """Rows by table that name the user, or an asset, folder or moment that is (or was) theirs."""
    counts = {}
    with psycopg.connect(database.url("postgres")) as connection:
        for table, columns in _owned(connection).items():
            theirs = "user_id = %(user)s" if "user_id" in columns else _by_way_of(columns)
            query = f"select count(*) from {table} where {theirs}"
            row = connection.execute(query.encode(), {"user": user}).fetchone()
            assert row
            counts[table] = row[0]
        row = connection.execute("select count(*) from profiles where id = %s", [user]).fetchone()
        assert row
        counts["profiles"] = row[0]
    return counts


def _by_way_of(columns: set[str]) -> str:
    """Rows without a user of their own: whoever owns what they point to, or nobody any more."""
    column = sorted(columns)[0]
    table = {"asset_id": "assets", "moment_id": "moments", "root_id": "library_roots"}[column]
    return f"{column} in (select id from {table} where user_id = %(user)s) or {column} not in (select id from {table})"
