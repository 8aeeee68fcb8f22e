"""Seeded damage to pictures: what a bad disk, a bad copy or a bad person does to a file."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

HEADER = 1024
LARGEST = 40_000_000
"""A mutated file is at most so large."""

EXTREMES = (b"\x00", b"\x01", b"\x7f", b"\x80", b"\xfe", b"\xff")
SIDES = (1, 9_000, 16_000, 29_999, 30_001, 65_535)

Mutation = Callable[[bytearray, Random], None]


def flips(data: bytearray, chance: Random) -> None:
    """Some bits anywhere."""
    for _ in range(chance.choice((1, 3, 10, 100))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def header(data: bytearray, chance: Random) -> None:
    """Bytes near the beginning, set to what is the edge of something."""
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(min(HEADER, len(data)))
        run = chance.choice(EXTREMES) * chance.choice((1, 2, 4))
        data[at : at + len(run)] = run


def cut(data: bytearray, chance: Random) -> None:
    """The end is missing."""
    del data[chance.randrange(len(data)) :]


def swap(data: bytearray, chance: Random) -> None:
    """Two parts have changed places."""
    size = chance.randint(1, max(1, len(data) // 4))
    first, second = sorted(chance.randrange(max(1, len(data) - size)) for _ in range(2))
    data[first : first + size], data[second : second + size] = (
        data[second : second + size],
        data[first : first + size],
    )


def repeat(data: bytearray, chance: Random) -> None:
    """One part is there many times."""
    at, size = chance.randrange(len(data)), chance.choice((16, 500, 65_536))
    part = bytes(data[at : at + size])
    data[at:at] = part * min(chance.choice((1, 50, 5_000)), LARGEST // len(part))


def blank(data: bytearray, chance: Random) -> None:
    """A block was never written."""
    at, size = chance.randrange(len(data)), chance.choice((512, 4096, 65_536))
    data[at : at + size] = bytes(len(data[at : at + size]))


def insert(data: bytearray, chance: Random) -> None:
    """A block of something else."""
    data[(at := chance.randrange(len(data))) : at] = chance.randbytes(chance.choice((1, 100, 5_000)))


def size(data: bytearray, chance: Random) -> None:
    """The header claims another width and height, and is right in all else."""
    wide, high = chance.choice(SIDES), chance.choice(SIDES)
    if data.startswith(b"\x89PNG"):
        data[16:24] = struct.pack(">II", wide, high)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif data.startswith(b"GIF"):
        data[6:10] = struct.pack("<HH", wide, high)
    elif data.startswith(b"RIFF"):
        data[26:30] = struct.pack("<HH", wide & 0x3FFF, high & 0x3FFF)
    elif found := re.search(rb"ispe....", data, re.DOTALL):
        data[found.end() : found.end() + 8] = struct.pack(">II", wide, high)
    elif found := re.search(rb"\xff[\xc0-\xc2]...", data, re.DOTALL):
        data[found.end() : found.end() + 4] = struct.pack(">HH", high, wide)


MUTATIONS: tuple[Mutation, ...] = (flips, header, cut, swap, repeat, blank, insert, size)


def mutate(pictures: Sequence[Path], folder: Path, count: int, seed: int) -> list[Path]:
    """`count` damaged copies of `pictures` in `folder`, the same ones for the same seed."""
    made = []
    for number in range(count):
        chance = Random(f"{seed} {number}")
        original, kinds = chance.choice(pictures), chance.sample(MUTATIONS, chance.choice((1, 1, 1, 2, 3)))
        data = bytearray(original.read_bytes())
        for kind in kinds:
            if data:
                kind(data, chance)
        names = "+".join(kind.__name__ for kind in kinds)
        made.append(folder / f"{number:05}-{names}-{original.name}")
        made[-1].write_bytes(data)
    return made
