"""Processes, servers and files that look like Kizu's server and are not."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from kizu_core.database.embedded.filesystem import socket_folder_for
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.database.embedded.processes import server_pid, stop_server
from kizu_core.errors import DatabaseError
from kizu_core.settings import Paths
from kizu_support.embedded import foreign_server

SOCKET = ".s.PGSQL.5432"


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Short, so that the socket lies in the data folder, however deep the folder of the test run is."""
    with tempfile.TemporaryDirectory(prefix="kizu-") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign server is not taken for one of ours that is ending for as long as usual."""
    monkeypatch.setattr("kizu_core.database.embedded.server.DYING_S", 0.5)


@pytest.fixture
def innocent() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with databases."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    assert process.poll() is None, "an innocent process was killed"
    process.communicate(b"\n")


def works(home: Path) -> bool:
    with Embedded(Paths(home)) as server, psycopg.connect(server.urls().worker) as connection:
        return connection.execute("select true").fetchone() == (True,)


def crash(home: Path) -> None:
    """Leave all the lock files of a server behind, without a server."""
    server = Embedded(Paths(home))
    server.ensure()
    pid = server_pid(home.resolve() / "database")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    server.release()


def rename_pid(path: Path, pid: int) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([f"{pid}\n", *lines[1:]]))


@pytest.mark.parametrize("lock", ["database/postmaster.pid", f"run/{SOCKET}.lock"])
def test_stale_lock_that_names_an_innocent_process(
    library_home: Path, innocent: subprocess.Popen[bytes], lock: str
) -> None:
    crash(library_home)
    rename_pid(library_home / lock, innocent.pid)
    assert works(library_home)


@pytest.mark.parametrize("content", [b"", b"\n", b"-1\n", b"1\n", b"99999999999\n", b"\xff\xfe\0\n", b"x" * 5000])
def test_any_pid_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "postmaster.pid").write_bytes(content)
    assert server_pid(tmp_path) is None
    assert not stop_server(tmp_path)


def test_start_over_a_broken_pid_file(library_home: Path) -> None:
    (library_home / "database" / "postmaster.pid").write_bytes(b"1\n")
    assert works(library_home)


def test_namesake_with_another_folder_is_not_ours(library_home: Path, tmp_path: Path) -> None:
    """A process called postgres with a `-D` of its own is still somebody else's."""
    (tmp_path / "postgres").symlink_to("/bin/sleep")
    with subprocess.Popen([str(tmp_path / "postgres"), "60"]) as process:
        (library_home / "database" / "postmaster.pid").write_text(f"{process.pid}\n")
        assert works(library_home)
        assert process.poll() is None
        process.kill()


def test_swept_socket(library_home: Path) -> None:
    first = Embedded(Paths(library_home))
    first.ensure()
    (library_home / "run" / SOCKET).unlink()
    assert works(library_home)
    first.release()


def test_foreign_server_on_the_socket(library_home: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with foreign_server((tmp_path / "other").resolve(), library_home.resolve() / "run"):
        with pytest.raises(DatabaseError, match="A server that is not Kizu's answers on") as caught:
            Embedded(Paths(library_home)).ensure()
        assert caught.value.hint is not None
        assert not Embedded(Paths(library_home)).status().running


def test_fresh_folder_with_a_foreign_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "run").mkdir(parents=True, mode=0o700)
    (tmp_path / "other").mkdir()
    with foreign_server((tmp_path / "other").resolve(), home.resolve() / "run"):
        with pytest.raises(DatabaseError, match="A server that is not Kizu's answers on"):
            Embedded(Paths(home)).ensure()


def test_mute_listener_on_the_socket(library_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kizu_core.database.embedded.server.ANSWER_S", 2)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(library_home / "run" / SOCKET))
        mute.listen()
        with pytest.raises(DatabaseError, match="A server that is not Kizu's answers on"):
            Embedded(Paths(library_home)).ensure()


def test_prepared_socket_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    """Long paths put the socket into the shared temporary folder, where anybody could be there first."""
    home = tmp_path / ("x" * 150)
    trap = socket_folder_for(home.resolve() / "run")
    assert trap.parent == Path(tempfile.gettempdir())
    trap.symlink_to(tmp_path)
    try:
        with pytest.raises(DatabaseError, match="does not put its socket there"):
            Embedded(Paths(home)).ensure()
    finally:
        trap.unlink()
        shutil.rmtree(home, ignore_errors=True)
