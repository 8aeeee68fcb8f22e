"""Pictures of one coloured shape on a plain ground: simple enough to learn in a minute, and searchable by words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from numpy.random import Generator

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (220, 30, 30),
    "green": (30, 170, 60),
    "blue": (40, 70, 220),
    "yellow": (240, 220, 40),
    "purple": (140, 50, 170),
    "orange": (250, 140, 20),
    "black": (15, 15, 15),
    "white": (245, 245, 245),
}
SHAPES = ("circle", "square", "triangle", "star", "cross")
CLASSES: tuple[tuple[str, str], ...] = tuple(product(COLOURS, SHAPES))
"""Colour and shape of each of the 40 kinds of picture."""

_CONTRAST = 200
"""Least sum of differences of red, green and blue between a shape and its ground."""


def shape_photo(colour: str, shape: str, seed: int, size: int = 256) -> Image.Image:
    """RGB, `size` pixels square, the same at every call; none of them was used in training."""
    return draw_shape(np.random.default_rng([seed, CLASSES.index((colour, shape))]), colour, shape, size)


def caption(colour: str, shape: str) -> str:
    """The words that find such a picture."""
    return f"a {colour} {shape}"


def draw_shape(rng: Generator, colour: str, shape: str, size: int) -> Image.Image:
    """One picture with a place, size, tilt, shade and ground of its own."""
    paint = np.clip(np.array(COLOURS[colour]) + rng.integers(-15, 16, 3), 0, 255)
    ground = _ground(rng, colour)
    whole = 2 * size  # drawn twice as large, for smooth edges
    radius = rng.uniform(0.26, 0.45) * whole
    centre = rng.uniform(radius, whole - radius, 2)
    tilt = rng.uniform(-0.3, 0.3)
    image = Image.new("RGB", (whole, whole), tuple(ground.tolist()))
    pen = ImageDraw.Draw(image)
    for angles, radii in _outlines(shape):
        turned = angles + tilt
        points = centre + radius * (radii * np.array([np.cos(turned), np.sin(turned)])).T
        pen.polygon([(float(x), float(y)) for x, y in points], fill=tuple(paint.tolist()))
    return image.resize((size, size), Image.Resampling.BOX)


def _ground(rng: Generator, colour: str) -> NDArray[np.int64]:
    """A colour that the shape's stands out from."""
    while True:
        ground = rng.integers(0, 256, 3)
        if np.abs(ground - np.array(COLOURS[colour])).sum() > _CONTRAST:
            return ground


def _outlines(shape: str) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Corners of the polygons that make up a shape: angles, and radii as shares of the shape's own."""
    if shape == "cross":  # two bars; corners of one lie 0.29 on either side of its axis
        bar = np.array([0.29, np.pi - 0.29, np.pi + 0.29, -0.29])
        return [(bar + turn, np.ones(4)) for turn in (0.0, np.pi / 2)]
    if shape == "star":
        return [(np.arange(10) * np.pi / 5 - np.pi / 2, np.array([1, 0.42] * 5))]
    corners, first = {"circle": (64, 0.0), "square": (4, np.pi / 4), "triangle": (3, -np.pi / 2)}[shape]
    return [(np.arange(corners) * 2 * np.pi / corners + first, np.ones(corners))]
