"""A look at a folder that changes nothing: what a run would find there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from kizu_core.database.paths import readable
from kizu_core.errors import LibraryError
from kizu_core.library.compare import KnownFile, compare
from kizu_core.library.place import resolved_folder
from kizu_core.library.plan import Findings
from kizu_core.library.scan import Scan
from kizu_core.settings import Paths


def preview(folder: Path, paths: Paths, known_in: Callable[[Path], Iterable[KnownFile]]) -> tuple[Path, Findings]:
    """The folder in full, and what is in it. `known_in`: what is known of the files in a folder.

    Raises `LibraryError` for a folder that is not there or can't be read.
    """
    path = resolved_folder(folder)
    shown = readable(str(path))
    if not path.is_dir():
        raise LibraryError(f"There is no folder {shown}.", hint="Check the name, and whether its disk is connected.")
    scan = Scan(path, without=(paths.home,))
    seen = list(scan)
    if any(problem.path == "" for problem in scan.problems):
        raise LibraryError(f"{shown} can't be read.", hint="Check its permissions.")
    known = {file.path: file for file in known_in(path)}
    return path, Findings.of(shown, seen, scan, compare(seen, known, other_device=False))
