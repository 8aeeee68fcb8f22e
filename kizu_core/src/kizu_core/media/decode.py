"""From a file to an upright 8-bit RGB picture: decoded once, scaled while decoding where the format can."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from kizu_core.errors import PictureTooLarge
from kizu_core.media import vips
from kizu_core.media.colour import plain, to_rgb, to_srgb
from kizu_core.media.exif import read_metadata, turn_of
from kizu_core.media.memory import bounded
from kizu_core.media.opening import MAX_PIXELS, Opened, check_passes, open_picture
from kizu_core.types import Picture

ACCEPTED_SHORTFALL = 0.9
"""A decoder that can halve for nothing may land this far below the wanted size: 4032 instead of 4096."""

REDUCING_GAP = 1.5
"""The exact resize starts from at least this many times the wanted size, after a cheap reduction by whole numbers."""

BAND_ROWS = 256

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """`image`: RGB, 8 bits, upright, free of metadata, in the colours of `icc` (None: sRGB).

    `width_px`, `height_px`: size of the whole upright original, which `image` may be a scaled copy of.
    """

    image: Image.Image
    icc: bytes | None
    width_px: int
    height_px: int


def decode(
    path: Path, *, max_side: int | None = None, min_side: int | None = None, orientation: int | None = None
) -> Decoded:
    """The first picture in `path`.

    `max_side`: longest side at most this; a decoder that scales by itself may land up to 10 % below. Never enlarged.
    `min_side`: scaled cheaply by a whole number, as far as the shorter side stays at least this. With both, the one
    that makes it smaller counts.
    `orientation`: EXIF orientation to assume for a file that carries none (not for HEIF and AVIF).
    Raises `MediaError`, and `FetchFailed` if the disk fails.
    """
    with bounded(), open_picture(path) as opened:
        check_passes(path, opened)
        metadata = read_metadata(opened)
        turn = turn_of(opened, metadata, orientation)
        icc = opened.image.info.get("icc_profile")
        image = _scaled_pixels(path, opened, max_side, min_side)
        rgb, icc = to_rgb(image, icc if isinstance(icc, bytes) else None)
        del image  # a full-size copy: the turn below needs the space
        if turn in _TURNS:
            rgb = rgb.transpose(_TURNS[turn])
        rgb.info = {}
    width, height = opened.size
    if turn >= 5:
        width, height = height, width
    return Decoded(image=rgb, icc=icc, width_px=width, height_px=height)


def to_picture(decoded: Decoded) -> Picture:
    """What models see: sRGB, read-only."""
    import numpy as np  # here, not above: it would cost the optimisation of pictures 20 MB for nothing

    image = to_srgb(decoded.image, decoded.icc)
    pixels = np.asarray(image, dtype=np.uint8)  # a view of bytes that nobody else has, read-only by itself
    return Picture(pixels=pixels, width_px=decoded.width_px, height_px=decoded.height_px)


def _scaled_pixels(path: Path, opened: Opened, max_side: int | None, min_side: int | None) -> Image.Image:
    """The pixels in a mode that `to_rgb` takes, at most `max_side` large."""
    image, size = opened.image, opened.size
    if opened.format.mime == "image/jpeg":
        _draft(opened, max_side, min_side)
    if max_side is not None and _suits_vips(opened, max_side):
        shrink = round(max(size) / max(image.size))
        found = vips.scaled(path, max_side, shrink=shrink, turn=opened.format.name == "TIFF")
        if found is not None:
            return _reduced(found, _factor(found, None, min_side))
    image.load()
    image = _reduced(image, _factor(image, max_side, min_side))
    if max_side is None or max(image.size) <= max_side:
        return image
    scale = max_side / max(size)
    target = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return image.resize(target, Image.Resampling.LANCZOS)


def _factor(image: Image.Image, max_side: int | None, min_side: int | None) -> int:
    """How many pixels a side may become one before the exact resize has to do the rest."""
    by_max = int(max(image.size) / max_side / REDUCING_GAP) if max_side is not None else 1
    by_min = min(image.size) // min_side if min_side is not None else 1
    return max(1, by_max, by_min)


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """`plain`, and every `factor` x `factor` pixels averaged: band by band, so that a large picture is not copied."""
    if factor == 1:
        return plain(image)
    if image.mode in ("I", "F"):  # scaled by the extremes of the whole picture
        image = plain(image)
    band = factor * max(1, BAND_ROWS // factor)
    target = None
    for top in range(0, image.height, band):
        rows = image.crop((0, top, image.width, min(top + band, image.height)))
        part = plain(rows).reduce(factor)
        if target is None:
            target = Image.new(part.mode, (part.width, -(-image.height // factor)))
        target.paste(part, (0, top // factor))
    return target or plain(image)


def _draft(opened: Opened, max_side: int | None, min_side: int | None) -> None:
    """Lets the JPEG decoder drop what is not needed: it can halve, quarter and so on at a fraction of the cost."""
    width, height = opened.size
    scale = 1.0
    if max_side is not None and max(width, height) > max_side:
        scale = max_side * ACCEPTED_SHORTFALL / max(width, height)
    if min_side is not None and min(width, height) > min_side:
        scale = min(scale, min_side / min(width, height))
    opened.image.draft(None, (max(1, int(width * scale)), max(1, int(height * scale))))
    if width * height > MAX_PIXELS and opened.image.size == opened.size:
        raise PictureTooLarge(f"{width} x {height} pixels can only be decoded to a smaller size.")


def _suits_vips(opened: Opened, max_side: int) -> bool:
    """Whether libvips is worth its detour: PNG, TIFF, and JPEG that must be resized after decoding."""
    image = opened.image
    if image.mode not in ("L", "RGB", "RGBA") or "transparency" in image.info:
        return False
    return opened.format.name in ("PNG", "TIFF") or (opened.format.mime == "image/jpeg" and max(image.size) > max_side)
