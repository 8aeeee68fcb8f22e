"""Makes a new data folder of the embedded server: cluster, roles, database, extensions.

All of it happens in PostgreSQL's single-user mode, in a folder beside the final one that is renamed at the end:
the superuser never meets a socket, and a bootstrap that dies half-way leaves nothing that a start would believe.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from kizu_core.database.embedded.config import DATABASE, access_rules
from kizu_core.database.embedded.filesystem import disk_full
from kizu_core.database.embedded.passwords import LOGIN_ROLES, new_passwords, scram_verifier, write_passwords
from kizu_core.database.embedded.programs import Programs
from kizu_core.errors import DatabaseError, KizuError

PASSWORDS = "kizu.passwords"
CONFIG = "kizu.conf"
HBA = "pg_hba.conf"
GROUP_ROLES = ("anon", "authenticated", "service_role")  # as hosted Supabase names them
EXTENSIONS = ("vector", "pg_trgm")

MEMBERSHIPS = (
    "grant service_role to kizu_worker",
    "grant authenticated, anon to kizu_api",
    # Another machine knows one address only and does everything by it, as with a database of the user's own.
    "grant service_role, authenticated, anon to kizu_owner",
    # So that `kizu status` can name a program that keeps the database from tidying up.
    "grant pg_read_all_stats to service_role with inherit true",
)


def build(database: Path, programs: Programs) -> None:
    """Create the data folder `database`. Raises `DatabaseError`, `DiskFull` or OSError; leaves nothing half done."""
    if database.exists() and any(database.iterdir()):
        raise DatabaseError(
            f"{database} holds something that is not Kizu's database.",
            hint="Move it away, or choose another folder with --data or KIZU_HOME.",
        )
    _remove_remains(database)
    building = Path(tempfile.mkdtemp(prefix=f"{database.name}.new-", dir=database.parent))
    try:
        programs.account.give(building)
        _initdb(building, programs)
        _single_user(building, programs, "postgres", _cluster_statements())
        _single_user(building, programs, DATABASE, _database_statements())
        set_passwords(building, programs)
        building.rename(database)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    _remove_remains(database)  # initdb outlives a killed parent by a moment, and may have written meanwhile


def _remove_remains(database: Path) -> None:
    """Of bootstraps that died half-way."""
    for remains in database.parent.glob(f"{database.name}.new-*"):
        shutil.rmtree(remains, ignore_errors=True)


def set_passwords(data: Path, programs: Programs) -> None:
    """Give the login roles new passwords. The server must not be running."""
    passwords = new_passwords()
    statements = [f"alter role {role} password '{scram_verifier(word)}'" for role, word in passwords.items()]
    _single_user(data, programs, "postgres", statements)
    write_passwords(data / PASSWORDS, passwords)
    programs.account.give(data / PASSWORDS)


def _initdb(data: Path, programs: Programs) -> None:
    # The collation comes from PostgreSQL itself, so results do not depend on the machine's libc. The libc locale
    # is named for what little still asks it; macOS has no C.UTF-8.
    libc_locale = "C.UTF-8" if sys.platform == "linux" else "C"
    options = [
        "--username=postgres",
        "--auth=reject",
        "--encoding=UTF8",
        f"--locale={libc_locale}",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
        "--no-instructions",
    ]
    done = programs.run("initdb", "-D", str(data), *options)
    if done.returncode != 0:
        raise failure(done.stderr or done.stdout, data.parent)
    (data / HBA).write_text(access_rules(), encoding="utf-8")
    with (data / "postgresql.conf").open("a", encoding="utf-8") as config:
        config.write(f"\ninclude_if_exists = '{CONFIG}'\n")


def _cluster_statements() -> Iterable[str]:
    yield from (f"create role {name} nologin noinherit" for name in GROUP_ROLES)
    yield from (f"create role {name} login noinherit" for name in LOGIN_ROLES)
    yield from MEMBERSHIPS
    yield f"create database {DATABASE} owner kizu_owner"


def _database_statements() -> Iterable[str]:
    yield "create schema extensions authorization kizu_owner"
    yield "grant usage on schema extensions to public"
    yield from (f"create extension {name} with schema extensions" for name in EXTENSIONS)
    yield f"alter database {DATABASE} set search_path = public, extensions"
    yield f"revoke all on database {DATABASE} from public"
    yield f"grant connect on database {DATABASE} to {', '.join(LOGIN_ROLES)}"


def _single_user(data: Path, programs: Programs, database: str, statements: Iterable[str]) -> None:
    options = ["-j", "-c", "exit_on_error=on", "-c", "log_checkpoints=off"]
    script = "".join(f"{statement};\n\n" for statement in statements)
    done = programs.run("postgres", "--single", *options, "-D", str(data), database, stdin=script)
    if done.returncode != 0:
        raise failure(done.stderr, data.parent)


def failure(output: str, home: Path) -> KizuError:
    """One sentence out of what a PostgreSQL program said before it failed."""
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return disk_full(home)
    if "could not create any TCP/IP sockets" in output:
        return DatabaseError(
            "The embedded database can't listen at the port that `kizu db start --port` named: it is taken, or not "
            "of this machine.",
            hint="Run `kizu db stop`, then start it with another port, or with none.",
        )
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marks = ("PANIC:", "FATAL:", "ERROR:", "error:")
    told = next((line.split(mark, 1)[1].strip() for line in lines for mark in marks if mark in line), "")
    why = told or (lines[-1] if lines else "it said nothing")
    return DatabaseError(f"The embedded database did not start: {why.rstrip('.')}.")


def major_version(data: Path) -> str:
    """PostgreSQL's major version that made the data folder."""
    return os.fsdecode((data / "PG_VERSION").read_bytes()).strip()
