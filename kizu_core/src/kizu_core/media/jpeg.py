"""How often a JPEG goes over its own pixels. A decoder does all of it before the first one is there, at every size."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")  # 0 is an escaped byte of the data, d0 to d7 are restarts in it
_SCAN, _END = 0xDA, 0xD9
_ALONE = frozenset({0x01, 0xD8})
_CHUNK = 2**20


def most_scans(path: Path) -> int:
    """How many scans there can be at most: as often as their marker occurs, be it in a picture within the metadata.

    Tenfold quicker than `scans`, and nearly always enough to know.
    """
    found, last = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found += (last + chunk).count(b"\xff\xda")
            last = chunk[-1:]
    return found


def scans(path: Path, most: int) -> int:
    """How many scans the first picture in `path` has; counts no further than `most` + 1."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at, found = 2, 0
        while found <= most and (marker := _MARKER.search(data, at)):
            at, code = marker.end(), marker[1][0]
            if code == _END:
                break
            found += code == _SCAN
            if code not in _ALONE:
                at += int.from_bytes(data[at : at + 2], "big")  # the length of a segment counts itself
        return found
