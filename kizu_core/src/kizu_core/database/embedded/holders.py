"""Locks between processes that share one embedded server. The kernel drops them when a process dies, however."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_BEFORE_SAYING_S = 2.0


class Holders:
    """All users of a server hold a shared lock on one file; who can make it exclusive is the last one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def join(self) -> bool:
        """Count as a user, after waiting for the last one before us to stop the server; False if we do already."""
        if self._descriptor is not None:
            return False
        self._descriptor = _open(self._path)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        return True

    def leave(self, when_last: Callable[[], object]) -> bool:
        """Stop counting. The last user runs `when_last` first, while newcomers wait; True for the last one."""
        if self._descriptor is None:
            return False
        try:
            last = _try_exclusive(self._descriptor)
            if last:
                when_last()
            return last
        finally:
            os.close(self._descriptor)
            self._descriptor = None


@contextmanager
def exclusive(path: Path, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a lock file alone. `on_wait` is called once when another process has it for long."""
    descriptor = _open(path)
    try:
        end = time.monotonic() + WAIT_BEFORE_SAYING_S
        while on_wait is not None and time.monotonic() < end and not _try_exclusive(descriptor):
            time.sleep(0.02)
        if on_wait is not None and not _try_exclusive(descriptor):
            on_wait()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def exclusive_if_free(path: Path) -> Iterator[bool]:
    """Hold a lock file alone if nobody else has it; whether that is so."""
    descriptor = _open(path)
    try:
        yield _try_exclusive(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_exclusive(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
