"""From whatever a file holds (gray, 16 bits, palette, alpha, CMYK, Lab, wide gamuts) to 8-bit RGB.

Two steps around the resize: `plain` before it makes the mode one that resizes well, `to_rgb` after it applies
profiles to fewer pixels.
"""

from __future__ import annotations

import io
from functools import lru_cache
from itertools import product

from PIL import Image, ImageCms

SMALL_ICC_BYTES = 8192
"""Display P3 and Adobe RGB take some 550 bytes; what is larger holds tables that the web version need not carry."""

_SAME_COLOUR = 3  # of 255: how far a profile may move any colour and still count as sRGB


def plain(image: Image.Image) -> Image.Image:
    """The same picture as `L`, `RGB`, `CMYK` or `LAB`, 8 bits a channel, transparent parts on white."""
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_gray(image)
    if image.mode in ("LA", "La"):
        return _on_white(image.convert("LA"))
    if image.has_transparency_data or image.mode == "PA":
        return _on_white(image if image.mode == "RGBA" else image.convert("RGBA"))
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK", "LAB") else image.convert("RGB")


def _deep_gray(image: Image.Image) -> Image.Image:
    """16- and 32-bit gray, rescaled: a plain conversion would clip nearly everything to white."""
    if image.mode == "I;16":
        return image.point(lambda value: value * (1 / 257)).convert("L")
    values = image if image.mode == "F" else image.convert("I")
    low, high = (float(bound) for bound in values.getextrema())  # type: ignore[arg-type]
    if image.mode.startswith("I") and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    scale = 255 / (high - low) if high > low else 0.0
    return values.convert("F").point(lambda value: value * scale + -low * scale).convert("L")


def to_rgb(image: Image.Image, icc: bytes | None) -> tuple[Image.Image, bytes | None]:
    """A `plain` picture as RGB, and the ICC profile that its numbers still need; None means sRGB.

    Small RGB profiles are kept, because converting twelve million pixels costs more than everything else together.
    Profiles that are broken, or of another kind than the pixels, are ignored.
    """
    if image.mode == "LAB":
        transform = _lab_to_srgb()
        return ImageCms.applyTransform(image, transform) or image, None
    changes = _changes_colours(icc, image.mode) if icc else False
    if icc and changes and image.mode == "RGB" and len(icc) <= SMALL_ICC_BYTES:
        return image, icc
    return to_srgb(image, icc if changes else None), None


def to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """`image` (`L`, `RGB`, `CMYK`) with its profile applied, in sRGB; itself, not a copy, where nothing is to do."""
    transform = _transform(icc, image.mode) if icc else None
    if transform is None:
        return image if image.mode == "RGB" else image.convert("RGB")
    return ImageCms.applyTransform(image, transform) or image


def _on_white(image: Image.Image) -> Image.Image:
    """Hidden colours must not show, and white is what a page shows behind a transparent picture."""
    base = Image.new(image.mode[:-1], image.size, "white")
    base.paste(image.convert(base.mode), mask=image.getchannel("A"))
    return base


@lru_cache(maxsize=32)
def _transform(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the profile's numbers to sRGB; None if the profile is broken or not for this mode."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=1)
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")


@lru_cache(maxsize=32)
def _changes_colours(icc: bytes, mode: str) -> bool:
    """Whether applying the profile makes a difference that somebody could see."""
    transform = _transform(icc, mode)
    if transform is None:
        return False
    if mode == "CMYK":
        return True
    steps = (0, 51, 102, 153, 204, 255)
    cube = Image.new("RGB", (len(steps) ** 3, 1))
    cube.putdata(list(product(steps, repeat=3)))
    cube = cube.convert(mode)
    before, after = cube.convert("RGB").tobytes(), to_srgb(cube, icc).tobytes()
    return max(abs(a - b) for a, b in zip(before, after, strict=True)) > _SAME_COLOUR
