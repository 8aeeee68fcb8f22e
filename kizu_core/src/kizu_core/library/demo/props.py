"""Things that stand in several scenes: signs, trees, clouds, birds."""

from __future__ import annotations

from collections.abc import Sequence

from kizu_core.library.demo.canvas import Box, Canvas, Colour, Point


def sign(canvas: Canvas, box: Box, lines: Sequence[tuple[str, float]], board: Colour, ink: Colour) -> None:
    """A board with a border; `lines` are words and their sizes, spread over its height."""
    left, top, right, bottom = box
    canvas.shadow((left + 8, top + 10, right + 8, bottom + 10))
    canvas.box(box, board, radius=14, outline=ink, line=4)
    step = (bottom - top) / (len(lines) + 0.4)
    for number, (words, size) in enumerate(lines):
        canvas.text(((left + right) / 2, top + step * (number + 0.7)), words, size, ink)


def arrow_sign(canvas: Canvas, at: Point, width: float, words: str, board: Colour, ink: Colour, *, left: bool) -> None:
    """A wooden pointer on a post; `at` is the middle of its straight end."""
    x, y = at
    way = -1 if left else 1
    tip = x + way * width
    canvas.shape([(x, y - 36), (tip, y - 36), (tip + way * 40, y), (tip, y + 36), (x, y + 36)], board)
    canvas.text((x + way * (width + 10) / 2, y), words, 38, ink)


def cloud(canvas: Canvas, at: Point, size: float, fill: Colour = "#ffffff") -> None:
    """A heap of circles on a flat base."""
    x, y = at
    for dx, dy, r in ((-1.2, 0, 0.6), (-0.4, -0.35, 0.85), (0.5, -0.15, 0.75), (1.2, 0.05, 0.5)):
        canvas.disc((x + dx * size, y + dy * size), r * size, fill)
    canvas.box((x - 1.7 * size, y, x + 1.65 * size, y + 0.58 * size), fill, radius=0.29 * size)


def fir(canvas: Canvas, at: Point, height: float, fill: Colour) -> None:
    """A fir tree standing on `at`."""
    x, y = at
    canvas.box((x - height * 0.04, y - height * 0.15, x + height * 0.04, y), "#4a3526")
    for part in range(3):
        low, wide = y - height * (0.12 + 0.26 * part), height * (0.27 - 0.06 * part)
        canvas.shape([(x - wide, low), (x, low - height * 0.42), (x + wide, low)], fill)


def gull(canvas: Canvas, at: Point, size: float) -> None:
    """A bird far away."""
    x, y = at
    canvas.line([(x - size, y - size * 0.3), (x - size * 0.4, y - size * 0.45), (x, y)], "#43485c", 3)
    canvas.line([(x, y), (x + size * 0.4, y - size * 0.45), (x + size, y - size * 0.3)], "#43485c", 3)
