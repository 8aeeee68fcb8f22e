"""A library under test: a real database, a folder of small real photos, a reconciler between them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from PIL import Image

from kizu_core.database import Database, OpenDatabase
from kizu_core.database.direct import DirectTransport
from kizu_core.library.reconcile import Reconciler
from kizu_core.library.report import Progress, ReconcileReport
from kizu_core.settings import Paths
from kizu_support.postgres import KizuDatabase


@dataclass
class Library:
    """One user's library over a folder `photos` that exists and is empty."""

    database: KizuDatabase
    opened: OpenDatabase
    photos: Path
    reconciler: Reconciler
    user: UUID
    events: list[Progress]

    def scan(self, folder: Path | None = None) -> ReconcileReport:
        return self.reconciler.run(folder or self.photos)

    def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        with self.database.transaction() as connection:
            return connection.execute(query.encode(), arguments).fetchall()

    def assets(self) -> dict[str, UUID]:
        """File name -> id of the photos that are there."""
        query = "select file_name, id from public.assets where missing_since is null and user_id = %s"
        return dict(self.rows(query, self.user))

    def missing(self) -> set[str]:
        """File names of the photos that are missing."""
        query = "select file_name from public.assets where missing_since is not null and user_id = %s"
        return {name for (name,) in self.rows(query, self.user)}

    def state(self) -> str:
        """State of the only root."""
        [(state,)] = self.rows("select state from public.library_roots where user_id = %s", self.user)
        return str(state)


@contextmanager
def open_library(database: KizuDatabase, folder: Path) -> Iterator[Library]:
    """A library of a new user over `folder/photos`, which is made if need be."""
    photos = folder / "photos"
    photos.mkdir(exist_ok=True)
    user = uuid4()
    events: list[Progress] = []
    with (
        closing(Database(DirectTransport(database.worker))) as worker,
        closing(Database(DirectTransport(database.api))) as api,
    ):
        opened = OpenDatabase(worker, api, listen_url=database.worker, embedded=None)
        reconciler = Reconciler(opened, user, paths=Paths(folder / "home"), readers=2, on_event=events.append)
        yield Library(database, opened, photos, reconciler, user, events)


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
