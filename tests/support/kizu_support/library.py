"""A library under test: a real database, a folder of small real photos, a reconciler between them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from PIL import Image

from kizu_core.database.direct import DirectTransport
from kizu_core.library.reconcile import Reconciler
from kizu_core.library.report import Progress, ReconcileReport
from kizu_support.postgres import KizuDatabase


class Functions:
    """The library functions of a database."""

    def __init__(self, url: str) -> None:
        self._transport = DirectTransport(url)

    def root(self, user: UUID, path: str, device: str | None) -> Mapping[str, Any] | None:
        return self._transport.call("kizu_root", {"p_user": user, "p_path": path, "p_device": device})

    def root_files(self, root: UUID, after: str | None, limit: int) -> Sequence[Mapping[str, Any]]:
        return self._transport.call("kizu_root_files", {"p_root": root, "p_after": after, "p_limit": limit})

    def import_files(self, root: UUID, files: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        return self._transport.call("kizu_import_files", {"p_root": root, "p_files": files})

    def mark_missing(self, root: UUID, paths: Sequence[str]) -> int:
        return self._transport.call("kizu_mark_missing", {"p_root": root, "p_paths": paths})

    def root_state(self, root: UUID, state: str, device: str | None = None) -> None:
        self._transport.call("kizu_root_state", {"p_root": root, "p_state": state, "p_device": device})

    def close(self) -> None:
        self._transport.close()


@dataclass
class Library:
    """One user's library over a folder `photos` that exists and is empty."""

    database: KizuDatabase
    photos: Path
    reconciler: Reconciler
    user: UUID
    events: list[Progress] = field(default_factory=list)

    def scan(self, folder: Path | None = None) -> ReconcileReport:
        return self.reconciler.run(folder or self.photos, self.events.append)

    def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        with self.database.transaction() as connection:
            return connection.execute(query.encode(), arguments).fetchall()

    def assets(self) -> dict[str, UUID]:
        """File name -> id of the photos that are there."""
        query = "select file_name, id from public.assets where missing_since is null and user_id = %s"
        return dict(self.rows(query, self.user))

    def missing(self) -> set[str]:
        return {name for (name,) in self.rows("select file_name from public.assets where missing_since is not null")}


@contextmanager
def open_library(database: KizuDatabase, folder: Path) -> Iterator[Library]:
    """A library of a new user over `folder/photos`, which is made if need be."""
    functions = Functions(database.worker)
    photos = folder / "photos"
    photos.mkdir(exist_ok=True)
    user = uuid4()
    yield Library(database, photos, Reconciler(functions, user, run_folder=folder / "run", readers=2), user)
    functions.close()


def draw(path: Path, shade: int = 0, size: tuple[int, int] = (32, 24)) -> Path:
    """A small JPEG whose content follows from `shade`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade % 256, shade // 256 % 256, 99)).save(path, "JPEG", comment=str(shade))
    return path


def tree_hash(folder: Path) -> str:
    """One hash over names, contents, modes and times of all files of a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        digest.update(f"{os.fsencode(path)!r} {status.st_mode} {status.st_mtime_ns} {status.st_size}\n".encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()
