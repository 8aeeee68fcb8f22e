"""A canvas for flat, poster-like scenes: soft skies, hills, signs with readable words.

All lengths are in points of the finished picture (`WIDTH` x `HEIGHT`, or the other way round); it is drawn at
twice that size and scaled down once, which smooths every edge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from random import Random

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 1280, 960
SCALE = 2

Colour = str
Point = tuple[float, float]
Box = tuple[float, float, float, float]


@cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * SCALE)


class Canvas:
    """One picture in the making."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT, *, top: Colour, bottom: Colour) -> None:
        """Starts as a sky that goes from `top` to `bottom`."""
        self.width, self.height = width, height
        self._image = gradient(width * SCALE, height * SCALE, top, bottom)
        self._draw = ImageDraw.Draw(self._image)

    def band(self, top_y: float, bottom_y: float, top: Colour, bottom: Colour) -> None:
        """A horizontal band with a gradient: sea, sand, a table."""
        strip = gradient(self.width * SCALE, round((bottom_y - top_y) * SCALE), top, bottom)
        self._image.paste(strip, (0, round(top_y * SCALE)))

    def box(self, box: Box, fill: Colour, *, radius: float = 0, outline: Colour | None = None, line: float = 0) -> None:
        """A rectangle (left, top, right, bottom), rounded if `radius` is given."""
        scaled = tuple(value * SCALE for value in box)
        self._draw.rounded_rectangle(scaled, radius * SCALE, fill, outline, round(line * SCALE))

    def disc(self, centre: Point, radius: float, fill: Colour, *, flat: float = 1) -> None:
        """A circle; `flat` below 1 presses it into an ellipse."""
        x, y = centre
        box = (x - radius, y - radius * flat, x + radius, y + radius * flat)
        self._draw.ellipse(tuple(value * SCALE for value in box), fill)

    def shape(self, points: Sequence[Point], fill: Colour) -> None:
        """A filled polygon."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill)

    def line(self, points: Sequence[Point], fill: Colour, width: float) -> None:
        """A line with rounded corners."""
        self._draw.line([(x * SCALE, y * SCALE) for x, y in points], fill, round(width * SCALE), joint="curve")

    def text(self, at: Point, text: str, size: float, fill: Colour, *, anchor: str = "mm") -> None:
        """Words at a point; `anchor` as Pillow names it, middle by default. A thin stroke makes them bold."""
        x, y = at
        self._draw.text(
            (x * SCALE, y * SCALE), text, fill, _font(size), anchor, stroke_width=size / 28, stroke_fill=fill
        )

    def hills(self, base: float, height: float, fill: Colour, *, seed: int, waves: float = 2) -> None:
        """A rolling silhouette from `base` down to the lower edge."""
        random = Random(seed)  # noqa: S311 (the same hills each time)
        parts = [(random.uniform(0.6, 1.4) * waves * n, random.uniform(0, 6.3), height / n) for n in (1, 2, 4)]

        def y(x: float) -> float:
            return base - sum(size * math.sin(x / self.width * 6.28 * rate / 2 + start) for rate, start, size in parts)

        crest = [(x, y(x)) for x in range(0, self.width + 1, 4)]
        self.shape([(0, self.height), *crest, (self.width, self.height)], fill)

    def glow(self, centres: Sequence[Point], radius: float, colour: Colour, strength: float = 1) -> None:
        """Light around lamps or the sun."""
        light = self._mask()
        for x, y in centres:
            box = (x - radius, y - radius, x + radius, y + radius)
            ImageDraw.Draw(light).ellipse([value / 4 for value in box], round(200 * strength))
        self._tint(light.filter(ImageFilter.GaussianBlur(radius / 8)), colour)

    def shadow(self, box: Box, strength: int = 90) -> None:
        """A soft shadow under something that is drawn next."""
        dark = self._mask()
        ImageDraw.Draw(dark).rounded_rectangle([value / 4 for value in box], 4, strength)
        self._tint(dark.filter(ImageFilter.GaussianBlur(5)), "#1c1a2b")

    def _mask(self) -> Image.Image:
        """A quarter of the finished size: what goes on it is blurred anyway."""
        return Image.new("L", (self.width // 4, self.height // 4))

    def _tint(self, mask: Image.Image, colour: Colour) -> None:
        self._image.paste(colour, (0, 0), mask.resize(self._image.size, Image.Resampling.BILINEAR))

    def specks(self, box: Box, count: int, colours: Sequence[Colour], size: float, *, seed: int) -> None:
        """Scattered dots: stars, flowers, pebbles, confetti."""
        random = Random(seed)  # noqa: S311 (the same dots each time)
        left, top, right, bottom = box
        for _ in range(count):
            at = random.uniform(left, right), random.uniform(top, bottom)
            self.disc(at, size * random.uniform(0.4, 1), random.choice(colours))

    def finished(self) -> Image.Image:
        """The picture: scaled down, darker towards its corners, with a little grain, as a camera gives it."""
        image = self._image.reduce(SCALE)
        corners = Image.radial_gradient("L").resize(image.size).point([255 - max(0, v - 130) // 3 for v in range(256)])
        image = ImageChops.multiply(image, Image.merge("RGB", (corners,) * 3))
        random = Random(7)  # noqa: S311 (the same grain each time)
        noise = Image.frombytes("L", image.size, random.randbytes(self.width * self.height))
        grain = noise.point([124 + v // 32 for v in range(256)])
        return ImageChops.add(image, Image.merge("RGB", (grain,) * 3), offset=-128)


def gradient(width: int, height: int, top: Colour, bottom: Colour) -> Image.Image:
    """A picture that goes from one colour at its top to another at its bottom."""
    ends = zip(ImageColor.getrgb(top), ImageColor.getrgb(bottom), strict=True)
    ramp = Image.linear_gradient("L").resize((1, height))
    bands = [ramp.point([round(a + (b - a) * v / 255) for v in range(256)]) for a, b in ends]
    return Image.merge("RGB", bands).resize((width, height), Image.Resampling.NEAREST)
