"""The two derivatives of a picture, a square thumbnail and a version that every browser shows, from one decode."""

from __future__ import annotations

import errno
import hashlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from kizu_core.errors import DiskFull, StorageError
from kizu_core.media.colour import to_srgb
from kizu_core.media.decode import Decoded, decode

THUMBNAIL_SIDE = 300
WEB_MAX_SIDE = 4096
THUMBNAIL_QUALITY = 80
WEB_QUALITY = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFile:
    """A finished JPEG. `sha12`: the first 12 hex digits of its SHA-256, for names that change with the content."""

    path: Path
    width_px: int
    height_px: int
    sha12: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """`width_px`, `height_px`: size of the upright original."""

    thumbnail: RenderedFile
    web: RenderedFile | None
    width_px: int
    height_px: int


def render(path: Path, workdir: Path, *, web: bool, orientation: int | None = None) -> Rendered:
    """Decodes `path` and writes `thumb.jpg` and, if `web`, `web.jpg` into `workdir`.

    Raises what `decode` does, and `DiskFull`.
    """
    return write_derivatives(decode_for(path, web=web, orientation=orientation), workdir, web=web)


def decode_for(path: Path, *, web: bool, orientation: int | None = None) -> Decoded:
    """The one decode, no larger than the derivatives need."""
    if web:
        return decode(path, max_side=WEB_MAX_SIDE, orientation=orientation)
    return decode(path, min_side=2 * THUMBNAIL_SIDE, orientation=orientation)


def write_derivatives(decoded: Decoded, workdir: Path, *, web: bool) -> Rendered:
    """The second half of `render`, for who wants to report progress between the two."""
    thumbnail = to_srgb(_square(decoded.image), decoded.icc)
    return Rendered(
        thumbnail=_save(thumbnail, workdir / "thumb.jpg", THUMBNAIL_QUALITY, icc=None),
        web=_save(decoded.image, workdir / "web.jpg", WEB_QUALITY, icc=decoded.icc) if web else None,
        width_px=decoded.width_px,
        height_px=decoded.height_px,
    )


def _square(image: Image.Image) -> Image.Image:
    """The centre of the picture, exactly `THUMBNAIL_SIDE` wide and high."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return image.resize(
        (THUMBNAIL_SIDE, THUMBNAIL_SIDE),
        Image.Resampling.LANCZOS,
        box=(left, top, left + side, top + side),
        reducing_gap=2.5,  # 0.05 dB below an exact resize, which costs five times as much
    )


def _save(image: Image.Image, path: Path, quality: int, *, icc: bytes | None) -> RenderedFile:
    """Writes a JPEG under a temporary name first: a file with its real name is always whole.

    Neither optimised nor progressive: both cost more than they save. `icc` is the only metadata.
    """
    part = path.with_name(path.name + ".part")
    try:
        image.save(part, "JPEG", quality=quality, subsampling="4:2:0", icc_profile=icc)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno == errno.ENOSPC:
            raise DiskFull(f"No space is left in {path.parent}.", hint="Free some space, then run again.") from error
        raise StorageError(f"{path.name} can't be written in {path.parent}: {error.strerror or error}.") from error
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return RenderedFile(path=path, width_px=image.width, height_px=image.height, sha12=digest[:12])
