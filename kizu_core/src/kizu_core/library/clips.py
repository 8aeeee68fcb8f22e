"""The parent's side of `clip`: small pictures out of originals, decoded by guarded processes only."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from kizu_core.library.reader import ReaderPool
from kizu_core.types import Box

SECONDS_A_PICTURE: Final = 30.0
JPEG_START: Final = b"\xff\xd8\xff"


def clips(wanted: Iterable[tuple[Path, Box | None]], side_px: int, processes: int) -> Iterator[bytes | None]:
    """For each path and box what `media.clip.clip` makes of them, in order; None where the file can't be shown.

    Raises `LibraryError` if the processes can't be started at all.
    """
    with ReaderPool("kizu_core.library.clip", processes) as pool:
        for _, answer in pool.ask((None, _request(path, box, side_px), SECONDS_A_PICTURE) for path, box in wanted):
            yield _jpeg(answer.get("jpeg"))


def _request(path: Path, box: Box | None, side_px: int) -> dict[str, object]:
    edges = [box.left, box.top, box.right, box.bottom] if box else None
    return {"path": str(path), "box": edges, "side": side_px}


def _jpeg(text: object) -> bytes | None:
    """The process may have been taken over by a picture: what it says is a JPEG at least begins as one."""
    if not isinstance(text, str):
        return None
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if content.startswith(JPEG_START) else None
