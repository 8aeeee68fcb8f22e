"""The server's own configuration, written anew at every start into a file that `postgresql.conf` includes."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from kizu_core.database.embedded.passwords import LOGIN_ROLES

DATABASE = "kizu"
PORT = 5432  # of the socket's name; nothing listens on it unless asked to
MB = 1024 * 1024
LARGEST_BUFFERS_MB = 1024
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True)
class Tcp:
    """Where the server listens besides its socket: an IP address of this machine, and a port."""

    host: str
    port: int

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return ip_address(self.host).is_loopback

    @property
    def address(self) -> str:
        """The host as others name it in a URL: that of this machine, where it listens at all addresses."""
        listens = ip_address(self.host)
        name = socket.gethostname() if listens.is_unspecified else self.host
        return f"[{name}]" if ":" in name else name


def configuration(socket_folder: Path, tcp: Tcp | None = None) -> str:
    """Text of `kizu.conf` for this machine and this place of the socket."""
    settings: dict[str, str] = {
        "listen_addresses": tcp.host if tcp else "",
        # A list to PostgreSQL: the inner quotes keep a comma or a space inside one path.
        "unix_socket_directories": '"' + str(socket_folder).replace('"', '""') + '"',
        "unix_socket_permissions": "0700",
        "port": str(tcp.port if tcp else PORT),
        "max_connections": "200",
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


def access_rules(tcp: Tcp | None = None) -> str:
    """Text of `pg_hba.conf`. Nobody else gets in, the superuser included: no line means no entry."""
    rule = f"{DATABASE} {','.join(LOGIN_ROLES)}"
    lines = [f"local {rule} scram-sha-256"]
    if tcp is not None:
        lines += [f"host {rule} {'samehost' if tcp.is_local else 'all'} scram-sha-256"]
    return "".join(f"{line}\n" for line in lines)


def shared_buffers_mb() -> int:
    """A quarter of the memory that this machine or container has, at most 1 GB."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.exists() else "max"
    if limit.isdigit():
        memory = min(memory, int(limit))
    return max(16, min(LARGEST_BUFFERS_MB, memory // MB // 4))


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
