"""A database address that is wrong, in every way it can be: one sentence, the next step, never the password."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from kizu_core.database import open_database
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.errors import DatabaseError, DatabaseUnavailable
from kizu_core.settings import Paths, load_settings
from kizu_support.postgres import KizuDatabase, Postgres

SECRET = "hunter2secret"


@contextmanager
def listener(answer: bytes | None) -> Iterator[int]:
    """A TCP port on which something answers `answer`, or accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                kept.append(connection)
                if answer is not None:
                    connection.recv(1024)
                    connection.sendall(answer)
                    connection.close()

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for connection in kept:
            connection.close()


def refusal(home: Path, url: str) -> DatabaseError:
    settings = load_settings({"home": home, "database_url": url}, environ={})
    with pytest.raises(DatabaseError) as caught, open_database(settings):
        pass
    error = caught.value
    assert error.hint
    assert SECRET not in f"{error.message} {error.hint} {error!r}"
    assert "\n" not in error.message
    assert error.__cause__ is None or SECRET not in str(error.__cause__)
    return error


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"postgresql://me:{SECRET}@nowhere.invalid/photos", "at nowhere.invalid/photos: its host name is unknown"),
        (f"postgresql://me:{SECRET}@127.0.0.1:1/photos", "at 127.0.0.1:1/photos: nothing answers there"),
        (f"postgresql://me:{SECRET}@/photos?host=/nowhere", "at /nowhere/.s.PGSQL.5432: nothing answers there"),
        (f"http://me:{SECRET}@127.0.0.1/photos", "not a PostgreSQL URL"),
        (f"postgresql://me:{SECRET}@127.0.0.1:port/photos", "the connection failed"),
        (f"host=127.0.0.1 port=1 password={SECRET}", "nothing answers there"),
        ("just some words", "not a PostgreSQL URL"),
    ],
)
def test_wrong_address(tmp_path: Path, url: str, words: str) -> None:
    error = refusal(tmp_path / "home", url)
    assert words in error.message
    assert not (tmp_path / "home").exists()
    assert "KIZU_DATABASE_URL" in (error.hint or "")


def test_something_else_answers(tmp_path: Path) -> None:
    with listener(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        error = refusal(tmp_path / "home", f"postgresql://me:{SECRET}@127.0.0.1:{port}/photos")
    assert "what answers is not PostgreSQL" in error.message
    assert type(error) is DatabaseError


def test_nobody_says_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kizu_core.database.direct.CONNECT_TIMEOUT_S", 2)
    with listener(None) as port:
        error = refusal(tmp_path / "home", f"postgresql://me:{SECRET}@127.0.0.1:{port}/photos")
    assert "it does not answer in time" in error.message
    assert type(error) is DatabaseUnavailable


def test_wrong_password_and_wrong_database(library_home: Path) -> None:
    with Embedded(Paths(library_home)) as server:
        url = server.urls().owner
        password = url.split(":")[2].split("@")[0]
        wrong = refusal(library_home, url.replace(password, SECRET))
        assert "does not accept the user or the password" in wrong.message
        absent = refusal(library_home, url.replace("/kizu?", "/photos?"))
        assert "does not let this user in" in absent.message


def test_database_that_does_not_exist(tmp_path: Path, kizu_database: KizuDatabase) -> None:
    error = refusal(tmp_path / "home", kizu_database.owner.replace(kizu_database.name, "photos"))
    assert "the database does not exist there" in error.message


def test_user_that_may_not_make_extensions(tmp_path: Path, postgres: Postgres) -> None:
    bare = postgres.create("kizu_bare")
    error = refusal(tmp_path / "home", bare.owner)
    assert "lacks an extension" in error.message
    assert "create extension vector" in (error.hint or "")
    postgres.drop(bare)


def test_database_of_ones_own(tmp_path: Path, kizu_database: KizuDatabase) -> None:
    """A superuser's URL: the same role migrates, works and answers users."""
    url = kizu_database.url("postgres")
    settings = load_settings({"home": tmp_path / "home", "database_url": url}, environ={})
    with open_database(settings) as database:
        user = database.worker.ensure_user("anna")
        assert database.api.my_status(user)["assets"]["images"] == 0
        assert database.embedded is None
        database.revive()
    assert not (tmp_path / "home").exists()
