"""The order in which a person would read. EasyOCR gives words as it finds them, slanted ones last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAME_LINE = 0.7
"""Of a line's height: words whose middles differ by less stand in one line."""


def reading_order(quads: Sequence[Any]) -> list[int]:
    """Indices of text quads, lines from top to bottom along the text's own slant, in a line from left to right.

    `quads`: corners (x, y) in pixels, clockwise from the text's own top left.
    """
    if not len(quads):
        return []
    level = np.asarray(quads, np.float64) @ _rotation(-_slant(np.asarray(quads, np.float64))).T
    middles = level.mean(axis=1)
    heights = np.linalg.norm(level[:, 3] - level[:, 0], axis=1)
    lines: list[list[int]] = []
    for index in np.argsort(middles[:, 1], kind="stable").tolist():
        if lines:
            line = lines[-1]
            apart = middles[index, 1] - middles[line, 1].mean()
            if apart < SAME_LINE * min(heights[index], heights[line].mean()):
                line.append(index)
                continue
        lines.append([index])
    return [index for line in lines for index in sorted(line, key=lambda one: middles[one, 0])]


def _slant(quads: NDArray[np.float64]) -> float:
    """The angle of the text in radians: the median of the upper edges, long ones counting more."""
    edges = quads[:, 1] - quads[:, 0]
    angles = np.arctan2(edges[:, 1], edges[:, 0])
    order = np.argsort(angles)
    weights = np.cumsum(np.linalg.norm(edges, axis=1)[order])
    return float(angles[order][np.searchsorted(weights, weights[-1] / 2)])


def _rotation(angle: float) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])
