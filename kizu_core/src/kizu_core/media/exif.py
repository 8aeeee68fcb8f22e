"""The metadata of an opened picture, without decoding a pixel: EXIF directories, XMP text, orientation.

Nothing here raises for bad metadata: what can't be read is not there.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image
from PIL.ExifTags import IFD, Base

from kizu_core.media.opening import Opened

MAX_XMP_BYTES = 1_000_000
MAX_CHUNKS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """`main`, `exif`, `gps`: tag number -> value as Pillow gives it; `xmp`: the packet, "" if none.

    `orientation`: the EXIF tag as written (0 and 9 too), None if the file has none.
    """

    main: Mapping[int, Any]
    exif: Mapping[int, Any]
    gps: Mapping[int, Any]
    xmp: str
    orientation: int | None


def read_metadata(opened: Opened) -> Metadata:
    """Everything the file says about itself that Kizu uses."""
    image = opened.image
    if opened.format.name == "PNG":
        _read_late_chunks(image)
    xmp = _take_xmp(image)
    main: Mapping[int, Any] = {}
    exif: Mapping[int, Any] = {}
    gps: Mapping[int, Any] = {}
    with contextlib.suppress(Exception):
        # Not `image.getexif()`: for PNG that decodes the whole picture first.
        main = Image.Image.getexif(image)
    if isinstance(main, Image.Exif):
        with contextlib.suppress(Exception):
            exif = main.get_ifd(IFD.Exif)
        with contextlib.suppress(Exception):
            gps = main.get_ifd(IFD.GPSInfo)
    return Metadata(main=main, exif=exif, gps=gps, xmp=xmp, orientation=_orientation(image, main))


def turn_of(opened: Opened, metadata: Metadata, given: int | None = None) -> int:
    """The EXIF orientation (1 to 8) by which the decoded pixels must still be turned.

    HEIF keeps its rotation in the container and its decoder has applied it: neither the tag nor `given` counts.
    AVIF does the same, but Pillow leaves the turning to us and puts the container's rotation into the tag.
    TIFF is turned by its decoder if it has the tag.
    `given` (what a job says) counts only if the file itself says nothing; invalid values count as nothing.
    """
    written = metadata.orientation
    if opened.format.name == "HEIF" or (opened.format.name == "TIFF" and written is not None):
        return 1
    if written is None and opened.format.name != "AVIF":
        in_xmp = xmp_value(metadata.xmp, "tiff:Orientation")
        written = int(in_xmp) if in_xmp and in_xmp.isdecimal() else given
    return written if written is not None and 1 <= written <= 8 else 1


def xmp_value(xmp: str, name: str) -> str | None:
    """The value of a simple XMP property such as `exif:DateTimeOriginal`, attribute or element.

    A pattern instead of an XML parser: packets are cut, nested and invalid too often, and a parser is one more
    thing that a hostile file reaches.
    """
    found = re.search(rf"""{re.escape(name)}(?:\s{{0,9}}=\s{{0,9}}["']|>\s{{0,99}})([^"'<>]{{1,64}})""", xmp)
    return found[1].strip() if found else None


def _take_xmp(image: Image.Image) -> str:
    """The XMP packet. Taken out of `info`, or Pillow would mix its orientation into the EXIF tags."""
    packets = [image.info.pop(name, None) for name in ("xmp", "XML:com.adobe.xmp")]
    packet = next((found for found in packets if found), b"")
    if isinstance(packet, str):
        return packet[:MAX_XMP_BYTES]
    return bytes(packet[:MAX_XMP_BYTES]).decode("utf-8", "replace")


def _orientation(image: Image.Image, main: Mapping[int, Any]) -> int | None:
    # The HEIF reader rewrites the tag to 1, because the picture is turned, and keeps what was written here.
    written = image.info.get("original_orientation") or main.get(Base.Orientation)
    return written if isinstance(written, int) else None


def _read_late_chunks(image: Image.Image) -> None:
    """Puts `eXIf` and XMP chunks that stand behind a PNG's pixels into `image.info`, where earlier ones are."""
    file: BinaryIO | None = getattr(image, "fp", None)
    if file is None or {"exif", "xmp"} <= image.info.keys():
        return
    start = file.tell()
    with contextlib.suppress(OSError, ValueError):
        file.seek(8)
        for _ in range(MAX_CHUNKS):
            header = file.read(8)
            if len(header) < 8:
                break
            size, name = int.from_bytes(header[:4], "big"), header[4:]
            if name == b"eXIf" and "exif" not in image.info and size <= MAX_XMP_BYTES:
                image.info["exif"] = b"Exif\x00\x00" + file.read(size)
                size = 0
            elif name == b"iTXt" and "xmp" not in image.info and size <= MAX_XMP_BYTES:
                keyword, _, rest = file.read(size).partition(b"\x00")
                # Behind the keyword: compressed? (0: no), method, language, translated keyword, text.
                if keyword == b"XML:com.adobe.xmp" and rest[:1] == b"\x00":
                    image.info["xmp"] = rest[2:].split(b"\x00", 2)[-1]
                size = 0
            file.seek(size + 4, 1)
    file.seek(start)
