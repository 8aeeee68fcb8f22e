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
from kizu_core.media.sniff import Format, sniff_file

MAX_SIDE_PX = 30_000
MAX_PIXELS = 180_000_000
MAX_PIXELS_JPEG = 250_000_000
"""JPEG is decoded at a fraction of its size, so that a 200 MP phone picture costs what a 50 MP one does."""


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
        with Image.open(path, formats=formats) as image:
            check_limits(found, image.size)
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
