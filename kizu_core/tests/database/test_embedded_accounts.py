"""Under which user the server runs: PostgreSQL refuses root, and nothing may change hands for that."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pytest_mock import MockerFixture

from kizu_core.database.embedded.account import Account, account_for
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.database.embedded.processes import is_alive, server_pid
from kizu_core.database.embedded.programs import binaries
from kizu_core.errors import DatabaseError
from kizu_core.settings import Paths
from kizu_support.embedded import Client, in_namespace, python_of

NOBODY = 65534
NAMELESS = 12345

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="kizu-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def owner(path: Path) -> int:
    return path.stat().st_uid


def test_root_without_namespaces(tmp_path: Path) -> None:
    said = in_namespace("echo 0 > /proc/sys/user/max_user_namespaces", tmp_path / "home")
    assert said == ("DatabaseError: PostgreSQL does not run as root, and this system does not allow user namespaces.")


@as_root
def test_root_keeps_what_is_roots(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Embedded(Paths(home)):
        assert {owner(path) for path in home.rglob("*")} == {0}


@as_root
def test_root_runs_the_server_of_another_owner_as_that_owner(public: Path) -> None:
    home = public / "home"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)
    can_run = ["test", "-x", str(binaries() / "postgres")]
    if subprocess.run(can_run, user=NOBODY, group=NOBODY, capture_output=True).returncode != 0:
        pytest.skip("the programs lie where only root can go")
    with Embedded(Paths(home)) as server, psycopg.connect(server.urls().worker) as connection:
        pid = server_pid(home.resolve() / "database")
        assert owner(Path(f"/proc/{pid}")) == NOBODY
        assert connection.execute("select true").fetchone() == (True,)
        assert {owner(path) for path in home.rglob("*")} == {NOBODY}


@pytest.fixture
def stranger(public: Path) -> Path:
    """A data folder of a user whose number has no name."""
    home = public / "home"
    home.mkdir(mode=0o700)
    os.chown(home, NAMELESS, NAMELESS)
    return home


@as_root
def test_a_user_without_a_name_runs_a_server(stranger: Path) -> None:
    """For real: initdb asks for the name of its user and refuses to go on without one."""
    client = Client(stranger, user=NAMELESS)
    with psycopg.connect(client.url()) as connection:
        assert connection.execute("select true").fetchone() == (True,)
    pid = server_pid(stranger.resolve() / "database")
    assert pid is not None
    assert owner(Path(f"/proc/{pid}")) == NAMELESS
    assert {owner(path) for path in stranger.rglob("*")} == {NAMELESS}
    assert client.leave() == 0
    assert not is_alive(pid)


@as_root
def test_two_users_share_one_server_and_the_last_one_out_stops_it(stranger: Path) -> None:
    """Root in the folder of another, and the other: whoever starts it, it runs as the other."""
    root, other = Client(stranger), Client(stranger, user=NAMELESS)
    assert root.url() == other.url() != ""
    pid = server_pid(stranger.resolve() / "database")
    assert pid is not None
    assert owner(Path(f"/proc/{pid}")) == NAMELESS
    assert other.leave() == 0
    assert is_alive(pid)
    assert root.leave() == 0
    assert not is_alive(pid)
    assert {owner(path) for path in stranger.rglob("*")} == {NAMELESS}


@as_root
def test_two_users_with_folders_of_their_own_do_not_meet(library_home: Path, stranger: Path) -> None:
    mine, other = Client(library_home), Client(stranger, user=NAMELESS)
    assert "" not in {mine.url(), other.url()}
    assert mine.leave() == 0
    assert server_pid(stranger.resolve() / "database") is not None
    assert other.leave() == 0


@as_root
def test_other_users_of_the_machine_do_not_get_in(public: Path) -> None:
    """Not even with the address and its password: the socket lies in a private folder."""
    with Embedded(Paths(public / "home")) as server:
        python, options = python_of(NAMELESS)
        code = "import psycopg, sys; psycopg.connect(sys.argv[1])"
        said = subprocess.run([python, "-c", code, server.urls().owner], capture_output=True, text=True, **options)
    assert said.returncode == 1
    assert "Permission denied" in said.stderr


def test_user_without_a_name_and_without_namespaces(tmp_path: Path) -> None:
    setup = (
        "echo 1 > /proc/sys/user/max_user_namespaces\n"
        f'set -- unshare -U --map-user={NAMELESS} --map-group={NAMELESS} "$@"'
    )
    said = in_namespace(setup, tmp_path / "home")
    assert said == (
        f"DatabaseError: PostgreSQL does not run as user number {NAMELESS}, which has no name here, "
        "and this system does not allow user namespaces."
    )


@as_root
def test_a_new_folder_is_given_to_the_system_user(public: Path, mocker: MockerFixture) -> None:
    entry = pwd.struct_passwd(("kizu", "x", NOBODY, NOBODY, "", "/", "/bin/false"))
    mocker.patch.object(pwd, "getpwall", return_value=[entry])
    assert account_for(public / "home", public / "home" / "database") == Account(uid=NOBODY, gid=NOBODY)
    assert owner(public / "home") == NOBODY


@as_root
def test_the_system_user_is_not_forced_where_it_can_not_go(tmp_path: Path, mocker: MockerFixture) -> None:
    (tmp_path / "private").mkdir(mode=0o700)
    entry = pwd.struct_passwd(("kizu", "x", NOBODY, NOBODY, "", "/", "/bin/false"))
    mocker.patch.object(pwd, "getpwall", return_value=[entry])
    home = tmp_path / "private" / "home"
    assert account_for(home, home / "database").uid is None
    assert owner(home) == os.geteuid()


def test_folder_of_somebody_else(public: Path, mocker: MockerFixture) -> None:
    mocker.patch("os.geteuid", return_value=12345)
    with pytest.raises(DatabaseError, match="belongs to another user"):
        account_for(public, public / "database")


def test_user_without_a_name_gets_one_in_a_namespace(public: Path, mocker: MockerFixture) -> None:
    mocker.patch("pwd.getpwuid", side_effect=KeyError)
    account = account_for(public, public / "database")
    shown = subprocess.run([*account.prefix, "id", "-u"], capture_output=True, text=True)
    assert shown.stdout.strip() == str(NOBODY)
