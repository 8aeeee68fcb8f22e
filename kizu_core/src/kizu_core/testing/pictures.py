"""Small pictures to show to models, drawn anew at every call and the same every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kizu_core.types import Picture


def picture_of(pixels: NDArray[np.uint8], size: tuple[int, int] | None = None) -> Picture:
    """A picture of these pixels, read-only as models get them. `size`: width and height of a larger original."""
    pixels = np.array(pixels, np.uint8, order="C")
    width, height = size or (pixels.shape[1], pixels.shape[0])
    pixels.flags.writeable = False
    return Picture(pixels=pixels, width_px=width, height_px=height)


def sign(*lines: str, size: tuple[int, int] = (600, 480)) -> Picture:
    """Dark words on a light ground: line i is written 40 + 100 * i pixels below the top, 60 from the left."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", size, (236, 230, 210))
    draw = ImageDraw.Draw(image)
    for index, line in enumerate(lines):
        draw.text((60, 40 + 100 * index), line, fill=(20, 30, 60), font=ImageFont.load_default(size=56))
    return picture_of(np.asarray(image))


def ordinary_pictures() -> Sequence[Picture]:
    """A landscape of sky, meadow and sun, a sign, and a lamp in the dark; no two alike."""
    landscape = np.empty((180, 240, 3), np.uint8)
    landscape[:110], landscape[110:] = (120, 170, 230), (60, 130, 50)
    landscape[20:60, 170:210] = (255, 250, 200)
    night = np.full((160, 120, 3), 12, np.uint8)
    night[40:90, 30:70] = 255
    return [picture_of(landscape), sign("KIZU 2026", size=(420, 160)), picture_of(night)]


def odd_pictures() -> Mapping[str, Picture]:
    """What real libraries hold besides photos. The strips are 30,000 x 10 pixels, as a worker shows them: scaled."""
    noise = np.random.default_rng(7)
    grey = np.repeat(noise.integers(0, 256, (90, 120, 1), np.uint8), 3, axis=2)
    return {
        "one pixel": picture_of(np.full((1, 1, 3), 90, np.uint8)),
        "a flat strip": picture_of(noise.integers(0, 256, (1, 2048, 3), np.uint8), (30_000, 10)),
        "a tall strip": picture_of(noise.integers(0, 256, (2048, 1, 3), np.uint8), (10, 30_000)),
        "all black": picture_of(np.zeros((64, 48, 3), np.uint8)),
        "all white": picture_of(np.full((48, 64, 3), 255, np.uint8)),
        "grey noise": picture_of(grey),
    }
