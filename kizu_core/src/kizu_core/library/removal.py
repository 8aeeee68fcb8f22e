"""What Kizu wrote into its data folder, told from what it did not write by names that only Kizu gives."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg

from kizu_core.database.embedded.launcher import Embedded
from kizu_core.database.paths import readable, text_to_path
from kizu_core.errors import KizuError, LibraryError
from kizu_core.library.demo import SCENES
from kizu_core.settings import Paths
from kizu_core.types import ModelType

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CLUSTER = (
    r"((base|global|pg_\w+)/.+|PG_VERSION|pg_\w+\.conf|postgresql(\.auto)?\.conf|postmaster\.(opts|pid)|"
    r"current_logfiles|kizu\.(conf|passwords))"
)
_LOGS = r"logs/[^/]+\.(log|old)"
_RUN = r"run/([^/]+\.(lock|sock)|database\.(pinned|part)|\.s\.PGSQL\..+)"
_KINDS = "|".join((*ModelType, "huggingface", "torch", "ultralytics", "easyocr", "matplotlib"))

DATA: Final = {
    "database": rf"database(\.[\w.-]+)?/{_CLUSTER}",
    "thumbnails": rf"blobs/({_UUID}/processed/{_UUID}/[^/]+|\.swept)",
    "backups": r"backups/\.?(kizu|before|replaced)-.+\.dump(\.[0-9a-f]+\.part)?",
    "pictures of the demo": rf"demo/({'|'.join(re.escape(scene.path) for scene in SCENES)})",
    "settings": r"kizu\.(toml|part)",
}
"""What can't be had again, or not without work. Part -> pattern of its files, relative to the data folder."""

CACHES: Final = {
    "models": rf"models/((manifest|consents|runtimes)\.json(\.\w+)?|archives/.+|\.?[\w.-]*lock|({_KINDS})/.+)",
    "logs": _LOGS,
    "pages of pictures": r"sheets/[a-z0-9-]+\.html",
    "locks and scratch files": rf"({_RUN}|scratch/(\.lock|worker-.+)|restoring/(database/{_CLUSTER}|{_LOGS}|{_RUN}))",
}
"""What is made again when it is needed."""

_DATA_FOLDERS = r"database(\.[\w.-]+)?|blobs|backups|demo"
_CACHE_FOLDERS = r"models|logs|run|scratch|sheets|restoring"


@dataclass(slots=True)
class Part:
    """Files that go together."""

    name: str
    files: list[Path] = field(default_factory=list)
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Survey:
    """`parts` would be removed; `others` are files in the data folder that are not Kizu's."""

    home: Path
    parts: Sequence[Part]
    others: Sequence[Path]
    folders: str
    """Pattern of the folders that the parts lie in, by their name in the data folder."""

    @property
    def bytes(self) -> int:
        """Of all parts."""
        return sum(part.bytes for part in self.parts)


def survey(paths: Paths, *, keep_data: bool) -> Survey:
    """Look at the data folder; changes nothing. Links are not followed and count as not Kizu's."""
    patterns = CACHES if keep_data else DATA | CACHES
    parts = {name: Part(name) for name in patterns}
    others = []
    for path in _files(paths.home):
        relative = path.relative_to(paths.home).as_posix()
        name = next((name for name, pattern in patterns.items() if re.fullmatch(pattern, relative, re.DOTALL)), None)
        if name is not None and not path.is_symlink():
            parts[name].files.append(path)
            parts[name].bytes += path.lstat().st_size
        elif not keep_data or not any(re.fullmatch(pattern, relative, re.DOTALL) for pattern in DATA.values()):
            others.append(path)
    folders = _CACHE_FOLDERS if keep_data else f"{_DATA_FOLDERS}|{_CACHE_FOLDERS}"
    return Survey(paths.home, [part for part in parts.values() if part.files], others, folders)


def refuse_photos(found: Survey, roots: Iterable[Path]) -> None:
    """Raise `LibraryError` if a folder of the library lies where something would be removed."""
    for root in roots:
        inside = root != found.home and root.is_relative_to(found.home) and root != found.home / "demo"
        if inside and any(path.is_relative_to(root) for part in found.parts for path in part.files):
            raise LibraryError(
                f"The photo folder {readable(str(root))} lies where Kizu keeps its own files, so nothing was removed.",
                hint="Move the photos elsewhere first.",
            )


def roots_of(server: Embedded) -> list[Path]:
    """The photo folders of all users, if the database can tell; without it, names alone protect what is not Kizu's."""
    if not server.status().exists:
        return []
    try:
        with server, psycopg.connect(server.urls().owner) as connection:
            return [Path(text_to_path(path)) for (path,) in connection.execute("select path from library_roots")]
    except (KizuError, psycopg.Error):
        return []


def remove(found: Survey) -> None:
    """Remove the files of the survey, then those of their folders that are empty, and the data folder if that is."""
    for part in found.parts:
        for path in part.files:
            path.unlink(missing_ok=True)
    for name, _, _ in os.walk(found.home, topdown=False):
        folder = Path(name)
        top = folder.relative_to(found.home).parts[:1]
        if not top or re.fullmatch(found.folders, top[0]):
            with suppress(OSError):  # not empty: it holds what is not Kizu's, or what stays
                folder.rmdir()


def _files(home: Path) -> Iterator[Path]:
    for name, folders, files in os.walk(home):
        folder = Path(name)
        yield from sorted(folder / one for one in files)
        yield from (folder / one for one in folders if (folder / one).is_symlink())
