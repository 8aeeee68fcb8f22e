"""Before the database gets a new schema there is a backup of it; without one, nothing changes."""

from __future__ import annotations

from pathlib import Path

import psycopg

from kizu_core.database import open_database
from kizu_core.database.backup import examine
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.settings import Paths
from kizu_support.embedded import Client, in_namespace, settings_for

PHOTO = "insert into assets (user_id, sha256) values (gen_random_uuid(), 'x')"
OLDER = (
    "update kizu.schema_version set checksum = 'older' where version = (select max(version) from kizu.schema_version)"
)
IS_OLDER = "select count(*) from kizu.schema_version where checksum = 'older'"


def run(home: Path, *statements: str) -> None:
    with Embedded(Paths(home)) as server, psycopg.connect(server.urls().owner) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def is_older(home: Path) -> bool:
    with Embedded(Paths(home)) as server, psycopg.connect(server.urls().owner) as connection:
        return connection.execute(IS_OLDER.encode()).fetchone() == (1,)


def backups(home: Path) -> list[Path]:
    return sorted((home / "backups").glob("*.dump"))


def test_the_last_three_are_kept(library_home: Path) -> None:
    run(library_home, PHOTO)
    (library_home / "backups").mkdir(mode=0o700)
    by_hand = library_home / "backups" / "kizu-20200101-000000.dump"
    by_hand.touch()
    said: list[str] = []
    for _ in range(4):
        run(library_home, OLDER)
        with open_database(settings_for(library_home), said.append):
            pass
    found = [path for path in backups(library_home) if path != by_hand]
    assert by_hand.exists()
    assert len(found) == 3
    assert all(examine(path) for path in found)
    assert "The database is brought to a new version; a backup comes first." in said
    assert not is_older(library_home)


def test_none_of_an_empty_library_and_none_without_a_new_schema(library_home: Path) -> None:
    run(library_home, OLDER)
    with open_database(settings_for(library_home)):
        pass
    assert not is_older(library_home)
    run(library_home, PHOTO)
    with open_database(settings_for(library_home)):
        pass
    assert backups(library_home) == []


def test_without_space_for_it_nothing_changes(library_home: Path) -> None:
    run(library_home, PHOTO, OLDER)
    (library_home / "backups").mkdir(mode=0o700)
    said = in_namespace(f"mount -t tmpfs -o size=20k tmpfs '{library_home}/backups'", library_home)
    assert said.startswith("DiskFull: There is no space for the backup that comes before a new version of the database")
    assert said.endswith("so nothing was changed.")
    assert is_older(library_home)


def test_processes_that_start_together_make_one(library_home: Path) -> None:
    run(library_home, PHOTO, OLDER)
    clients = [Client(library_home, migrated=True) for _ in range(3)]
    assert "" not in [client.url() for client in clients]
    assert [client.leave() for client in clients] == [0, 0, 0]
    assert len(backups(library_home)) == 1
