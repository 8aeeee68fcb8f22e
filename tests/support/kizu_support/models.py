"""A plugin's model as the child loads it, and pictures with known words for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from kizu_core import ModelType, Picture
from kizu_core.models.loading import load_model
from kizu_core.models.selection import build_catalog
from kizu_core.settings import load_settings

SIGN = (600, 480)
"""Width and height of a drawn sign in pixels."""


@contextmanager
def loaded(kind: ModelType, name: str, home: Path, **environ: str) -> Iterator[Any]:
    """The named model of an installed plugin: weights checked, settings read from `environ`."""
    settings = load_settings({"home": home, "threads": 1}, environ=environ)
    model = load_model(build_catalog(settings).model(kind, name), settings)
    yield model
    model.close()


def picture_of(pixels: NDArray[np.uint8]) -> Picture:
    """A picture of these pixels, read-only as models get them."""
    pixels = np.ascontiguousarray(pixels)
    pixels.flags.writeable = False
    return Picture(pixels=pixels, width_px=pixels.shape[1], height_px=pixels.shape[0])


def sign(*lines: str, size: tuple[int, int] = SIGN) -> Picture:
    """Dark words on a light ground: line i is written 40 + 100 * i pixels below the top, 60 from the left."""
    image = Image.new("RGB", size, (236, 230, 210))
    draw = ImageDraw.Draw(image)
    for index, line in enumerate(lines):
        draw.text((60, 40 + 100 * index), line, fill=(20, 30, 60), font=ImageFont.load_default(size=56))
    return picture_of(np.asarray(image))
