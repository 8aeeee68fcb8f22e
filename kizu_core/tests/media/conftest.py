"""Small pictures whose four corners tell how they lie, written in every format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kizu_core.media import vips

CORNERS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220), "yellow": (230, 220, 20)}
WIDTH, HEIGHT = 96, 64

UNTURN = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""Orientation -> how an upright picture must be stored so that the tag makes it upright again."""

Save = Callable[..., Path]


def corners_picture(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Red top left, green top right, blue bottom left, yellow bottom right."""
    image = Image.new("RGB", (width, height))
    for number, colour in enumerate(CORNERS.values()):
        block = Image.new("RGB", (width // 2, height // 2), colour)
        image.paste(block, (number % 2 * (width // 2), number // 2 * (height // 2)))
    return image


def corners_of(image: Image.Image) -> list[str]:
    """The names of the colours in the corners, row by row; "?" for one that is none of the four."""
    found = []
    for y in (image.height // 8, image.height * 7 // 8):
        for x in (image.width // 8, image.width * 7 // 8):
            pixel: Any = image.convert("RGB").getpixel((x, y))
            near = [n for n, c in CORNERS.items() if max(abs(a - b) for a, b in zip(pixel, c, strict=True)) <= 16]
            found.append(near[0] if near else "?")
    return found


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """`save(image, "JPEG", name="x.jpg", **options)`: writes a picture, returns where."""
    import pillow_heif

    pillow_heif.register_heif_opener()

    def write(image: Image.Image, form: str, name: str = "", **options: Any) -> Path:
        path = tmp_path / (name or f"picture.{form.lower()}")
        image.save(path, form, **options)
        return path

    return write


@pytest.fixture(params=["with libvips", "without"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same test with and without the faster decoder: outcomes must be the same."""
    if request.param == "without":
        monkeypatch.setattr(vips, "library", lambda: None)
    elif vips.library() is None:
        pytest.skip("libvips is not installed (pip install kizu-core[vips])")
    return str(request.param)
