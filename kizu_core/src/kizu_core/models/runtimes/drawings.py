"""Pictures to compare runtimes on, drawn anew each time and the same every time: shapes, things, faces and words.

They are no photos, but lie where photos lie for a network that has seen many: smooth ground, edges, noise, contrast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kizu_core.types import Picture

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    Draw = Callable[[ImageDraw.ImageDraw], None]

WIDTH, HEIGHT = 1024, 768
TEXTS = (
    "a dog on the beach",
    "two people in the mountains",
    "a red circle",
    "handwritten notes on paper",
    "a city street at night",
    "birthday cake with candles",
    "green meadow under a blue sky",
    "a cat asleep on a sofa",
)
"""What an embedder with a text side is asked as well."""


def drawings() -> Sequence[Picture]:
    """Twelve pictures of 1024 x 768, no two alike; the most telling ones first."""
    return [_picture(ground, draw, number) for number, (ground, draw) in enumerate(_SCENES)]


def _picture(ground: tuple[int, int, int], draw: Draw, number: int) -> Picture:
    """A ground that darkens downwards, what is drawn on it, and the noise of a camera."""
    from PIL import Image, ImageDraw

    shade = np.linspace(1.0, 0.6, HEIGHT)[:, None, None] * np.array(ground)[None, None, :]
    image: Image.Image = Image.fromarray(np.broadcast_to(shade, (HEIGHT, WIDTH, 3)).astype(np.uint8))
    draw(ImageDraw.Draw(image))
    noise = np.random.default_rng(number).normal(0.0, 4.0, (HEIGHT, WIDTH, 3))
    pixels = np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)
    pixels.flags.writeable = False
    return Picture(pixels=pixels, width_px=WIDTH, height_px=HEIGHT)


def _words(*lines: str, size: int = 56) -> Draw:
    def draw(canvas: ImageDraw.ImageDraw) -> None:
        from PIL import ImageFont

        for index, line in enumerate(lines):
            canvas.text((70, 60 + 110 * index), line, fill=(20, 24, 40), font=ImageFont.load_default(size=size))

    return draw


def _faces(*places: tuple[int, int, int]) -> Draw:
    """Heads at (x, y) with a radius: hair, skin, eyes, nose, mouth, shoulders."""

    def draw(canvas: ImageDraw.ImageDraw) -> None:
        for x, y, r in places:
            canvas.ellipse((x - 1.6 * r, y + 1.1 * r, x + 1.6 * r, y + 4 * r), fill=(60, 70, 110))
            canvas.rectangle((x - 0.35 * r, y + 0.8 * r, x + 0.35 * r, y + 1.5 * r), fill=(200, 155, 125))
            canvas.ellipse((x - 0.95 * r, y - 1.35 * r, x + 0.95 * r, y + 0.7 * r), fill=(60, 40, 30))
            canvas.ellipse((x - 0.8 * r, y - 1.05 * r, x + 0.8 * r, y + 1.1 * r), fill=(225, 180, 150))
            for side in (-1, 1):
                eye = x + side * 0.36 * r
                canvas.ellipse((eye - 0.17 * r, y - 0.28 * r, eye + 0.17 * r, y - 0.08 * r), fill=(250, 250, 250))
                canvas.ellipse((eye - 0.08 * r, y - 0.27 * r, eye + 0.08 * r, y - 0.09 * r), fill=(40, 30, 20))
                canvas.arc((eye - 0.26 * r, y - 0.52 * r, eye + 0.26 * r, y - 0.2 * r), 200, 340, (60, 40, 30), r // 14)
            canvas.polygon(
                [(x, y - 0.1 * r), (x - 0.16 * r, y + 0.32 * r), (x + 0.16 * r, y + 0.32 * r)], fill=(200, 150, 125)
            )
            canvas.chord((x - 0.36 * r, y + 0.35 * r, x + 0.36 * r, y + 0.78 * r), 10, 170, fill=(175, 70, 75))

    return draw


def _stop_sign(canvas: ImageDraw.ImageDraw) -> None:
    from PIL import ImageFont

    corners = [(512 + 210 * math.cos(a), 320 + 210 * math.sin(a)) for a in (math.pi * (k + 0.5) / 4 for k in range(8))]
    canvas.rectangle((500, 500, 524, 760), fill=(120, 120, 125))
    canvas.polygon(corners, fill=(190, 25, 35), outline=(245, 245, 245), width=12)
    canvas.text((512, 320), "STOP", fill=(250, 250, 250), font=ImageFont.load_default(size=130), anchor="mm")


def _clock(canvas: ImageDraw.ImageDraw) -> None:
    canvas.ellipse((312, 134, 712, 534), fill=(250, 248, 240), outline=(40, 40, 45), width=18)
    for hour in range(12):
        angle = math.pi * hour / 6
        x, y = math.cos(angle), math.sin(angle)
        canvas.line((512 + 155 * x, 334 + 155 * y, 512 + 180 * x, 334 + 180 * y), fill=(30, 30, 30), width=10)
    canvas.line((512, 334, 512, 200), fill=(20, 20, 20), width=10)
    canvas.line((512, 334, 600, 390), fill=(20, 20, 20), width=14)


def _ball(canvas: ImageDraw.ImageDraw) -> None:
    canvas.ellipse((362, 300, 662, 600), fill=(235, 110, 40), outline=(60, 30, 20), width=6)
    canvas.line((512, 300, 512, 600), fill=(60, 30, 20), width=6)
    canvas.line((362, 450, 662, 450), fill=(60, 30, 20), width=6)
    canvas.arc((252, 320, 452, 580), 300, 60, fill=(60, 30, 20), width=6)
    canvas.arc((572, 320, 772, 580), 120, 240, fill=(60, 30, 20), width=6)


def _landscape(canvas: ImageDraw.ImageDraw) -> None:
    canvas.polygon([(0, 520), (260, 200), (470, 430), (700, 160), (1024, 500), (1024, 768), (0, 768)], (90, 100, 120))
    canvas.rectangle((0, 560, 1024, 768), fill=(70, 130, 60))
    canvas.ellipse((800, 60, 900, 160), fill=(255, 240, 170))
    for x in range(60, 1024, 130):
        canvas.rectangle((x - 8, 560, x + 8, 640), fill=(90, 60, 40))
        canvas.ellipse((x - 45, 470, x + 45, 590), fill=(40, 95, 45))


def _shapes(canvas: ImageDraw.ImageDraw) -> None:
    canvas.rectangle((80, 100, 330, 400), fill=(40, 80, 200))
    canvas.ellipse((400, 250, 700, 550), fill=(220, 50, 50))
    canvas.polygon([(800, 650), (960, 300), (1000, 660)], fill=(240, 200, 40))


def _lights(canvas: ImageDraw.ImageDraw) -> None:
    canvas.rectangle((440, 120, 584, 560), fill=(35, 35, 38), outline=(80, 80, 80), width=8)
    for y, colour in ((190, (230, 50, 40)), (340, (240, 190, 40)), (490, (50, 200, 80))):
        canvas.ellipse((462, y - 50, 562, y + 50), fill=colour)
    canvas.rectangle((500, 560, 524, 768), fill=(70, 70, 75))


def _grid(canvas: ImageDraw.ImageDraw) -> None:
    for x in range(0, WIDTH, 64):
        for y in range(0, HEIGHT, 64):
            if (x + y) // 64 % 2:
                canvas.rectangle((x, y, x + 63, y + 63), fill=(x % 255, (x + y) % 255, y % 255))


_SCENES: Sequence[tuple[tuple[int, int, int], Draw]] = [
    ((240, 236, 220), _words("GARDEN CONCERT", "Saturday 18:45 at the old mill", "Tickets 12 EUR at the door")),
    ((190, 210, 230), _faces((330, 300, 130), (720, 320, 110))),
    ((150, 190, 235), _stop_sign),
    ((150, 190, 240), _landscape),
    ((90, 100, 110), _faces((512, 330, 190))),
    ((245, 245, 245), _words("Invoice 2026-11-23", "Total 1,284.50", "Thank you for your visit", size=44)),
    ((225, 215, 200), _clock),
    ((120, 160, 90), _ball),
    ((235, 235, 235), _shapes),
    ((110, 130, 160), _lights),
    ((200, 200, 200), _grid),
    ((40, 44, 60), lambda canvas: None),
]
