"""Walk a folder: which files may be photos, what was passed over and why. Reads names and sizes, no content."""

from __future__ import annotations

import os
import stat
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kizu_core.database.paths import path_to_text, readable
from kizu_core.library import ignore
from kizu_core.library.sidecar import sidecar_among

EXAMPLES = 5
"""How many names of what is passed over are kept for each reason."""


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file that is a photo or video by its name.

    `path`: relative to the root, `/` between parts, as stored (`database.paths`). `mtime_ns`: the
    later of the file's and its sidecar's. `mount`: path of the folder below the root where another disk is
    mounted that holds it, empty on the root's own disk.
    """

    path: str
    kind: ignore.Kind
    size: int
    mtime_ns: int
    inode: int
    mount: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A place that could not be looked at: nothing is known about what lies there now. `path` as in `FileSeen`."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str
    """Relative, as `os` gives it; empty for the start."""
    device: int
    mount: str
    in_package: bool


class Scan:
    """One walk of `root`, or of the folder `below` inside it. Iterate it once, then read the counts.

    Links are followed: to files always; to folders once per real folder, after all real folders, and never
    to a folder that contains the start (that would walk the disk). Folders `without` are left out, wherever
    they are met.
    """

    def __init__(self, root: Path, below: str = "", *, without: Iterable[Path] = ()) -> None:
        self.found: Counter[str] = Counter()
        """Candidates by kind: image, raw, video."""
        self.ignored: Counter[str] = Counter()
        """Folders and files passed over, by rule."""
        self.unknown: Counter[str] = Counter()
        """Files of types that Kizu does not read, by extension."""
        self.examples: defaultdict[str, list[str]] = defaultdict(list)
        """The first few of them by rule or extension (which begins with a dot), for people."""
        self.problems: list[Problem] = []
        self._root = root
        self._start = below
        self._walked: set[tuple[int, int]] = set()
        self._without = {_identity(path.stat()) for path in without if path.exists()}
        self._links: deque[_Folder] = deque()

    def __iter__(self) -> Iterator[FileSeen]:
        start, top = (self._root / self._start).stat(), self._root.stat()
        self._walked.update(_identity(parent.stat()) for parent in (self._root / self._start).parents)
        in_package = ignore.is_package((self._root / self._start).name)
        mount = self._start if start.st_dev != top.st_dev else ""
        folders = deque([_Folder(self._start, start.st_dev, mount, in_package)])
        while folders or self._links:
            yield from self._walk((folders or self._links).popleft(), folders)

    def _walk(self, folder: _Folder, folders: deque[_Folder]) -> Iterator[FileSeen]:
        """The files of one folder; folders in it are put on `folders`, or on the links for later."""
        try:
            identity = _identity((self._root / folder.path).stat())
            if identity in self._without or identity in self._walked:
                self._pass_over(ignore.OWN if identity in self._without else ignore.LINKED_TWICE, folder.path)
                return
            self._walked.add(identity)
            with os.scandir(self._root / folder.path) as listing:
                entries = {entry.name: entry for entry in sorted(listing, key=lambda entry: entry.name)}
        except OSError as error:
            self._trouble(folder.path, error)
            return
        for entry in entries.values():
            path = f"{folder.path}/{entry.name}" if folder.path else entry.name
            try:
                if entry.is_dir():
                    self._enter(entry, path, folder, folders)
                else:
                    yield from self._file(entry, path, folder, entries)
            except OSError as error:
                self._trouble(path, error)

    def _enter(self, entry: os.DirEntry[str], path: str, parent: _Folder, folders: deque[_Folder]) -> None:
        rule = ignore.folder_rule(entry.name, inside_package=parent.in_package)
        if rule:
            self._pass_over(rule, path)
            return
        device = entry.stat().st_dev
        mount = path if device != parent.device else parent.mount
        folder = _Folder(path, device, mount, ignore.is_package(entry.name))
        (self._links if entry.is_symlink() else folders).append(folder)

    def _file(
        self, entry: os.DirEntry[str], path: str, folder: _Folder, beside: Mapping[str, os.DirEntry[str]]
    ) -> Iterator[FileSeen]:
        extension = ignore.extension(entry.name)
        kind = ignore.KINDS.get(extension)
        rule = ignore.file_rule(entry.name, inside_package=folder.in_package)
        if rule is None and (kind or entry.is_symlink()):
            # A link that leads nowhere fails here: it may be a folder of a disk that is not connected.
            status = entry.stat()
            rule = None if stat.S_ISREG(status.st_mode) else ignore.NOT_REGULAR
        if rule:
            self._pass_over(rule, path)
        elif kind is None:
            self.unknown[extension] += 1
            self._remember(f".{extension}", path)
        else:
            self.found[kind] += 1
            sidecar = sidecar_among(entry.name, beside)
            changed_ns = max(status.st_mtime_ns, beside[sidecar].stat().st_mtime_ns if sidecar else 0)
            stored, mount = path_to_text(path), path_to_text(folder.mount)
            yield FileSeen(stored, kind, status.st_size, changed_ns, _signed(status.st_ino), mount)

    def _pass_over(self, rule: str, path: str) -> None:
        self.ignored[rule] += 1
        self._remember(rule, path)

    def _remember(self, why: str, path: str) -> None:
        if len(self.examples[why]) < EXAMPLES:
            self.examples[why].append(readable(path))

    def _trouble(self, path: str, error: OSError) -> None:
        broken_link = isinstance(error, FileNotFoundError) and (self._root / path).is_symlink()
        message = "The link leads nowhere." if broken_link else f"{error.strerror or error}."
        self.problems.append(Problem(path_to_text(path), message))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _signed(inode: int) -> int:
    """Some file systems use all 64 bits; the column has a sign."""
    return inode - (1 << 64) if inode >= 1 << 63 else inode
