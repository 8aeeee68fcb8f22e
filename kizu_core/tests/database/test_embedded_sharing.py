"""Several processes on one embedded server, and what is left when any of them is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from kizu_core.database import open_database
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.database.embedded.processes import is_alive, server_pid
from kizu_core.settings import Paths
from kizu_support.embedded import Client, settings_for


def pid_of(home: Path) -> int:
    pid = server_pid(home.resolve() / "database")
    assert pid is not None
    return pid


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_last_one_out_stops_the_server(library_home: Path) -> None:
    first, second = Client(library_home), Client(library_home)
    assert first.url() == second.url() != ""
    pid = pid_of(library_home)
    assert first.leave() == 0
    assert pid_of(library_home) == pid
    assert second.leave() == 0
    assert not is_alive(pid)


def test_many_first_starts_make_one_server(tmp_path: Path) -> None:
    clients = [Client(tmp_path / "home") for _ in range(5)]
    assert len({client.url() for client in clients} - {""}) == 1
    pid = pid_of(tmp_path / "home")
    assert [client.leave() for client in clients] == [0] * 5
    assert not is_alive(pid)


def test_killed_client_leaves_the_server_to_the_others(library_home: Path) -> None:
    starter, other = Client(library_home), Client(library_home)
    starter.url(), other.url()
    pid = pid_of(library_home)
    starter.kill()
    assert pid_of(library_home) == pid
    assert other.leave() == 0
    assert not is_alive(pid)


def test_server_of_a_killed_client_is_stopped_by_the_next(library_home: Path) -> None:
    client = Client(library_home)
    client.url()
    pid = pid_of(library_home)
    client.kill()
    assert is_alive(pid)
    with Embedded(Paths(library_home)):
        assert pid_of(library_home) == pid
    assert not is_alive(pid)


def test_killed_server_is_started_again(library_home: Path) -> None:
    said: list[str] = []
    with open_database(settings_for(library_home)) as database:
        user = database.worker.ensure_user("anna")
        pid = pid_of(library_home)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not is_alive(pid))
        again = database.retrying(lambda: database.worker.ensure_user("anna"), on_wait=said.append)
        assert again == user
    assert server_pid(library_home.resolve() / "database") is None


def test_everything_killed(library_home: Path) -> None:
    client = Client(library_home)
    with psycopg.connect(client.url()) as connection:
        connection.execute("set role service_role")
        connection.execute("insert into profiles (display_name) values ('anna')")
    os.kill(pid_of(library_home), signal.SIGKILL)
    client.kill()
    with Embedded(Paths(library_home)) as server, psycopg.connect(server.urls().worker) as connection:
        connection.execute("set role service_role")
        assert connection.execute("select display_name from profiles").fetchall() == [("anna",)]


def test_other_process_meets_the_server_that_came_back(library_home: Path) -> None:
    client = Client(library_home)
    url = client.url()
    pid = pid_of(library_home)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_alive(pid))
    with Embedded(Paths(library_home)):
        assert pid_of(library_home) != pid
        psycopg.connect(url).close()
    assert client.leave() == 0
    assert server_pid(library_home.resolve() / "database") is None


def test_pinned_server_stays(library_home: Path) -> None:
    with Embedded(Paths(library_home)) as server:
        server.pin()
    pid = pid_of(library_home)
    with Embedded(Paths(library_home)) as server:
        assert server.status().pinned
    assert is_alive(pid)
    assert Embedded(Paths(library_home)).unpin()
    assert not is_alive(pid)


def test_unpinning_waits_for_who_uses_it(library_home: Path) -> None:
    client = Client(library_home)
    client.url()
    pid = pid_of(library_home)
    assert not Embedded(Paths(library_home)).unpin()
    assert is_alive(pid)
    client.leave()
    assert not is_alive(pid)


def test_no_terminal_reaches_the_server(library_home: Path) -> None:
    with Embedded(Paths(library_home)):
        pid = pid_of(library_home)
        assert os.getpgid(pid) != os.getpgid(0)
        assert os.getsid(pid) != os.getsid(0)


def test_nobody_inherits_the_lock(library_home: Path) -> None:
    """A server that held the lock of the process that started it would keep itself up for ever."""
    client = Client(library_home)
    client.url()
    with Embedded(Paths(library_home)):
        pass
    pid = pid_of(library_home)
    client.leave()
    assert not is_alive(pid)
