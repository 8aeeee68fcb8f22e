"""What the database knows of the files in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final
from uuid import UUID

from kizu_core.database import Database
from kizu_core.database.paths import path_to_text
from kizu_core.library.compare import KnownFile

PAGE: Final = 1000

Rows = Sequence[Mapping[str, Any]]


def known_below(page_after: Callable[[str | None], Rows], below: str) -> Iterator[KnownFile]:
    """Files of a root that lie in its folder `below` (as stored, empty for all), page by page; paths are the root's."""
    prefix = f"{below}/" if below else ""
    after: str | None = prefix or None
    while True:
        page = [KnownFile(**row) for row in page_after(after)]
        yield from (file for file in page if file.path.startswith(prefix))
        if len(page) < PAGE or not page[-1].path.startswith(prefix):
            return
        after = page[-1].path


def known_in(database: Database, roots: Rows, folder: Path) -> Iterator[KnownFile]:
    """Files in `folder` with paths in it, whichever roots it belongs to or holds. Changes nothing.

    `roots`: as a status lists them.
    """
    asked = PurePosixPath(path_to_text(str(folder)))
    for row in roots:
        root = PurePosixPath(row["path"])
        if not (asked.is_relative_to(root) or root.is_relative_to(asked)):
            continue
        below = str(asked.relative_to(root)) if asked.is_relative_to(root) and asked != root else ""
        for file in known_below(partial(_page, database, UUID(row["id"])), below):
            yield replace(file, path=str((root / file.path).relative_to(asked)))


def _page(database: Database, root: UUID, after: str | None) -> Rows:
    return database.root_files(root, after, PAGE)
