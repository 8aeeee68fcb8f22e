"""The mark of `kizu db start`: the server stays up when nobody uses it, and may listen to TCP.

It lies beside the locks, so whoever finds the server dead starts it again as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kizu_core.database.embedded.config import PORT, Tcp


@dataclass(frozen=True, slots=True)
class Pin:
    """The file at `path`: absent, empty, or `host port`."""

    path: Path

    def exists(self) -> bool:
        """Whether the server is to stay up."""
        return self.path.exists()

    def put(self, tcp: Tcp | None) -> None:
        """Let it stay up, and listen at `tcp` from its next start on."""
        temporary = self.path.with_suffix(".part")
        temporary.touch(mode=0o600)
        temporary.write_text(f"{tcp.host} {tcp.port}" if tcp else "", encoding="utf-8")
        temporary.replace(self.path)

    def remove(self) -> None:
        """Let it stop with its last user."""
        self.path.unlink(missing_ok=True)

    @property
    def tcp(self) -> Tcp | None:
        """Where it is to listen."""
        try:
            host, _, port = self.path.read_text(encoding="utf-8").partition(" ")
        except FileNotFoundError:
            return None
        return Tcp(host, int(port)) if port.isdigit() else None

    @property
    def port(self) -> int:
        """The port that it is to have, of which the name of its socket is made."""
        return self.tcp.port if self.tcp else PORT
