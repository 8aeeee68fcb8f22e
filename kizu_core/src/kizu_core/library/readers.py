"""The parent's side of `inspect`: several reader processes, each with a time limit for every file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from kizu_core.database.paths import text_to_path
from kizu_core.library.answers import Answer
from kizu_core.library.reader import ReaderPool
from kizu_core.library.scan import FileSeen

SECONDS_A_FILE: Final = 30.0
BYTES_A_SECOND: Final = 4_000_000
"""A slow disk or network: large videos get the time to be hashed on top of `SECONDS_A_FILE`."""


class Readers:
    """Reader processes for the files under `root`; they start when the first file is read. A context manager."""

    def __init__(self, root: Path, count: int, *, seconds_a_file: float = SECONDS_A_FILE) -> None:
        self._root = root
        self._seconds = seconds_a_file
        self._pool = ReaderPool("kizu_core.library.inspect", count)

    def __enter__(self) -> Readers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.__exit__(kind, error, trace)

    def read(self, files: Iterable[FileSeen]) -> Iterator[tuple[FileSeen, Answer]]:
        """What `inspect.inspect_file` says of each file, in order; a few files ahead of the caller.

        Raises `LibraryError` if readers can't be started at all.
        """
        yield from self._pool.ask(
            (
                file,
                {"path": str(self._root / text_to_path(file.path)), "kind": file.kind},
                self._seconds + file.size / BYTES_A_SECOND,
            )
            for file in files
        )
