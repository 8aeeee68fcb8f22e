"""Moments as folders of files, for people and programs that have no Kizu. Originals are only read."""

from __future__ import annotations

import json
import os
import shutil
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kizu_core.errors import StorageError

INDEX = "moment.json"
MOST_NAME = 80
"""Characters of a title in a folder's name: file systems limit whole names to 255 bytes."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """`written` and `there` (from an earlier export) count files; `failed`: name -> why, in words."""

    folder: Path
    written: int
    there: int
    failed: Mapping[str, str]


def export(moment: Json, folder: Path, *, link: bool = False) -> Exported:
    """Copy the originals of a moment into a folder of its own below `folder`, with an index. Nothing is overwritten.

    May be repeated after an interruption: files that are there are passed over. `moment`: as `Moments.show` gives it,
    with real paths. `link`: hard links instead of copies where both lie on one disk; they take no space, and whoever
    changes one changes the original. Raises `StorageError` if nothing can be written.
    """
    place = folder / f"{file_name(moment['title'])} ({moment['id'][:8]})"
    try:
        place.mkdir(parents=True, exist_ok=True)
        outcomes = {name: _placed(photo, place / name, link=link) for name, photo in _named(moment["photo_list"])}
        _write_index(moment, place, [name for name, why in outcomes.items() if why in ("", "there")])
    except OSError as error:
        raise StorageError(f"The moment can't be written to {place}: {error.strerror}.") from error
    return Exported(
        folder=place,
        written=sum(why == "" for why in outcomes.values()),
        there=sum(why == "there" for why in outcomes.values()),
        failed={name: why for name, why in outcomes.items() if why not in ("", "there")},
    )


def file_name(text: str) -> str:
    """The text as a name that every file system takes."""
    shown = (" " if one in '/\\:*?"<>|' or unicodedata.category(one)[0] == "C" else one for one in text)
    name = " ".join("".join(shown).split())[:MOST_NAME].strip(" .")
    return name or "moment"


def _named(photos: list[Json]) -> Iterator[tuple[str, Json]]:
    """Names in the order of time, and which photo each is for; the same names at every export."""
    taken: set[str] = set()
    for photo in photos:
        time = (photo["taken_local"] or "").replace("T", " ").replace(":", ".")[:19]
        stem, dot, ending = file_name(photo["file_name"] or "photo").rpartition(".")
        name = f"{time} {stem}".strip() if dot else f"{time} {ending}".strip()
        if f"{name}{dot}{ending}".casefold() in taken:
            name += f" ({photo['asset_id'][:8]})"
        full = f"{name}{dot}{ending}" if dot else name
        taken.add(full.casefold())
        yield full, photo


def _placed(photo: Json, target: Path, *, link: bool) -> str:
    """Empty for a file that is written now, `there` for one that was, else why there is none."""
    if not photo["path"]:
        return "The file is gone."
    original = Path(photo["path"])
    try:
        facts = original.stat()
    except OSError:
        return f"{original} is not there now: is its disk connected?"
    if os.path.lexists(target):
        found = target.lstat()
        same = (found.st_size, found.st_mtime_ns) == (facts.st_size, facts.st_mtime_ns)
        return "there" if same else "Another file has this name, and is left as it is."
    if link:
        try:
            target.hardlink_to(original)
            return ""
        except OSError:  # another disk, or one without links
            pass
    return _copied(original, target)


def _copied(original: Path, target: Path) -> str:
    """A copy appears under its name when it is whole, and never in the place of something else."""
    part = target.with_name(f".{target.name[-100:]}.part")
    try:
        shutil.copy2(original, part)
    except PermissionError:
        return f"{original} may not be read."
    try:
        target.hardlink_to(part)
    except FileExistsError:
        return "Another file has this name, and is left as it is."
    except OSError:  # no links on this disk
        part.rename(target)
    part.unlink(missing_ok=True)
    return ""


def _write_index(moment: Json, place: Path, names: list[str]) -> None:
    """What the folder holds and why. The folder's name has the moment's id, so an index in it is ours."""
    by_name = dict(_named(moment["photo_list"]))
    photos = [
        {"file": name, "asset_id": by_name[name]["asset_id"], "taken": by_name[name]["taken_local"]} for name in names
    ]
    told = ("id", "title", "subtitle", "kind", "first_day", "last_day", "reasons")
    text = json.dumps({key: moment[key] for key in told} | {"photos": photos}, ensure_ascii=False, indent=2)
    part = place / f".{INDEX}.part"
    part.write_text(text + "\n", encoding="utf-8", errors="replace")
    part.replace(place / INDEX)
