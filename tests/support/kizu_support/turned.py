"""Photos stored in any of the eight orientations, each with the tag that makes it upright again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

ORIENTATIONS = range(1, 9)
_ORIENTATION = 0x0112
_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def save_turned(upright: Image.Image, path: Path, orientation: int, **options: Any) -> None:
    """Writes the picture as a camera held so would: turned, with its orientation. `options`: of Pillow's writer."""
    stored = upright.transpose(_STORED[orientation]) if orientation in _STORED else upright
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    stored.save(path, exif=exif, **options)
