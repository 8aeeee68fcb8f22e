"""Secrets stay where they were put: a canary in every slot, flows that fail, and a look everywhere."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from kizu_support.command import Kizu
from kizu_support.library import draw
from kizu_support.postgres import KizuDatabase, kizu_database, postgres

__all__ = ["kizu_database", "postgres"]

CANARY = "cAnArY~41f7/c0ffee"
"""Holds characters that an address has to write differently."""

KEYS = {"SUPABASE_SERVICE_ROLE_KEY": f"service-{CANARY}", "SUPABASE_ANON_KEY": f"anon-{CANARY}"}
FORMS = (CANARY, quote(CANARY, safe=""), quote(CANARY))


def has_canary(text: str | bytes) -> bool:
    found = text if isinstance(text, bytes) else os.fsencode(text)
    return any(os.fsencode(form) in found for form in FORMS)


@contextmanager
def command_lines() -> Iterator[list[str]]:
    """Command lines of every process of this machine that hold the canary, while inside."""
    found: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            for process in psutil.process_iter():
                try:
                    line = " ".join(process.cmdline())
                except psutil.Error:
                    continue
                found.extend([line] if has_canary(line) else [])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()


@pytest.fixture
def secretive(kizu_database: KizuDatabase, kizu: Kizu) -> Kizu:
    """The command on a database of the user's own, with a password in its address (that nobody asks for there)."""
    place = conninfo_to_dict(kizu_database.url("postgres"))
    host = quote(str(place["host"]), safe="")
    url = f"postgresql://{place['user']}:{FORMS[1]}@/{place['dbname']}?host={host}"
    kizu.variables |= {**KEYS, "KIZU_DATABASE_URL": url}
    return kizu


def rows_of(database: KizuDatabase) -> Iterator[str]:
    """Every row of every table, as text."""
    with psycopg.connect(database.url("postgres")) as connection:
        query = "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
        for (table,) in connection.execute(query + " where schemaname in ('public', 'kizu')").fetchall():
            for (row,) in connection.execute(f"select t::text from {table} t".encode()):
                yield row


def test_no_flow_shows_a_secret_anywhere(secretive: Kizu, kizu_database: KizuDatabase, tmp_path: Path) -> None:
    draw(tmp_path / "photos" / "good.jpg")
    (tmp_path / "photos" / "bad.jpg").write_bytes(b"\xff\xd8\xff damaged")
    flows = [
        (["--debug", "run", str(tmp_path / "photos"), "--json"], 3),
        (["--debug", "worker", "--debug", "--drain"], 0),
        (["config", "--json", "-v"], 0),
        (["db", "psql", "-c", "select 1"], 0),
    ]
    with command_lines() as lines:
        results = [(arguments, secretive(*arguments), code) for arguments, code in flows]
    for arguments, result, code in results:
        assert result.code == code, (arguments, result.err)
        assert not has_canary(result.out + result.err), arguments
    assert lines == []
    assert [row for row in rows_of(kizu_database) if has_canary(row)] == []
    assert [path for path in secretive.home.rglob("*") if path.is_file() and has_canary(path.read_bytes())] == []


@pytest.mark.parametrize(
    "variables",
    [
        {"KIZU_DATABASE_URL": f"postgresql://me:{FORMS[1]}@127.0.0.1:1/photos"},
        {"KIZU_DATABASE_URL": f"postgresql//me:{FORMS[1]}@127.0.0.1/photos"},
        {"KIZU_DATABASE_URL": f"host=127.0.0.1 port=1 password={CANARY}"},
        {"KIZU_THREADS": "-1", "KIZU_DATABASE_URL": f"postgresql://me:{FORMS[1]}@127.0.0.1:1/photos"},
        {"SUPABASE_URL": "https://x.example", "KIZU_DATABASE_URL": ""},
    ],
    ids=["nobody there", "no address", "by keywords", "another setting wrong", "settings that exclude each other"],
)
def test_a_failure_shows_no_secret_even_with_its_traceback(kizu: Kizu, variables: dict[str, str]) -> None:
    kizu.variables |= {**KEYS, **variables}
    result = kizu("--debug", "status")
    assert result.code == 1, result.err
    assert not has_canary(result.out + result.err)
    assert "Traceback" in result.err


def test_log_records_of_any_library_are_clean_at_every_level() -> None:
    code = """
import logging, sys, threading
from kizu_core.privacy import redact
redact.install(); redact.hide(sys.argv[1])
logging.basicConfig(level=logging.DEBUG)
log = logging.getLogger("some.library")
log.debug("key %s in %r", sys.argv[1], {"url": "wss://x.example/socket?apikey=eyJhbGciOi.eyJyb2xlIjo.c2ln&vsn=1"})
log.info("postgresql://me:pa55word@db.example/photos and Authorization: Bearer abcdefgh12345678")
try:
    raise ValueError("with " + sys.argv[1])
except ValueError:
    log.exception("failed")
logging.getLogger("websockets.client").debug("> GET /?apikey=abc")
def die():
    raise RuntimeError(sys.argv[1])
thread = threading.Thread(target=die); thread.start(); thread.join()
die()
"""
    done = subprocess.run([sys.executable, "-c", code, CANARY], capture_output=True, text=True)
    assert done.returncode == 1
    assert not has_canary(done.stderr)
    assert not [part for part in ("eyJhbGciOi", "pa55word", "abcdefgh12345678", "GET /") if part in done.stderr]
    assert "vsn=1" in done.stderr
    assert "postgresql://me:(hidden)@db.example/photos" in done.stderr
    assert done.stderr.count("RuntimeError: (hidden)") == 2
    assert "ValueError: with (hidden)" in done.stderr


def test_what_lies_in_the_data_folder_is_for_its_owner_only(kizu: Kizu, tmp_path: Path) -> None:
    draw(tmp_path / "photos" / "good.jpg")
    os.umask(before := os.umask(0o022))
    assert before == 0o022, "the test says nothing under another umask"
    assert kizu("run", tmp_path / "photos").code == 0
    assert kizu("models", "use", "embedder", "histogram").code in {0, 1}
    assert stat.S_IMODE(kizu.home.stat().st_mode) == 0o700
    open_to_others = {
        str(path.relative_to(kizu.home)): oct(path.stat().st_mode)
        for path in kizu.home.rglob("*")
        if stat.S_IMODE(path.lstat().st_mode) & 0o077 and not path.is_symlink() and path.name != ".s.PGSQL.5432"
    }
    assert open_to_others == {}
