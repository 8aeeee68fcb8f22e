"""One process at a time reads photos into a user's library, or deletes it."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from kizu_core.settings import Paths


@contextmanager
def alone(paths: Paths, user: UUID, on_wait: Callable[[], None]) -> Iterator[Path]:
    """Holds the library's lock while inside; the lock's file. `on_wait` is called before waiting, and may raise."""
    paths.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = paths.run / f"library-{user}.lock"
    path.touch(mode=0o600)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield path
