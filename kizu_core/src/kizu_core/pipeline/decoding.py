"""Pictures decoded in threads, ahead of whoever needs them, never more of them in memory than allowed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kizu_core.errors import MediaError
from kizu_core.media import memory
from kizu_core.media.decode import decode, to_picture
from kizu_core.types import Picture

MOST_PICTURES = 16
"""Decoded at the same time or waiting to be looked at: two claims of the usual size."""

MOST_BYTES = 256 * 2**20
"""The same in bytes, as far as the size that models are shown tells beforehand."""

MOST_THREADS = 4
"""More of them would have to share one limit of memory that is made for few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A picture to decode: scaled as `media.decode.decode` says."""

    path: Path
    max_side: int
    min_side: int | None
    orientation: int | None


@dataclass(frozen=True, slots=True)
class Decoded:
    """What models see, and the seconds that it took."""

    picture: Picture
    seconds: float


def portions(count: int, max_side: int) -> Iterator[range]:
    """Numbers 0 to `count` in portions of which two may be in memory: one in use, one decoded ahead of it."""
    most = max(1, min(MOST_PICTURES, MOST_BYTES // (3 * max_side**2)) // 2)
    return (range(start, min(start + most, count)) for start in range(0, count, most))


class Decoding:
    """Decodes what it is given, in that order, in `threads` threads."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(max(1, min(threads, MOST_THREADS)), thread_name_prefix="decode")

    def begin(self, wanted: Wanted) -> Future[Decoded]:
        """The future raises what `decode_alone` raises."""
        return self._pool.submit(_decode_in_company, wanted)


def decode_alone(wanted: Wanted) -> Decoded:
    """Decodes one picture, here and now. Raises `MediaError`, and `FetchFailed` if the disk fails."""
    started = time.perf_counter()
    whole = decode(wanted.path, max_side=wanted.max_side, min_side=wanted.min_side, orientation=wanted.orientation)
    return Decoded(to_picture(whole), time.perf_counter() - started)


def _decode_in_company(wanted: Wanted) -> Decoded:
    """One that fails in company is tried again alone: a neighbour may have taken the memory that it lacked."""
    try:
        return decode_alone(wanted)
    except MediaError:
        with memory.alone():
            return decode_alone(wanted)
