"""PostgreSQL's own programs as clients of Kizu's database: psql, pg_dump, pg_restore."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from kizu_core.database.embedded.programs import binaries

TICK_S = 0.5


def client(name: str, address: str | None, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Command line and environment of a program. The password goes by the latter: everybody can read the former."""
    place = conninfo_to_dict(address) if address else {}
    password = place.pop("password", None)
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    named = ["-d", make_conninfo("", **place)] if address else []
    return [str(binaries() / name), *named, *arguments], environment


def run_client(
    name: str, address: str | None, *arguments: str, on_tick: Callable[[], None] = lambda: None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, calling `on_tick` twice a second; the exit status is the caller's to judge.

    It does not outlive this call, however that ends.
    """
    command, environment = client(name, address, *arguments)
    process = subprocess.Popen(
        command,
        env=environment | {"LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        while True:
            try:
                said = process.communicate(timeout=TICK_S)
            except subprocess.TimeoutExpired:
                on_tick()
            else:
                return subprocess.CompletedProcess(command, process.returncode, *said)
    finally:
        process.kill()
        process.wait()
