"""A small square out of a picture, for pages that show many: a face with some air around it, or the middle."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image

from kizu_core.media.colour import to_srgb
from kizu_core.media.decode import decode
from kizu_core.types import Box

AIR = 0.35
"""Of the box's longer side, on each of its sides: hair, ears and chin tell people apart."""

QUALITY = 82


def clip(path: Path, side_px: int, box: Box | None = None) -> bytes:
    """A JPEG of at most `side_px` x `side_px` pixels, upright, sRGB, without metadata; never enlarged.

    `box`: what it is to show, with air; None: the middle of the picture. Raises what `decode` does.
    """
    share = 1.0 if box is None else min(1.0, (1 + 2 * AIR) * max(box.right - box.left, box.bottom - box.top))
    decoded = decode(path, min_side=round(side_px / max(share, 0.01)))
    image = decoded.image
    square = _square(image.size, box)
    side = max(1, min(side_px, round(square[2] - square[0])))
    small = image.resize((side, side), Image.Resampling.LANCZOS, box=square, reducing_gap=2.5)
    out = BytesIO()
    to_srgb(small, decoded.icc).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _square(size: tuple[int, int], box: Box | None) -> tuple[float, float, float, float]:
    """Left, top, right, bottom in pixels: as near to the middle of the box as the edges of the picture allow."""
    width, height = size
    if box is None:
        side, middle = float(min(size)), (width / 2, height / 2)
    else:
        longer = max((box.right - box.left) * width, (box.bottom - box.top) * height)
        side = min((1 + 2 * AIR) * longer, *map(float, size))
        middle = (box.left + box.right) / 2 * width, (box.top + box.bottom) / 2 * height
    left = min(max(0.0, middle[0] - side / 2), width - side)
    top = min(max(0.0, middle[1] - side / 2), height - side)
    return left, top, left + side, top + side
