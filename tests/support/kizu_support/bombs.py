"""Small files that ask for much: pixels, frames, scans, directories, texts."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

SIDES = (9_000, 10_000, 13_400, 14_000, 30_000, 65_535)
COUNT = 10_000
FRAMES = 100_000


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, pixels: bytes, *more: bytes, colour: int = 0, bits: int = 8) -> bytes:
    """A PNG with `pixels` as its compressed data, whatever its header says, and `more` chunks before them."""
    size = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = [chunk(b"IHDR", size), *more, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def zeros(count: int) -> bytes:
    """So many zero bytes, compressed, without ever holding them."""
    packer, block = zlib.compressobj(1), bytes(1 << 20)
    parts = [packer.compress(block) for _ in range(count >> 20)]
    return b"".join([*parts, packer.compress(bytes(count % (1 << 20))), packer.flush()])


def _pngs() -> Iterator[tuple[str, bytes]]:
    nothing = zlib.compress(b"")
    for side in SIDES:
        yield f"empty-{side}.png", png(side, side, nothing)
    yield "narrow.png", png(1, 2**31 - 1, nothing)
    yield "gray.png", png(9_000, 9_000, zeros(9_000 * 9_001))
    yield "deep.png", png(4_000, 4_000, zeros(4_000 * (4_000 * 8 + 1)), colour=6, bits=16)
    small = zlib.compress(b"\0\0")
    text = zlib.compress(bytes(2**18))
    texts = [chunk(b"zTXt", b"k%d\0\0" % number + text) for number in range(COUNT)]
    yield "texts.png", png(1, 1, small, *texts)
    yield "profile.png", png(1, 1, small, chunk(b"iCCP", b"p\0\0" + zeros(2**27)))
    control = struct.pack(">IIIIIHHBB", 0, 1, 1, 0, 0, 1, 1, 0, 0)
    frames = [chunk(b"fcTL", control), *[chunk(b"fdAT", struct.pack(">I", 1) + small)] * COUNT]
    yield "animated.png", png(1, 1, small, chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)), *frames)


def _gifs() -> Iterator[tuple[str, bytes]]:
    frame = b"\x2c\0\0\0\0\1\0\1\0\0\x02\x02\x44\x01\0"
    palette = b"\0\0\0\xff\xff\xff"
    yield "frames.gif", b"GIF89a\1\0\1\0\x80\0\0" + palette + frame * FRAMES + b";"
    yield "screen.gif", b"GIF89a\xff\xff\xff\xff\x80\0\0" + palette + frame + b";"
    yield "picture.gif", b"GIF89a\1\0\1\0\x80\0\0" + palette + b"\x2c\0\0\0\0\xff\xff\xff\xff\0" + frame[10:] + b";"


def _tiffs() -> Iterator[tuple[str, bytes]]:
    def directory(at: int, following: int, width: int = 1, height: int = 1) -> bytes:
        tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 1)]
        entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
        return struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)

    size = len(directory(0, 0))
    start = struct.pack("<2sHI", b"II", 42, 8)
    places = [8 + number * size for number in range(COUNT)]
    chain = b"".join(directory(at, at + size) for at in places)
    yield "directories.tif", start + chain
    yield "loop.tif", start + directory(8, 8)
    yield "large.tif", start + directory(8, 0, 13_400, 13_400)
    yield "larger.tif", start + directory(8, 0, 2**31, 2**31)


def _jpegs() -> Iterator[tuple[str, bytes]]:
    target = io.BytesIO()
    Image.new("RGB", (4096, 4096), "teal").save(target, "JPEG", progressive=True)
    data = target.getvalue()
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    yield "scans.jpg", data[:-2] + scan * (4_000_000 // len(scan)) + b"\xff\xd9"
    frame = data.index(b"\xff\xc2") + 5
    yield "size.jpg", data[:frame] + struct.pack(">HH", 65_500, 65_500) + data[frame + 4 :]
    yield "segments.jpg", data[:2] + b"\xff\xe1\x00\x08Exif\0\0" * FRAMES + data[2:]


def _others() -> Iterator[tuple[str, bytes]]:
    head = struct.pack("<IiiHHIIiiII", 40, 29_000, 6_200, 1, 8, 1, 0, 0, 0, 256, 0)
    yield "runs.bmp", struct.pack("<2sIHHI", b"BM", 2000, 0, 0, 1078) + head + bytes(1024) + b"\0\1"
    canvas = struct.pack("<I", 2) + (16_383).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + b"ANIM" + struct.pack("<I", 6) + bytes(6)
    yield "canvas.webp", b"RIFF" + struct.pack("<I", len(body)) + body
    target = io.BytesIO()
    shades = [Image.new("L", (1, 1), number % 256) for number in range(2_000)]
    shades[0].save(target, "WEBP", save_all=True, append_images=shades[1:], lossless=True)
    yield "frames.webp", target.getvalue()


def make_bombs(folder: Path) -> list[Path]:
    """Writes all of them."""
    made = []
    for name, data in (*_pngs(), *_gifs(), *_tiffs(), *_jpegs(), *_others()):
        made.append(folder / name)
        made[-1].write_bytes(data)
    return made
