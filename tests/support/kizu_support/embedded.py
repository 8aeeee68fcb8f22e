"""A ready embedded database for tests that need the real thing: Kizu's own launcher, roles and migrated schema.

Use from any test folder: put `from kizu_support.embedded import database_template, library_home, library_settings,
open_db` into its `conftest.py` (fixtures are found by name there), then take `open_db` in a test, or
`library_settings` / `library_home` where the code under test opens the database itself.

One data folder is made per test process; every test gets a copy of it, which costs a tenth of making one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from kizu_core.database import OpenDatabase, open_database
from kizu_core.database.embedded.account import account_for
from kizu_core.database.embedded.processes import server_pid, stop_server
from kizu_core.database.embedded.programs import Programs
from kizu_core.settings import Settings, load_settings


def settings_for(home: Path, **overrides: object) -> Settings:
    """Settings of the data folder `home`, whatever the environment of the test run says."""
    return load_settings({"home": home, **overrides}, environ={})


@pytest.fixture(scope="session")
def database_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with a migrated database that nobody uses, to copy from."""
    home = tmp_path_factory.mktemp("template") / "home"
    with open_database(settings_for(home)):
        pass
    yield home
    shutil.rmtree(home, ignore_errors=True)


@contextmanager
def copied(template: Path, home: Path) -> Iterator[Path]:
    """A data folder `home` like `template`; its server is stopped at the end, whoever left it, and it is removed."""
    subprocess.run(["cp", "-Rp", str(template), str(home)], check=True)  # many times quicker than copytree
    try:
        yield home
    finally:
        stop_server(home.resolve() / "database")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def library_home(database_template: Path, tmp_path: Path) -> Iterator[Path]:
    """A fresh data folder with a migrated, empty database."""
    with copied(database_template, tmp_path / "home") as home:
        yield home


@pytest.fixture
def library_settings(library_home: Path) -> Settings:
    """Settings of `library_home`."""
    return settings_for(library_home)


@pytest.fixture
def open_db(library_settings: Settings) -> Iterator[OpenDatabase]:
    """An open database of its own for the test."""
    with open_database(library_settings) as database:
        yield database


_CLIENT = """
import sys
from pathlib import Path
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.settings import Paths

with Embedded(Paths(Path(sys.argv[1]))) as server:
    print(server.urls().worker, flush=True)
    sys.stdin.readline()
"""
_MIGRATED_CLIENT = """
import sys
from kizu_core.database import open_database
from kizu_core.settings import load_settings

with open_database(load_settings({"home": sys.argv[1]}, environ={})) as database:
    print(database.listen_url, flush=True)
    sys.stdin.readline()
"""


def python_of(user: int) -> tuple[str, dict[str, Any]]:
    """A Python that the user of that number may run, and what `subprocess` needs for it; skips where there is none.

    Only root can ask. This Python may lie where nobody else can go, so the system's is tried after it.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    options: dict[str, Any] = {"user": user, "group": user, "extra_groups": [], "cwd": "/", "env": environment}
    probe = (
        "from kizu_core.database import opening; from kizu_core.database.embedded import programs; programs.binaries()"
    )
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        with suppress(OSError):
            if subprocess.run([python, "-c", probe], capture_output=True, **options).returncode == 0:
                return python, options
    pytest.skip("Python and PostgreSQL lie where only root can go")


class Client:
    """Another process that uses the embedded server of a data folder until told otherwise.

    `migrated`: also brings the database to this version's schema. `user`: runs as the user of that number.
    """

    def __init__(self, home: Path, *, migrated: bool = False, user: int | None = None) -> None:
        python, options = (sys.executable, {}) if user is None else python_of(user)
        self._process: subprocess.Popen[str] = subprocess.Popen(
            [python, "-c", _MIGRATED_CLIENT if migrated else _CLIENT, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )
        self.pid = self._process.pid

    def url(self) -> str:
        """The worker's URL, once the server is up; empty if the process ended without one."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def leave(self) -> int:
        """End in the ordinary way; the exit status."""
        self._process.communicate("\n", timeout=60)
        return self._process.returncode

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        self._process.communicate(timeout=60)


@contextmanager
def foreign_server(folder: Path, sockets: Path) -> Iterator[None]:
    """A PostgreSQL that is not Kizu's, in `folder`, with its socket in `sockets`; `postgres` needs no password."""
    account = account_for(folder, folder / "data")
    programs = Programs(account)
    options = ["-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"]
    assert programs.run("initdb", "-D", str(folder / "data"), *options).returncode == 0
    with (folder / "data" / "postgresql.conf").open("a") as config:
        config.write(f"listen_addresses = ''\nunix_socket_directories = '{sockets}'\n")
    pid = programs.start_server(folder / "data", folder / "log")
    try:
        while "ready to accept" not in (folder / "log").read_text():
            assert server_pid(folder / "data") in {None, pid}
        yield
        assert server_pid(folder / "data") == pid, "the foreign server was stopped"
    finally:
        stop_server(folder / "data")


OPEN = """
import sys
from kizu_core.database import open_database
from kizu_core.settings import load_settings
with open_database(load_settings({"home": sys.argv[1]}, environ={})):
    print("open")
"""
_GUARDED = """
import sys
from kizu_core.errors import KizuError
try:
    exec(sys.argv.pop(1))
except KizuError as error:
    print(type(error).__name__, error.message, sep=": ")
"""


def in_namespace(setup: str, home: Path, code: str = OPEN) -> str:
    """What `code`, by default opening `home`, says in a user and mount namespace of its own.

    `setup` is shell commands that run there before; an error of Kizu's is its class and message.
    """
    probe = subprocess.run(["unshare", "-Urm", "true"], capture_output=True)
    if probe.returncode != 0:
        pytest.skip("no user namespaces here")
    script = f'{setup}\nexec "$@"'
    command = ["unshare", "-Urm", "sh", "-ec", script, "sh", sys.executable, "-c", _GUARDED, code, str(home)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.strip()
