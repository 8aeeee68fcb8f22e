"""Where a scanned folder belongs, and whether it can be trusted to show what became of its photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from kizu_core.database.paths import path_to_text, readable, text_to_path
from kizu_core.errors import LibraryError
from kizu_core.library.compare import KnownFile, is_other_disk
from kizu_core.library.scan import FileSeen, Problem


@dataclass(frozen=True, slots=True)
class Place:
    """A folder's place in the library: `below` the root, both as `os` takes them; `device` as last remembered."""

    root_id: UUID
    root: Path
    below: str
    device: str | None

    @property
    def folder(self) -> Path:
        return self.root / self.below

    @property
    def shown(self) -> str:
        """The folder for people."""
        return readable(str(self.folder))

    @property
    def is_there(self) -> bool:
        return device_of(self.folder) is not None


def resolved_folder(folder: Path) -> Path:
    """The folder's full path, links followed. Raises `LibraryError` for what can't be one."""
    try:
        path = folder.expanduser().resolve()
        is_file = path.is_file()
    except (OSError, RuntimeError, ValueError) as error:
        raise LibraryError(f"{readable(str(folder))} can't be used as a folder: {error}.") from error
    if is_file:
        raise LibraryError(f"{readable(str(path))} is a file, not a folder.", hint="Give the folder that it lies in.")
    return path


def device_of(path: Path) -> str | None:
    """The device that a folder lies on, None if it is not there."""
    try:
        return str(path.stat().st_dev)
    except OSError:
        return None


def why_offline(
    place: Place,
    device: str | None,
    seen: Sequence[FileSeen],
    known: Mapping[str, KnownFile],
    problems: Sequence[Problem],
) -> str | None:
    """A sentence if nothing should follow from what was seen: the folder is absent, unreadable, empty, another disk."""
    count = sum(not file.missing for file in known.values())
    stay = f"Its {count:,} files stay in the library as they are."
    if not place.is_there:
        return f"{place.shown} is not there now. {stay}"
    if any(problem.path == path_to_text(place.below) for problem in problems):
        return f"{place.shown} can't be read now. {stay}"
    if count and not seen:
        return f"{place.shown} is empty now. {stay} Is its disk connected?"
    if count and device != place.device and is_other_disk(seen, known):
        return f"{place.shown} is on another disk now, and most of its files are not there. {stay}"
    return None


def is_gone(place: Place, file: KnownFile, problems: Sequence[Problem]) -> bool:
    """Whether a file that was not seen is really gone: its place could be looked at, with its own disk mounted."""
    if any(file.path == problem.path or file.path.startswith(f"{problem.path}/") for problem in problems):
        return False
    mount = place.root / text_to_path(file.mount)
    return not file.mount or device_of(mount) not in (None, device_of(mount.parent))
