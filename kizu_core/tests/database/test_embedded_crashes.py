"""A killed server with much to repair: the start waits and says so, and no committed row is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest

from kizu_core.database.embedded.launcher import Embedded
from kizu_core.database.embedded.processes import server_pid
from kizu_core.settings import Paths
from kizu_support.embedded import Client

# How much of its log the server has to replay. 1024 was tried, too: see docs/architecture.md.
LOG_MB = int(os.environ.get("KIZU_TEST_LOG_MB", "48"))


def kill_server(home: Path) -> None:
    pid = server_pid(home.resolve() / "database")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def count(home: Path) -> int:
    with Embedded(Paths(home)) as server, psycopg.connect(server.urls().owner) as connection:
        row = connection.execute("select count(*) from filler").fetchone()
    assert row is not None
    return int(row[0])


def write_log(address: str, megabytes: int) -> int:
    """Write rows until the log holds so much since the last checkpoint; how many."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("create table filler (id serial, text text)")
        connection.execute("alter table filler alter text set storage external")
        for _ in range(megabytes):
            connection.execute(
                "insert into filler (text) select repeat(md5(n::text), 4096) from generate_series(1, 8) n"
            )
        grown = connection.execute("select pg_current_wal_lsn() - redo_lsn from pg_control_checkpoint()").fetchone()
    assert grown is not None
    assert grown[0] >= megabytes << 20
    return 8 * megabytes


def test_a_long_log_is_waited_for(library_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kizu_core.database.embedded.server.SAY_AFTER_S", 0.0)
    with (library_home / "database" / "postgresql.conf").open("a") as config:
        config.write("checkpoint_timeout = 1d\nmax_wal_size = 16GB\n")
    with Embedded(Paths(library_home)) as server:
        rows = write_log(server.urls().owner, LOG_MB)
        kill_server(library_home)
    said: list[str] = []
    began = time.monotonic()
    with Embedded(Paths(library_home), said.append) as server:
        print(f"{LOG_MB} MB of log: ready after {time.monotonic() - began:.1f} s")  # noqa: T201 - a figure to note
        other = Client(library_home)
        assert other.url() == server.urls().worker
        other.leave()
    assert "The database is repairing itself after a crash; waiting for it." in said
    assert count(library_home) == rows


def test_a_server_that_is_killed_under_a_writer(library_home: Path) -> None:
    """The very next start works, and so does a user who was there before."""
    committed = 0

    def write() -> None:
        nonlocal committed
        try:
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute("create table filler (id serial, text text)")
                while True:
                    connection.execute("insert into filler (text) values (repeat('x', 1000))")
                    committed += 1
        except psycopg.OperationalError:
            return

    server = Embedded(Paths(library_home))
    address = server.ensure().owner
    writer = threading.Thread(target=write)
    writer.start()
    while committed < 100:
        time.sleep(0.01)
    kill_server(library_home)
    writer.join()
    with psycopg.connect(server.ensure().owner) as connection:
        assert connection.execute("select true").fetchone() == (True,)
    # One may have been committed without an answer.
    assert count(library_home) - committed in (0, 1)
    server.release()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_somebody_else_stopped(library_home: Path, number: signal.Signals) -> None:
    """By a system that shuts down, say: the next command starts it again."""
    server = Embedded(Paths(library_home))
    server.ensure()
    pid = server_pid(library_home.resolve() / "database")
    assert pid is not None
    os.kill(pid, number)
    with Embedded(Paths(library_home)) as again, psycopg.connect(again.urls().worker) as connection:
        assert connection.execute("select true").fetchone() == (True,)
    server.release()
