"""TCP: off unless asked for; then with passwords, on this machine unless told otherwise."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from kizu_core.database import open_database
from kizu_core.database.embedded.config import Tcp, access_rules
from kizu_core.database.embedded.launcher import Embedded, Urls
from kizu_core.database.embedded.processes import server_pid
from kizu_core.errors import DatabaseError
from kizu_core.settings import Paths
from kizu_support.embedded import Client, settings_for


@pytest.fixture
def port() -> int:
    """One that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def reachable(library_home: Path, port: int) -> Iterator[Urls]:
    """URLs of a server that listens."""
    server = Embedded(Paths(library_home))
    server.pin(Tcp("127.0.0.1", port))
    urls = server.tcp_urls()
    assert urls is not None
    yield urls
    server.unpin()


def value(address: str, query: str) -> object:
    with psycopg.connect(address) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def test_off_by_default(library_home: Path) -> None:
    with Embedded(Paths(library_home)) as server:
        assert value(server.urls().worker, "show listen_addresses") == ""
        assert server.tcp_urls() is None


def test_who_gets_in(reachable: Urls, library_home: Path) -> None:
    for role, address in (
        ("kizu_owner", reachable.owner),
        ("kizu_worker", reachable.worker),
        ("kizu_api", reachable.api),
    ):
        assert value(address, "select current_user") == role
    assert value(reachable.owner, "select inet_server_addr()::text") == "127.0.0.1/32"
    assert value(reachable.owner, "show password_encryption") == "scram-sha-256"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(reachable.owner.replace("kizu_owner:", "kizu_owner:x"))
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(reachable.owner.replace(reachable.owner.split(":")[2].split("@")[0], ""), passfile="/dev/null")
    for stranger in ("postgres", "anon", "service_role"):
        with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
            psycopg.connect(reachable.owner.replace("kizu_owner", stranger))
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg.connect(f"{reachable.owner.removesuffix('/kizu')}/postgres")


def test_only_this_machine_unless_told_otherwise(reachable: Urls, library_home: Path) -> None:
    assert value(reachable.owner, "show listen_addresses") == "127.0.0.1"
    assert "samehost" in (library_home / "database" / "pg_hba.conf").read_text()
    assert access_rules(Tcp("0.0.0.0", 5433)).splitlines()[1].split()[3:] == ["all", "scram-sha-256"]  # noqa: S104


def test_another_machine_works_with_the_one_address(reachable: Urls, library_home: Path, tmp_path: Path) -> None:
    """What its Kizu does at a start: migrate, work as a worker, answer as a user."""
    settings = settings_for(tmp_path / "elsewhere", database_url=reachable.owner)
    with open_database(settings) as remote:
        user = remote.worker.ensure_user("anna")
        assert remote.api.my_status(user)["assets"]["images"] == 0
    with open_database(settings_for(library_home)) as local:
        assert local.worker.ensure_user("anna") == user


def test_it_comes_back_as_it_was_until_it_is_stopped(reachable: Urls, library_home: Path) -> None:
    pid = server_pid(library_home.resolve() / "database")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with Embedded(Paths(library_home)) as server:
        assert value(server.urls().worker, "select true") is True
        assert value(reachable.owner, "select true") is True
    assert Embedded(Paths(library_home)).unpin()
    with Embedded(Paths(library_home)) as server:
        assert value(server.urls().worker, "show listen_addresses") == ""
        assert not server.status().pinned


def test_not_under_the_feet_of_others(library_home: Path, port: int) -> None:
    client = Client(library_home)
    url = client.url()
    with pytest.raises(DatabaseError, match="Another Kizu process uses the database"):
        Embedded(Paths(library_home)).pin(Tcp("127.0.0.1", port))
    assert value(url, "select true") is True
    assert client.leave() == 0
    assert not Embedded(Paths(library_home)).status().running


def test_a_port_that_is_taken(library_home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(DatabaseError, match="can't listen at the port"):
            Embedded(Paths(library_home)).pin(Tcp("127.0.0.1", taken.getsockname()[1]))
    with Embedded(Paths(library_home)) as server:
        assert value(server.urls().worker, "select true") is True
