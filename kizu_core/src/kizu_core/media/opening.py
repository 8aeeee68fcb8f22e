"""Opening a picture safely: by its signature, with the one decoder that belongs to it, under the pixel limits."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from kizu_core.errors import (
    FetchFailed,
    KizuError,
    PictureTooLarge,
    SourceMissing,
    UnreadablePicture,
    UnsupportedFormat,
)
from kizu_core.media.jpeg import most_scans, scans
from kizu_core.media.memory import DECODE_MB
from kizu_core.media.sniff import Format, sniff_file

MAX_SIDE_PX = 30_000
MAX_PIXELS = 180_000_000
MAX_PIXELS_JPEG = 250_000_000
"""JPEG is decoded at a fraction of its size, so that a 200 MP phone picture costs what a 50 MP one does."""

USUAL_SCANS = 20
MAX_PIXELS_DECODED = 5_000_000_000
"""Over all scans of a JPEG. Cameras and programs write ten at most; a small file can have a hundred thousand."""

_BYTES_A_PIXEL = {"WEBP": 15, "HEIF": 10, "AVIF": 10}
"""Measured peaks of the decoders that hold a picture several times over; the others stay below 5."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture whose header has been read and whose pixels have not.

    `size` is before the turn that `exif.turn_of` tells.
    """

    image: Image.Image
    format: Format
    size: tuple[int, int]


@cache
def _prepare_pillow() -> None:
    """Once a process: the HEIF reader, and Pillow's own bomb guard at our limit (it stays as the second line)."""
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS_JPEG


@contextmanager
def open_picture(path: Path) -> Iterator[Opened]:
    """The picture in `path`, header only. Whatever a decoder raises inside the block leaves it as a `MediaError`.

    Raises `UnsupportedFormat` (RAW, video, not a picture), `PictureTooLarge`, `UnreadablePicture`, `SourceMissing`.
    """
    found = identify(path)
    _prepare_pillow()
    with decoding():
        # MPO is opened by the JPEG reader, which hands over; asking for one of the two opens neither.
        formats = ["JPEG", "MPO"] if found.name in ("JPEG", "MPO") else [found.name]
        if found.name == "WEBP" and (size := _webp_size(path)):
            check_limits(found, size)  # here, because opening it takes most of the memory already
        with Image.open(path, formats=formats) as image:
            check_limits(found, image.size)
            if image.info.get("progressive"):
                check_memory(found, image.size, _coefficient_bytes(image))
            yield Opened(image, found, image.size)


def identify(path: Path) -> Format:
    """The format of `path`, if it is a picture that Kizu reads; else raises as `open_picture` does."""
    try:
        found = sniff_file(path)
        empty = path.stat().st_size == 0
    except FileNotFoundError:
        raise SourceMissing("The file is not there any more.", hint="Run `kizu run` on its folder again.") from None
    except PermissionError:
        raise UnreadablePicture("The file may not be read by you.", hint="Change its permissions.") from None
    except OSError as error:
        raise _disk_trouble(error) from error
    if empty:
        raise UnreadablePicture("The file is empty (0 bytes).", hint="Copy it again from where it came from.")
    if found is None:
        raise UnsupportedFormat("This is not a picture in a format that Kizu knows.")
    if found.kind == "raw":
        raise UnsupportedFormat(
            f"This is a RAW photo ({found.name}), which Kizu does not read.",
            hint="Keep a JPEG or HEIC beside it; most cameras can write both.",
        )
    if found.kind != "image":
        what = f"a video ({found.name})" if found.kind == "video" else f"of the format {found.name}"
        raise UnsupportedFormat(f"This is {what}, not a picture that Kizu reads.")
    return found


def check_limits(found: Format, size: tuple[int, int]) -> None:
    """Raises `PictureTooLarge` for more pixels than the machine should be asked to decode."""
    width, height = size
    limit = MAX_PIXELS_JPEG if found.mime == "image/jpeg" else MAX_PIXELS
    if width * height > limit or max(size) > MAX_SIDE_PX:
        raise PictureTooLarge(
            f"It has {width} x {height} pixels; the limit is {limit // 1_000_000} megapixels "
            f"and {MAX_SIDE_PX} pixels a side."
        )
    if min(size) < 1:
        raise UnreadablePicture(f"It says that it is {width} x {height} pixels large.")
    check_memory(found, size, _BYTES_A_PIXEL.get(found.name, 0))


def check_memory(found: Format, size: tuple[int, int], bytes_a_pixel: float) -> None:
    """Raises `PictureTooLarge` where decoding would take more than `memory.DECODE_MB`."""
    width, height = size
    if width * height * bytes_a_pixel > DECODE_MB * 2**20:
        raise PictureTooLarge(
            f"It has {width} x {height} pixels; of a {found.name} like this one, "
            f"{DECODE_MB * 2**20 / bytes_a_pixel / 1e6:.0f} megapixels can be decoded.",
            hint="Save it smaller, or in another format.",
        )


def check_passes(path: Path, opened: Opened) -> None:
    """Raises `PictureTooLarge` for a JPEG of so many scans that decoding it would take minutes."""
    width, height = opened.size
    most = max(USUAL_SCANS, MAX_PIXELS_DECODED // (width * height))
    if opened.format.mime == "image/jpeg" and most_scans(path) > most and scans(path, most) > most:
        raise PictureTooLarge(
            f"It goes over its {width} x {height} pixels more than {most} times.", hint="Save it again as a new file."
        )


def _coefficient_bytes(image: Image.Image) -> float:
    """Bytes a pixel that a progressive JPEG takes before the first pixel is there, at whatever size it is wanted."""
    blocks: list[int] = [across * down for _, across, down, _ in getattr(image, "layer", [])]
    return 2.0 * sum(blocks) / max([1, *blocks])


def _webp_size(path: Path) -> tuple[int, int] | None:
    """Width and height as the header of a WebP says; None if it does not say."""
    with path.open("rb") as file:
        head = file.read(30)
    kind, body = head[12:16], head[20:]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF


@contextmanager
def decoding() -> Iterator[None]:
    """The boundary around decoders: they raise anything on damaged input, out of here comes a `MediaError`.

    Messages name no file: whoever shows them knows it, and equal causes are counted together.
    """
    try:
        with warnings.catch_warnings():
            # Decoders warn of odd metadata; a picture that comes out right is not worth a line to anybody.
            warnings.simplefilter("ignore")
            yield
    except KizuError:
        raise
    except MemoryError:
        raise PictureTooLarge("It needs more memory than there is.") from None
    except Image.DecompressionBombError:
        raise PictureTooLarge("It has more pixels than Kizu decodes.") from None
    except Exception as error:  # SyntaxError, struct.error, ValueError, OSError: from a decoder all mean "damaged"
        if isinstance(error, OSError) and error.errno is not None:
            raise _disk_trouble(error) from error
        how = "cut short" if "truncated" in str(error).lower() else "damaged"
        raise UnreadablePicture(
            f"The picture is {how} and can't be read.", hint="Copy it again from where it came from, if it opens there."
        ) from error


def _disk_trouble(error: OSError) -> FetchFailed:
    """The disk or network share failed, not the picture: worth another try."""
    return FetchFailed(f"The file can't be read now: {error.strerror}.", hint="Is the disk or network share there?")
