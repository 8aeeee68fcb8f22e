"""Blobs in a folder of the data folder: thumbnails and web versions, whole or not there at all."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from kizu_core.errors import DiskFull, StorageError

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_KEY = re.compile(rf"{_UUID}/processed/{_UUID}/[A-Za-z0-9][A-Za-z0-9._-]{{0,99}}", re.ASCII)
_DERIVED = re.compile(
    rf"{_UUID}/processed/{_UUID}/(?:(?:thumb|web)-[0-9a-f]{{12}}\.jpg|\.[0-9a-f]{{16}}\.part)", re.ASCII
)
"""What `sweep` may remove: thumbnails, web versions, and what a `put` that was killed left behind."""

DAY_S = 24 * 60 * 60
SWEPT_AT_ONCE = 500

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class LocalBlobs:
    """Keys look like `{user}/processed/{asset}/{name}` and nothing else is ever opened below `root`.

    No step of a key may be a symbolic link: each folder is opened relative to the one above it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, path: Path) -> None:
        """Stores a copy of `path` under `key`, durable when this returns; an older blob is replaced at once.

        Raises `StorageError` for a key of another form or a link in the way, `DiskFull`.
        """
        *folders, name = parse_key(key)
        temporary = f".{secrets.token_hex(8)}.part"
        with _storage_errors(self.root), self._folder(folders, create=True) as folder:
            try:
                self._copy(path, temporary, folder)
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise
            os.fsync(folder)

    def path(self, key: str) -> Path:
        """Where the blob is, checked to be a plain file reached without links. Raises `StorageError` if it is not."""
        *folders, name = parse_key(key)
        with _storage_errors(self.root), self._folder(folders, create=False) as folder:
            if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                raise StorageError(f"{key} is not a plain file in {self.root}.")
        return self.root.joinpath(*folders, name)

    def url(self, key: str) -> str:
        """What `thumbnail` and `web_uri` hold: the key itself, which whoever serves the folder resolves."""
        parse_key(key)
        return key

    def remove_user(self, user: UUID) -> int:
        """Removes every blob of a user; how many there were. Follows no link. Raises `StorageError`."""
        folder = self.root / str(user)
        if folder.is_symlink():
            raise StorageError(
                f"{folder} is a link, which Kizu never makes.", hint="Look where it leads and remove it."
            )
        if not folder.exists():
            return 0
        with _storage_errors(self.root):
            count = sum(len(files) for _, _, files in os.walk(folder))
            shutil.rmtree(folder)
        return count

    def sweep(self, orphans: Callable[[Sequence[str]], Iterable[str]]) -> Iterator[int]:
        """Removes thumbnails and web versions that are older than a day and among what `orphans` says of their keys.

        A generator, so that its caller chooses the pace: yields after every few hundred files how many of them are
        gone. Once a day for a folder, whoever asks; then, and at the end, there is nothing more to yield. Starts
        anywhere, so that sweeps which are cut short cover all of it in time. Raises `StorageError`.
        """
        before = time.time() - DAY_S
        marker = self.root / ".swept"
        if not self.root.is_dir() or (marker.exists() and marker.stat().st_mtime > before):
            return
        with _storage_errors(self.root):
            marker.touch(mode=0o600)
        keys = self._old_keys(before)
        while batch := list(islice(keys, SWEPT_AT_ONCE)):
            yield sum(self._remove_old(key, before) for key in orphans(batch))

    def _old_keys(self, before: float) -> Iterator[str]:
        for user in _shuffled(self.root):
            for asset in _shuffled(self.root / user / "processed"):
                folder = self.root / user / "processed" / asset
                for name in _shuffled(folder):
                    key = f"{user}/processed/{asset}/{name}"
                    if _DERIVED.fullmatch(key) and _is_old(folder / name, before):
                        yield key

    def _remove_old(self, key: str, before: float) -> bool:
        """Whether it was removed. It is put aside first: a job may have stored it anew since it was found to be old."""
        if not _DERIVED.fullmatch(key):
            return False
        *folders, name = key.split("/")
        aside = f".{secrets.token_hex(8)}.part"
        with contextlib.suppress(OSError), self._folder(folders, create=False) as folder:
            os.rename(name, aside, src_dir_fd=folder, dst_dir_fd=folder)
            is_old = os.stat(aside, dir_fd=folder, follow_symlinks=False).st_mtime < before
            if not is_old:
                with contextlib.suppress(FileExistsError):
                    os.link(aside, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            os.unlink(aside, dir_fd=folder)
            return is_old
        return False

    @contextlib.contextmanager
    def _folder(self, folders: list[str], *, create: bool) -> Iterator[int]:
        """A descriptor of the folder, made on the way if `create`."""
        if create:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        current = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in folders:
                if create:
                    _make_folder(name, current)
                below = os.open(name, _FOLDER_FLAGS, dir_fd=current)
                os.close(current)
                current = below
            yield current
        finally:
            os.close(current)

    @staticmethod
    def _copy(source: Path, name: str, folder: int) -> None:
        target = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode=0o600, dir_fd=folder)
        with os.fdopen(target, "wb") as out, _open_plain(source) as file:
            shutil.copyfileobj(file, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())


def _open_plain(path: Path) -> BinaryIO:
    """For reading. What was a plain file a moment ago may be a link or a pipe by now: its maker still runs."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise StorageError(f"{path.name} is no plain file.")
    return os.fdopen(descriptor, "rb")


def _make_folder(name: str, parent: int) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, mode=0o700, dir_fd=parent)
        os.fsync(parent)  # else a power cut could take the folder with the durable file in it


def parse_key(key: str) -> list[str]:
    """The parts of a well-formed key. Raises `StorageError` for any other text."""
    if not _KEY.fullmatch(key):
        raise StorageError(f"{key[:80]!r} is no key of a stored picture.")
    return key.split("/")


def _shuffled(folder: Path) -> list[str]:
    """Names in a folder in any order; none if it is no folder, or gone."""
    with contextlib.suppress(OSError):
        names = [path.name for path in folder.iterdir()]
        random.shuffle(names)
        return names
    return []


def _is_old(path: Path, before: float) -> bool:
    """Whether it is a plain file that was last written before that time."""
    with contextlib.suppress(OSError):
        status = path.lstat()
        return stat.S_ISREG(status.st_mode) and status.st_mtime < before
    return False


@contextlib.contextmanager
def _storage_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StorageError("That thumbnail or web version is not there.", hint="Run `kizu run` again.") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"No space is left in {root}.", hint="Free some space, then run again.") from error
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise StorageError(f"A link or file stands in the way of a folder in {root}.") from error
        raise StorageError(f"Can't use {root}: {error.strerror}.") from error
