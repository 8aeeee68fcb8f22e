"""Workers that died on this machine: what they had in hand need not wait for the end of its lease."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kizu_core.database import Database

STATE, STARTED = 0, 19
"""Fields of /proc/PID/stat, counted behind the name of the program."""


def about_us() -> dict[str, Any]:
    """What a worker says of itself. With `place` and `started` its process number is nobody else's, ever."""
    told = {"host": socket.gethostname(), "pid": os.getpid(), "version": version("kizu-core")}
    return told | {"place": place(), "started": (_stat(os.getpid()) or {}).get("started")}


def place() -> str | None:
    """Where process numbers mean the same as here: this start of this machine, this container. None if unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def is_gone(info: Mapping[str, Any]) -> bool:
    """Whether the worker that said this of itself provably lives no more. For one of another place it is unknown."""
    pid, started = info.get("pid"), info.get("started")
    if info.get("place") is None or info["place"] != place() or not isinstance(pid, int) or not started or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's process, which may be hidden from us
        return False
    now = _stat(pid)
    return now is not None and (now["state"] in {"Z", "X"} or now["started"] != started)


def bury_neighbours(database: Database) -> int:
    """Takes back what the dead of this machine had in hand; how many jobs."""
    dead = [one for one in database.workers() if is_gone(one["info"])]
    return sum(database.bury(one["id"], one["info"]) for one in dead)


def _stat(pid: int) -> dict[str, Any] | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return {"state": fields[STATE], "started": int(fields[STARTED])}
