"""Where a job's original comes from: a file of the user's library, else its address."""

from __future__ import annotations

import os
from pathlib import Path

from kizu_core.database import Claim, LocalFile
from kizu_core.errors import SourceMissing
from kizu_core.media.fetch import fetch
from kizu_core.privacy.http import Policy


class SourceOffline(SourceMissing):
    """The folder that holds the original is not there now: a disk is not plugged in, a share not mounted."""

    code = "source_offline"
    retryable = True


def find_source(claim: Claim, workdir: Path, policy: Policy) -> Path | None:
    """The original, read-only; fetched into `workdir` if it has only an address. None for a job without a photo.

    Raises `SourceOffline`, `SourceMissing` and what `fetch` raises.
    """
    for file in claim.files:
        if _is_readable(file):
            return file.path
    if claim.url:
        return fetch(claim.url, workdir / "original", policy)
    if claim.files:
        raise _explained(claim.files)
    if claim.job.asset_id is not None:
        raise SourceMissing("No place is known where this photo could be read.")
    return None


def _is_readable(file: LocalFile) -> bool:
    try:
        return _is_inside(file) and file.path.is_file() and os.access(file.path, os.R_OK)
    except OSError:  # a folder on the way that may not be entered, a name that is too long
        return False


def _is_inside(file: LocalFile) -> bool:
    """Whether the path stays below its root as written. Links inside a library are the user's own business."""
    return file.path.is_relative_to(file.root) and ".." not in file.path.parts


def _explained(files: tuple[LocalFile, ...]) -> SourceMissing:
    try:
        return _explain(files)
    except OSError as error:
        return SourceMissing(f"The file can't be looked at: {error.strerror}.", hint="Check its permissions.")


def _explain(files: tuple[LocalFile, ...]) -> SourceMissing:
    """Why none of these places gives the photo; that of a disk away wins, since it will come back."""
    for file in files:
        if not file.root.is_dir():
            return SourceOffline(f"The folder {file.root} is not there now.", hint="Connect its disk.")
    first = files[0]
    if first.path.exists():
        return SourceMissing("The file may not be read.", hint="Check its permissions.")
    return SourceMissing("The file is not where it was.", hint="Run `kizu run` to look for it again.")
