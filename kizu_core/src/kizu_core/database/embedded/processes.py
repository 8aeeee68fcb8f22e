"""Which process serves a data folder. A pid file is a rumour until the process it names is looked at.

After a crash or a restart of a container the number in `postmaster.pid` often belongs to somebody else, so
nothing here believes or signals a process whose command line is not our server's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

PID_FILE = "postmaster.pid"
PORT_LINE, SOCKET_LINE = 3, 4  # of the pid file: pid, data folder, start time, port, socket folder, ...


def command_line(pid: int) -> str:
    """The command line of a process, its arguments joined by spaces; empty when it has ended."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return os.fsdecode((proc / str(pid) / "cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" "))
        except OSError:
            return ""
    done = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    return os.fsdecode(done.stdout).strip()


def is_alive(pid: int) -> bool:
    """Whether the process exists and has not ended; its command line is empty for a moment while it starts."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            state = (proc / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state not in {"Z", "X"}
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()[:1] not in {"", "Z"}


def server_pid(data: Path) -> int | None:
    """The process id of the server of `data`, or None when the pid file is absent, stale or somebody else's."""
    lines = _pid_file(data)
    if not lines or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    return pid if command_line(pid).endswith(f"/postgres -D {data}") else None


def socket_address(data: Path) -> tuple[Path, int] | None:
    """Folder of the running server's socket and the port in its name; None when none runs or is that far."""
    lines = _pid_file(data)
    if server_pid(data) is None or len(lines) <= SOCKET_LINE or not lines[SOCKET_LINE]:
        return None
    return Path(lines[SOCKET_LINE]), int(lines[PORT_LINE])


def stop_server(data: Path, patience_s: float = 60.0) -> bool:
    """Stop the server of `data` and wait for its end; False when none runs.

    Asks for the fast way first: sessions are cut, everything is written. A server that does not get there
    in `patience_s` seconds is told to end at once, which a later start repairs from its log.
    """
    pid = server_pid(data)
    if pid is None:
        return False
    for number in (signal.SIGINT, signal.SIGQUIT):
        _signal(data, pid, number)
        end = time.monotonic() + patience_s
        while is_alive(pid) and time.monotonic() < end:
            time.sleep(0.02)
    return True


def _signal(data: Path, pid: int, number: signal.Signals) -> None:
    if server_pid(data) == pid:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _pid_file(data: Path) -> list[str]:
    try:
        return os.fsdecode((data / PID_FILE).read_bytes()).splitlines()
    except OSError:
        return []
