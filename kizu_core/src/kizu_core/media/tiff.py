"""A look into TIFF headers: many RAW formats are TIFF files whose first picture is a tiny preview.

Pure bytes, no decoder. A hostile file can point anywhere: each directory is read at most once, the number of
directories and entries is bounded, and what lies outside the data simply is not there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

MAX_DIRECTORIES = 64
MAX_ENTRIES = 1024

NEW_SUBFILE_TYPE, COMPRESSION, PHOTOMETRIC, SUB_IFDS, DNG_VERSION = 254, 259, 262, 330, 50706
CFA, LINEAR_RAW = 32803, 34892
SENSOR_COMPRESSIONS = frozenset({32767, 32769, 32770, 34713, 65000, 65535})
"""Sony, packed RAW, Samsung, Nikon, Kodak, Pentax: compressions that only sensor data has."""

Directory = dict[int, list[int]]
"""Tag -> its integer values (only the types and lengths that matter here)."""

_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


class _Tiff:
    """Byte order and widths of one file: classic TIFF counts in 4 bytes, BigTIFF in 8."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        header = self.read(0, 16)
        self.order = "<" if header[:2] == b"II" else ">"
        self.big = len(header) == 16 and self._unpack("H", header[2:4])[0] == 43
        self.first = self._unpack("Q", header[8:16])[0] if self.big else self._unpack("I", header[4:8])[0]

    def read(self, offset: int, size: int) -> bytes:
        try:
            self._file.seek(offset)
            return self._file.read(size)
        except (OSError, OverflowError, ValueError):
            return b""

    def _unpack(self, form: str, data: bytes) -> tuple[int, ...]:
        if len(data) < struct.calcsize(self.order + form):
            raise EOFError
        return struct.unpack_from(self.order + form, data)

    def directory(self, offset: int) -> tuple[Directory, int]:
        """The directory at `offset` and the offset of the next one (0: none)."""
        count_form, word, entry_size = ("Q", "Q", 20) if self.big else ("H", "I", 12)
        count_size, word_size = struct.calcsize("=" + count_form), struct.calcsize("=" + word)
        (count,) = self._unpack(count_form, self.read(offset, count_size))
        body = self.read(offset + count_size, min(count, MAX_ENTRIES) * entry_size + word_size)
        tags: Directory = {}
        for at in range(0, min(count, MAX_ENTRIES) * entry_size, entry_size):
            entry = body[at : at + entry_size]
            if len(entry) < entry_size:
                return tags, 0
            tag, kind, number = self._unpack("HH" + word, entry)
            tags[tag] = self._values(kind, number, entry[4 + word_size :])
        following = body[count * entry_size :]
        return tags, self._unpack(word, following)[0] if len(following) >= word_size else 0

    def _values(self, kind: int, number: int, inline: bytes) -> list[int]:
        form = _INTEGERS.get(kind)
        if form is None or not 0 < number <= MAX_DIRECTORIES:
            return []
        size = struct.calcsize("=" + form) * number
        if size > len(inline):
            inline = self.read(self._unpack("Q" if self.big else "I", inline)[0], size)
        return list(self._unpack(f"{number}{form}", inline[:size])) if len(inline) >= size else []


def directories(file: BinaryIO) -> Iterator[Directory]:
    """Every directory that can be reached, the first one first; stops at loops and at the end of the data."""
    try:
        tiff = _Tiff(file)
    except EOFError:
        return
    waiting, seen = [tiff.first], set[int]()
    while waiting and len(seen) < MAX_DIRECTORIES:
        offset = waiting.pop(0)
        if offset == 0 or offset in seen:
            continue
        seen.add(offset)
        try:
            tags, following = tiff.directory(offset)
        except EOFError:
            continue
        yield tags
        waiting.extend([*tags.get(SUB_IFDS, []), following])


def _is_sensor(tags: Directory) -> bool:
    """Whether a directory describes sensor data instead of a picture."""
    return (
        DNG_VERSION in tags
        or not {CFA, LINEAR_RAW}.isdisjoint(tags.get(PHOTOMETRIC, []))
        or not SENSOR_COMPRESSIONS.isdisjoint(tags.get(COMPRESSION, []))
    )


def is_raw(file: BinaryIO) -> bool:
    """Whether the TIFF in `file` is a RAW photo."""
    for number, tags in enumerate(directories(file)):
        if _is_sensor(tags):
            return True
        # A first directory that calls itself a reduced copy, with the full picture in a sub-directory, is the
        # layout of RAW files even when the maker's compression is one that is not known here.
        if number == 0 and tags.get(NEW_SUBFILE_TYPE, [0])[0] & 1 and SUB_IFDS in tags:
            return True
    return False
