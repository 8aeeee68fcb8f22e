"""A picture in the frame that a detector takes, and what it found back in the picture. numpy and Pillow alone.

Two kinds of coordinates meet here. *Frame pixels*: what the network sees, x to the right, y down, 0 the outer edge of
the first pixel. *Relative*: the upright picture, 0 to 1, as everywhere else in Kizu.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kizu_core.types import Box

GREY: Final = 114
"""What YOLO networks were trained to see beside a picture."""

STRIDE: Final = 32
"""Sides of a YOLO frame are multiples of it: the network halves a frame five times."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where in a frame the picture lies, whole and scaled, in whole frame pixels."""

    left: int
    top: int
    width: int
    height: int

    def to_relative(self, points: ArrayLike) -> NDArray[np.float64]:
        """Frame pixels as shares of the picture, not clipped: (..., 2k) or (..., 2), x and y taking turns."""
        pairs = np.asarray(points, np.float64)
        repeats = pairs.shape[-1] // 2
        corner, size = np.tile((self.left, self.top), repeats), np.tile((self.width, self.height), repeats)
        shares: NDArray[np.float64] = (pairs - corner) / size
        return shares


def letterbox(
    pixels: NDArray[np.uint8],
    size: tuple[int, int],
    *,
    stride: int | None = None,
    centred: bool = True,
    fill: int = GREY,
    whole: Callable[[float], int] = round,
) -> tuple[NDArray[np.uint8], Placement]:
    """The picture, as large as fits, in a frame filled with `fill`; and where it lies there.

    `pixels`: (h, w, 3) uint8, left as it is. `size`: (width, height) of the frame in pixels. With a `stride` the
    frame is cut down to the picture, to multiples of it: (1280, 960) in (640, 640) gives a frame of (640, 480), for a
    quarter less work. `centred`: else the picture lies in the top left corner. `whole`: makes
    whole pixels of its size there. Returns (height, width, 3) uint8.
    """
    (height, width), (frame_width, frame_height) = pixels.shape[:2], size
    scale = min(frame_width / width, frame_height / height)
    inner = max(1, whole(width * scale)), max(1, whole(height * scale))
    if stride is not None:
        frame_width, frame_height = (-(-side // stride) * stride for side in inner)
    spare = frame_width - inner[0], frame_height - inner[1]
    left, top = (spare[0] // 2, spare[1] // 2) if centred else (0, 0)
    frame = np.full((frame_height, frame_width, 3), fill, np.uint8)
    frame[top : top + inner[1], left : left + inner[0]] = _resized(pixels, inner)
    return frame, Placement(left, top, *inner)


def suppress(
    boxes: NDArray[Any], scores: NDArray[Any], classes: NDArray[Any], *, most_iou: float, limit: int
) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: indices of the boxes to keep, best first, at most `limit`.

    A box goes if one of its own class with a higher score (of equal ones, the earlier) is kept and overlaps it with an
    IoU above `most_iou`. `boxes`: (n, 4) left, top, right, bottom in any unit; `scores`, `classes`: (n,).
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size and len(kept) < limit:
        best, order = order[0], order[1:]
        kept.append(int(best))
        rivals = classes[order] == classes[best]
        rivals[rivals] = iou(boxes[best], boxes[order[rivals]]) > most_iou
        order = order[~rivals]
    return np.array(kept, np.intp)


def iou(box: NDArray[Any], others: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of a box (4,) with each of `others` (n, 4): (n,), 0 where both are empty."""
    one, many = np.asarray(box, np.float64), np.asarray(others, np.float64)
    sides = np.minimum(one[2:], many[:, 2:]) - np.maximum(one[:2], many[:, :2])
    common = np.clip(sides, 0, None).prod(axis=1)
    union = (one[2:] - one[:2]).prod() + (many[:, 2:] - many[:, :2]).prod(axis=1) - common
    shares: NDArray[np.float64] = common / np.maximum(union, np.finfo(np.float64).tiny)
    return shares


def as_box(edges: ArrayLike) -> Box | None:
    """What lies inside the picture of (4,) relative left, top, right, bottom; None if nothing does, or for NaN."""
    left, top, right, bottom = np.clip(np.asarray(edges, np.float64), 0.0, 1.0).tolist()
    return Box(left, top, right, bottom) if left < right and top < bottom else None


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Interpolated between four pixels, without smoothing first: what OpenCV does, hence what detectors learnt from."""
    from PIL import Image

    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels
    image = Image.fromarray(pixels)
    extent = (0.0, 0.0, float(width), float(height))
    return np.asarray(image.transform(size, Image.Transform.EXTENT, extent, Image.Resampling.BILINEAR))
