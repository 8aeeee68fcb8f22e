"""Private folders for fetched originals and what handlers write. Left-overs of killed workers are removed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

_LOCK = ".lock"


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """A folder of this worker below `root`, removed at the end. A lock shows that its owner lives."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(root / _LOCK):  # nobody sweeps away a folder that has not got its lock yet
        _sweep(root)
        folder = Path(tempfile.mkdtemp(prefix="worker-", dir=root))
        lock = _open(folder / _LOCK)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def make_folder(scratch: Path, job_id: UUID) -> Path:
    """An empty private folder for one job, of its own each time: a job that comes back may find its last one in use."""
    return Path(tempfile.mkdtemp(prefix=f"{job_id}-", dir=scratch))


def remove_folder(folder: Path) -> None:
    """With all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def workdir(scratch: Path, job_id: UUID) -> Iterator[Path]:
    """An empty private folder of one job, removed at the end."""
    folder = make_folder(scratch, job_id)
    try:
        yield folder
    finally:
        remove_folder(folder)


def _sweep(root: Path) -> None:
    for folder in root.glob("worker-*"):
        with suppress(OSError), _locked(folder / _LOCK, wait=False):  # locked: its owner lives
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    lock = _open(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
