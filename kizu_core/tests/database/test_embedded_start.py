"""What a fresh embedded server is: its folders, settings, roles, and the sentences when it can't be."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from pytest_mock import MockerFixture

from kizu_core.database.embedded import filesystem
from kizu_core.database.embedded.bootstrap import PASSWORDS
from kizu_core.database.embedded.filesystem import socket_folder_for
from kizu_core.database.embedded.launcher import Embedded, Urls
from kizu_core.database.embedded.passwords import read_passwords
from kizu_core.errors import DatabaseError, DiskFull
from kizu_core.settings import Paths
from kizu_support.embedded import OPEN, copied, in_namespace, settings_for


def value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


@contextmanager
def opened(home: Path) -> Iterator[Urls]:
    with Embedded(Paths(home)) as server:
        yield server.urls()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def home(database_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with copied(database_template, tmp_path_factory.mktemp("start") / "home") as home:
        yield home


@pytest.fixture(scope="module")
def urls(home: Path) -> Iterator[Urls]:
    with opened(home) as urls:
        yield urls


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("jit", "off"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("max_connections", "200"),
        ("log_min_error_statement", "panic"),
    ],
)
def test_settings(urls: Urls, setting: str, wanted: str) -> None:
    assert value(urls.worker, f"show {setting}") == wanted


def test_text_does_not_depend_on_the_machine(urls: Urls) -> None:
    assert value(urls.worker, "select lower('ÉÖЖ')") == "éöж"
    assert value(urls.worker, "select datlocprovider::text || datlocale from pg_database where datname = 'kizu'") == (
        "bC.UTF-8"
    )


@pytest.mark.parametrize("role", ["owner", "worker", "api"])
def test_no_role_is_almighty(urls: Urls, role: str) -> None:
    query = "select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = current_user"
    assert value(getattr(urls, role), query) is False


def test_memberships(urls: Urls) -> None:
    can = "select string_agg(r, ' ') from unnest('{{anon,authenticated,service_role}}'::text[]) r where {0}"
    set_role = can.format("pg_has_role(current_user, r, 'SET')")
    assert value(urls.worker, set_role) == "service_role"
    assert value(urls.api, set_role) == "anon authenticated"


def test_superuser_and_strangers_are_refused(urls: Urls) -> None:
    for stranger in ("postgres", "anon", "service_role"):
        with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
            psycopg.connect(urls.owner.replace("kizu_owner", stranger))
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg.connect(urls.owner.replace("/kizu?", "/postgres?"))


def test_wrong_password_is_refused(urls: Urls) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(urls.owner.replace("kizu_owner:", "kizu_owner:x"))


def test_files_are_private(home: Path, urls: Urls) -> None:
    assert mode(home / "database" / PASSWORDS) == 0o600
    assert mode(home / "run" / ".s.PGSQL.5432") == 0o700
    for folder in (".", "database", "run", "logs"):
        assert mode(home / folder) == 0o700


def test_no_password_in_configuration_or_log(home: Path, urls: Urls) -> None:
    passwords = read_passwords(home / "database" / PASSWORDS)
    assert passwords is not None
    for path in (home / "logs" / "database.log", *(home / "database").glob("*.conf")):
        assert not [role for role, password in passwords.items() if password in path.read_text()]


@pytest.mark.parametrize("name", ["Ünïcode mit Leer zeichen", 'it\'s "$HOME" `x` \\ %41 #', "a,b", "x" * 150])
def test_any_folder_name(database_template: Path, tmp_path: Path, name: str) -> None:
    parent = tmp_path / name
    parent.mkdir(mode=0o700)
    with copied(database_template, parent / "home") as home:
        with opened(home) as urls:
            assert value(urls.worker, "select 1") == 1
        assert not (home / "database" / "postmaster.pid").exists()
        sockets = socket_folder_for(home.resolve() / "run")
        assert sockets == home / "run" or not sockets.exists()
    assert mode(parent) == 0o700


def test_fresh_folder_with_an_awkward_name(tmp_path: Path) -> None:
    with opened(tmp_path / 'Zoë\'s "photos" $1' / "home") as urls:
        assert value(urls.worker, "select 1") == 1


def test_bootstrap_killed_half_way_is_redone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = subprocess.Popen([sys.executable, "-c", OPEN, str(home)], stdout=subprocess.DEVNULL)
    while not list(home.glob("database.new-*/PG_VERSION")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (home / "database").exists()
    with opened(home) as urls:
        assert value(urls.worker, "select 1") == 1
    assert not list(home.glob("database.new-*"))


def test_what_a_killed_bootstrap_still_writes_when_the_next_has_begun_goes_too(tmp_path: Path) -> None:
    orphan = tmp_path / "database.new-orphan"

    def write() -> None:
        while not [one for one in tmp_path.glob("database.new-*") if one != orphan]:
            time.sleep(0.001)
        orphan.mkdir()

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write)
        with opened(tmp_path):
            writing.result()
    assert not orphan.exists()


def test_lost_passwords_are_made_anew(library_home: Path) -> None:
    passwords = library_home / "database" / PASSWORDS
    before = read_passwords(passwords)
    passwords.unlink()
    with opened(library_home) as urls:
        assert value(urls.owner, "select count(*) > 0 from kizu.schema_version") is True
    assert read_passwords(passwords) not in (None, before)


def test_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "home" / "database").mkdir(parents=True)
    (tmp_path / "home" / "database" / "thesis.txt").write_text("mine")
    with pytest.raises(DatabaseError, match="holds something that is not Kizu's"), opened(tmp_path / "home"):
        pass
    assert (tmp_path / "home" / "database" / "thesis.txt").read_text() == "mine"


def test_folder_of_another_version(library_home: Path) -> None:
    (library_home / "database" / "PG_VERSION").write_text("16\n")
    with pytest.raises(DatabaseError, match="made by PostgreSQL 16"), opened(library_home):
        pass


def test_damaged_folder_is_one_sentence(library_home: Path) -> None:
    (library_home / "database" / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(DatabaseError, match=r"^The embedded database did not start: [^\n]*\.$"), opened(library_home):
        pass


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "vfat"])
def test_unfit_file_systems(tmp_path: Path, mocker: MockerFixture, kind: str) -> None:
    mocker.patch.object(filesystem, "_mounts", return_value=[(Path("/"), "ext4"), (tmp_path.resolve(), kind)])
    with pytest.raises(DatabaseError, match="where a database would lose data"), opened(tmp_path / "home"):
        pass
    assert not (tmp_path / "home" / "database").exists()


def test_file_systems_are_known_by_the_deepest_mount() -> None:
    if not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    assert filesystem.filesystem_of(Path("/proc/self")) == "proc"


def test_full_disk(tmp_path: Path) -> None:
    said = in_namespace(f"mount -t tmpfs -o size=8m tmpfs '{tmp_path}'", tmp_path / "home")
    assert said.startswith(f"{DiskFull.__name__}: No space is left on the disk")


def test_read_only_disk(tmp_path: Path) -> None:
    said = in_namespace(f"mount -t tmpfs -o ro tmpfs '{tmp_path}'", tmp_path / "home")
    assert said.startswith("DatabaseError: Kizu can't write in its data folder")


def test_settings_of_tests_ignore_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIZU_DATABASE_URL", "postgresql://elsewhere")
    assert settings_for(tmp_path).database_url is None
