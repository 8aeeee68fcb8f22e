"""`kizu db` on a real embedded server."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from kizu_core.cli.app import app
from kizu_core.database.embedded.passwords import read_passwords
from kizu_support.embedded import database_template, in_namespace, library_home

__all__ = ["database_template", "library_home"]


def kizu(home: Path, *arguments: str) -> Result:
    environment = {"KIZU_HOME": str(home), "KIZU_DATABASE_URL": None}
    return CliRunner().invoke(app, ["db", *arguments], env=environment, catch_exceptions=False)


def facts(home: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(kizu(home, "status", "--json").stdout)
    return found


def test_status_starts_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert facts(home) | {"running": False, "exists": False, "schema": None} == facts(home)
    assert not home.exists()


def test_start_stays_until_stop(library_home: Path) -> None:
    assert kizu(library_home, "start").exit_code == 0
    running = facts(library_home)
    assert running["running"] is True
    assert running["pinned"] is True
    assert running["schema"]
    assert "running  yes" in kizu(library_home, "status").stdout
    with psycopg.connect(kizu(library_home, "url", "--role", "worker").stdout.strip()) as connection:
        assert connection.execute("select current_user").fetchone() == ("kizu_worker",)
    assert "stopped" in kizu(library_home, "stop").stdout
    assert facts(library_home)["running"] is False


def test_url_of_a_stopped_database_says_what_to_do(library_home: Path) -> None:
    said = kizu(library_home, "url")
    assert said.exit_code == 1
    assert said.stderr == "kizu: The database is not running.\n      Run `kizu db start` first.\n"


def test_unknown_role(library_home: Path) -> None:
    assert kizu(library_home, "url", "--role", "postgres").exit_code != 0


def test_migrate(library_home: Path) -> None:
    assert kizu(library_home, "migrate").stdout == "The database is up to date.\n"
    assert json.loads(kizu(library_home, "migrate", "--json").stdout) == {"ran": []}


def test_psql(library_home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = kizu(library_home, "psql", "-At", "-c", "select current_user")
    assert said.exit_code == 0
    assert capfd.readouterr().out == "kizu_owner\n"
    assert kizu(library_home, "psql", "-c", "select nonsense").exit_code == 1


def test_psql_has_no_password_in_its_command_line(library_home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    kizu(library_home, "psql", "-At", "-c", r"\! cat /proc/$PPID/cmdline")
    said = capfd.readouterr().out
    passwords = read_passwords(library_home / "database" / "kizu.passwords")
    assert passwords is not None
    assert "dbname=kizu" in said
    assert passwords["kizu_owner"] not in said


def test_backup_and_restore(library_home: Path, tmp_path: Path) -> None:
    made = json.loads(kizu(library_home, "backup", "--json").stdout)
    assert Path(made["file"]).parent == library_home / "backups"
    assert Path(made["file"]).stat().st_size == made["bytes"]
    assert kizu(library_home, "backup", str(tmp_path)).exit_code == 0
    [file] = tmp_path.glob("kizu-*.dump")
    said = kizu(library_home, "backup", str(file))
    assert said.exit_code == 1
    assert said.stderr.startswith(f"kizu: {file} exists already.\n")
    done = json.loads(kizu(tmp_path / "other", "restore", str(file), "--json").stdout)
    assert done == {"schema": facts_of_schema(library_home), "photos": 0, "without_thumbnail": 0, "kept": None}
    said = kizu(tmp_path / "other", "restore", __file__)
    assert said.exit_code == 1
    assert "is no backup of Kizu, or it is damaged or cut short; nothing was changed." in said.stderr


def facts_of_schema(home: Path) -> object:
    kizu(home, "start")
    try:
        return facts(home)["schema"]
    finally:
        kizu(home, "stop")


def test_nothing_to_back_up(tmp_path: Path) -> None:
    said = kizu(tmp_path / "home", "backup")
    assert said.exit_code == 1
    assert said.stderr.startswith("kizu: There is no library to back up yet.\n")


def test_tcp(library_home: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    assert "127.0.0.1:" + port in kizu(library_home, "start", "--port", port).stdout
    try:
        assert facts(library_home)["tcp"] == f"127.0.0.1:{port}"
        with psycopg.connect(kizu(library_home, "url", "--tcp", "--role", "api").stdout.strip()) as connection:
            assert connection.info.host == "127.0.0.1"
        assert (
            kizu(library_home, "url", "--tcp", "--no-password").stdout
            == f"postgresql://kizu_owner@127.0.0.1:{port}/kizu\n"
        )
    finally:
        kizu(library_home, "stop")
    kizu(library_home, "start")
    said = kizu(library_home, "url", "--tcp")
    kizu(library_home, "stop")
    assert said.exit_code == 1
    assert "The database does not listen to TCP." in said.stderr


@pytest.mark.parametrize("arguments", [["--port", "80"], ["--port", "5433", "--host", "example.org"]])
def test_impossible_places(library_home: Path, arguments: list[str]) -> None:
    assert kizu(library_home, "start", *arguments).exit_code == 2


@pytest.mark.parametrize("command", ["start", "stop", "backup", "migrate"])
def test_read_only_disk(library_home: Path, command: str) -> None:
    code = f"""
from typer.testing import CliRunner
from kizu_core.cli.app import app
print(CliRunner().invoke(app, ["--data", {str(library_home)!r}, "db", {command!r}]).stderr)
"""
    setup = f"mount --bind '{library_home}' '{library_home}' && mount -o remount,ro,bind '{library_home}'"
    assert in_namespace(setup, library_home, code).startswith("kizu: Kizu can't write in its data folder: ")


@pytest.mark.parametrize("command", ["start", "stop"])
def test_a_database_of_ones_own_is_left_alone(tmp_path: Path, command: str) -> None:
    environment = {"KIZU_HOME": str(tmp_path / "home"), "KIZU_DATABASE_URL": "postgresql://me:secret@127.0.0.1:1/x"}
    said = CliRunner().invoke(app, ["db", command], env=environment)
    assert said.exit_code == 1
    assert "which Kizu neither starts nor stops" in said.stderr
    assert "secret" not in said.output
