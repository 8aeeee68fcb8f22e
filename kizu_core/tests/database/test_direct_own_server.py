"""A PostgreSQL of the user's own, where Kizu gets a role that may create roles and is no superuser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from kizu_core.database import open_database
from kizu_core.errors import DatabaseError
from kizu_support.embedded import foreign_server, settings_for

PREPARE = """
create schema extensions authorization librarian;
create extension vector schema extensions;
create extension pg_trgm schema extensions;
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """URL of a server of one's own, with places for user and database."""
    folder = tmp_path.resolve() / "own"
    folder.mkdir()
    with foreign_server(folder, folder):
        address = f"postgresql://%s@/%s?host={folder}"
        with psycopg.connect(address % ("postgres", "postgres"), autocommit=True) as connection:
            connection.execute("create role librarian login createrole")
            connection.execute("create database photos owner librarian")
            connection.execute("create database bytes owner librarian encoding 'SQL_ASCII' template template0")
        with psycopg.connect(address % ("postgres", "photos")) as connection:
            connection.execute(PREPARE)
        yield address


def test_one_role_migrates_works_and_answers_users(address: str, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home", database_url=address % ("librarian", "photos"))
    with open_database(settings) as own:
        anna, bert = own.worker.ensure_user("anna"), own.worker.ensure_user("bert")
        assert anna != bert
        assert own.api.my_status(anna)["assets"]["images"] == 0
    wrong = settings_for(tmp_path / "home", database_url=address % ("librarian", "bytes"))
    with pytest.raises(DatabaseError, match="encoding is SQL_ASCII"), open_database(wrong):
        pass
