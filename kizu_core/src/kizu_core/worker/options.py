"""How a worker is asked to work."""

from __future__ import annotations

import os
import re
import secrets
import socket
from dataclasses import dataclass, field

from kizu_core.errors import SettingError

_NAME = re.compile(r"[\w.:@-]{1,100}")


def new_worker_id() -> str:
    """Host, process and a random part: two workers never share a name by accident."""
    host = re.sub(r"[^\w.:@-]", "-", socket.gethostname())[:60]
    return f"{host}-{os.getpid()}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """`only`: names of handlers to run, `operations`: what to do of their jobs; None for all. `drain`: end when nothing
    is left that this worker can do, retries included. `once`: one claim of each table, then end. `wake`: listen for
    new jobs besides polling. `poll_interval`, `lease_seconds`: None for what the settings say.
    """

    worker_id: str = field(default_factory=new_worker_id)
    only: tuple[str, ...] | None = None
    operations: tuple[str, ...] | None = None
    drain: bool = False
    once: bool = False
    poll_interval: float | None = None
    lease_seconds: int | None = None
    wake: bool = True
    grace_seconds: float = 8.0

    def __post_init__(self) -> None:
        """Raises `SettingError` for a name that would spoil logs and lists."""
        if not _NAME.fullmatch(self.worker_id):
            raise SettingError(
                f"{self.worker_id[:40]!r} is no name for a worker.",
                hint="A name has up to 100 letters, digits and . _ : @ -, for example garage-2.",
            )
