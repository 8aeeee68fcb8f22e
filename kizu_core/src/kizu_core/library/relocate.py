"""The same photos in another place: the library follows a folder that moved, without reading it again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from kizu_core.database.opening import OpenDatabase
from kizu_core.database.paths import readable, text_to_path
from kizu_core.errors import LibraryError


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One folder of the library. Of `looked_at` of its `files`, `there` are in the new place with their size."""

    old: str
    new: str
    files: int
    looked_at: int
    there: int


def relocate(database: OpenDatabase, user: UUID, old: Path, new: Path, *, dry_run: bool = False) -> list[Move]:
    """Let the user's folders at and below `old` lie at and below `new`; which these are.

    Raises `LibraryError`, and changes nothing, if there are none, if the photos are not in the new place, or if that
    is a part of another folder of the library.
    """
    target = Path(os.path.realpath(new.expanduser()))
    if not target.is_dir():
        raise LibraryError(f"There is no folder {readable(str(target))}.", hint="Is its disk connected?")
    # As the library calls it; or as it was resolved when it was read in, if the name given is a link's.
    names = dict.fromkeys((os.path.normpath(old.expanduser().absolute()), os.path.realpath(old.expanduser())))
    for name in names:
        answer = database.worker.relocate(user, Path(name), target, check=True)
        if answer.get("moves") != []:
            break
    _refuse(answer, readable(name), readable(str(target)))
    moves = [_looked_at(row) for row in answer["moves"]]
    for move in moves:
        if 2 * move.there < move.looked_at:
            raise LibraryError(
                f"Of {move.looked_at} photos looked for in {move.new}, {move.there} are there, so nothing was changed.",
                hint="Name the folder that holds them now, or run `kizu run` on it to take them in as they are.",
            )
    if not dry_run:
        _refuse(database.worker.relocate(user, Path(name), target), readable(name), readable(str(target)))
    return moves


def _refuse(answer: Mapping[str, Any], old: str, new: str) -> None:
    """Raise if the database says that nothing can move."""
    instead = "Run `kizu run` on the new place instead: moved photos are recognised by their content."
    if "inside" in answer:
        whole = _shown(answer["inside"])
        raise LibraryError(f"{old} is a part of the library folder {whole}, which only moves as a whole.", hint=instead)
    if "meets" in answer:
        raise LibraryError(f"{new} overlaps the library folder {_shown(answer['meets'])}.", hint=instead)
    if not answer["moves"]:
        raise LibraryError(f"No library folder is at or below {old}.", hint="See `kizu library list`.")


def _looked_at(row: Mapping[str, Any]) -> Move:
    root, sample = Path(text_to_path(row["new"])), row["sample"]
    there = sum(_size(root / text_to_path(file["path"])) == file["size"] for file in sample)
    return Move(old=_shown(row["old"]), new=_shown(row["new"]), files=row["files"], looked_at=len(sample), there=there)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _shown(stored: str) -> str:
    return readable(text_to_path(stored))


def folders(database: OpenDatabase, user: UUID) -> list[dict[str, Any]]:
    """The user's folders, by path: what `kizu_roots` answers, and whether each is `there` now."""
    return [{**row, "there": Path(text_to_path(row["path"])).is_dir()} for row in database.api.roots(user)]
