"""How a worker is asked to work."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass, field


def new_worker_id() -> str:
    """Host, process and a random part: two workers never share a name by accident."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


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
