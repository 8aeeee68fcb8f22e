"""The runner of migrations: once, in order, together, and never half."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from pytest_mock import MockerFixture

from kizu_core.database import migrate as module
from kizu_core.database.migrate import Migration, migrate, migrations, schema_version
from kizu_core.errors import DatabaseError, DatabaseUnavailable, SchemaMismatch
from kizu_support.postgres import KizuDatabase, Postgres

ALL = [f"{one.version}_{one.name}" for one in migrations()]


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[KizuDatabase]:
    """A database with the extensions and nothing else."""
    database = postgres.create("kizu_empty", extensions=True)
    yield database
    postgres.drop(database)


def rows(database: KizuDatabase, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.owner) as connection:
        return connection.execute(query.encode()).fetchall()


def fake(number: int, text: str) -> Migration:
    return Migration(f"{number:014}", f"step{number}", text, f"{hash(text):x}")


def use(mocker: MockerFixture, *added: Migration) -> None:
    """Let this version of Kizu have further migrations after the real ones."""
    mocker.patch.object(module, "migrations", return_value=(*migrations(), *added))


def test_fresh_database(empty: KizuDatabase) -> None:
    assert schema_version(empty.owner) is None
    assert migrate(empty.owner) == ALL
    assert schema_version(empty.owner) == migrations()[-1].version
    recorded = rows(
        empty, "select version || '_' || name from kizu.schema_version where checksum is not null order by 1"
    )
    assert [name for (name,) in recorded] == ALL
    assert migrate(empty.owner) == []


def test_eight_at_once(empty: KizuDatabase) -> None:
    with ThreadPoolExecutor(8) as pool:
        ran = list(pool.map(lambda _: migrate(empty.owner), range(8)))
    assert sorted(name for names in ran for name in names) == ALL


def test_applied_by_another_tool(kizu_database: KizuDatabase) -> None:
    """The Supabase CLI runs the same files; they record themselves, without a checksum."""
    assert rows(kizu_database, "select count(*) from kizu.schema_version where checksum is not null") == [(0,)]
    assert migrate(kizu_database.owner) == []


def test_newer_schema_is_refused(kizu_database: KizuDatabase) -> None:
    with psycopg.connect(kizu_database.owner) as connection:
        connection.execute("insert into kizu.schema_version (version, name) values ('20991231000000', 'future')")
    with pytest.raises(SchemaMismatch, match=r"newer Kizu \(20991231000000\)") as caught:
        migrate(kizu_database.owner)
    assert caught.value.hint


def test_changed_file_runs_again_with_all_that_follow(kizu_database: KizuDatabase, mocker: MockerFixture) -> None:
    first = fake(20990101000000, "create or replace function kizu_word() returns text language sql return 'old'")
    second = fake(20990102000000, "create or replace function kizu_word() returns text language sql return 'new'")
    use(mocker, first, second)
    assert migrate(kizu_database.owner) == ["20990101000000_step20990101000000", "20990102000000_step20990102000000"]
    use(mocker, Migration(first.version, first.name, first.text, "changed"), second)
    assert migrate(kizu_database.owner) == ["20990101000000_step20990101000000", "20990102000000_step20990102000000"]
    assert rows(kizu_database, "select kizu_word()") == [("new",)]


def test_broken_file_leaves_nothing(kizu_database: KizuDatabase, mocker: MockerFixture) -> None:
    use(
        mocker,
        fake(20990101000000, "create table whole ()"),
        fake(20990102000000, "create table half (); select 1 / 0"),
    )
    with pytest.raises(DatabaseError, match="the migration step20990102000000: division by zero"):
        migrate(kizu_database.owner)
    assert rows(kizu_database, "select to_regclass('whole') is null, to_regclass('half') is null") == [(False, True)]
    assert schema_version(kizu_database.owner) == "20990101000000"


def test_a_table_in_use_is_not_waited_for_in_vain(kizu_database: KizuDatabase, mocker: MockerFixture) -> None:
    mocker.patch.object(module, "LOCK_TIMEOUT", "100ms")
    use(mocker, fake(20990101000000, "alter table assets add column extra int"))
    with psycopg.connect(kizu_database.owner) as holder:
        holder.execute("select * from assets")
        with pytest.raises(DatabaseUnavailable, match="holds a table"):
            migrate(kizu_database.owner)
    assert migrate(kizu_database.owner) == ["20990101000000_step20990101000000"]


def test_tables_of_others_keep_their_rules_unless_asked(empty: KizuDatabase) -> None:
    with psycopg.connect(empty.owner) as connection:
        connection.execute("create table profiles (id uuid primary key default gen_random_uuid())")
    protected = "select relrowsecurity from pg_class where oid = 'public.profiles'::regclass"
    migrate(empty.owner)
    assert rows(empty, protected) == [(False,)]
    assert migrate(empty.owner, with_policies=True) == ALL
    assert rows(empty, protected) == [(True,)]
    assert migrate(empty.owner) == []
