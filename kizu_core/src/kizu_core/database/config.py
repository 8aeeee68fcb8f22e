"""The server's own configuration, written anew at every start into a file that `postgresql.conf` includes."""

from __future__ import annotations

import os
from pathlib import Path

MB = 1024 * 1024
LARGEST_BUFFERS_MB = 1024
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def configuration(socket_folder: Path) -> str:
    """Text of `kizu.conf` for this machine and this place of the socket."""
    settings: dict[str, str] = {
        "listen_addresses": "",
        # A list to PostgreSQL: the inner quotes keep a comma or a space inside one path.
        "unix_socket_directories": '"' + str(socket_folder).replace('"', '""') + '"',
        "unix_socket_permissions": "0700",
        "port": "5432",
        "max_connections": "100",
        "shared_buffers": f"{shared_buffers_mb()}MB",
        "fsync": "on",
        "synchronous_commit": "on",
        "jit": "off",
        # A first run fills empty tables in minutes; until they are analysed, plans made for empty tables stay in use.
        "autovacuum_naptime": "10s",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        # Statements carry what stands in people's photos; the log never does.
        "log_statement": "none",
        "log_min_error_statement": "panic",
        "log_min_duration_statement": "-1",
        "log_parameter_max_length_on_error": "0",
    }
    return "".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items())


def shared_buffers_mb() -> int:
    """A quarter of the memory that this machine or container has, at most 1 GB."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.exists() else "max"
    if limit.isdigit():
        memory = min(memory, int(limit))
    return max(16, min(LARGEST_BUFFERS_MB, memory // MB // 4))


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
