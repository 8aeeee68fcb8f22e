"""Which faces are good enough to tell people apart. Others are stored and shown, but neither matched nor grouped.

It is decided once, when a photo is looked at; other thresholds hold for photos that are looked at from then on.
"""

from __future__ import annotations

from kizu_core.people.thresholds import MIN_SCORE, MIN_SHARPNESS, MIN_SIDE_PX
from kizu_core.types import Face


def is_usable(face: Face, sharpness: float | None, seen_px: tuple[int, int]) -> bool:
    """Large, sure and sharp enough. `sharpness`: as `pipeline.sharpness` measures it, None if that was not possible.

    `seen_px`: width and height of the picture as the model saw it.
    """
    width_px = (face.box.right - face.box.left) * seen_px[0]
    height_px = (face.box.bottom - face.box.top) * seen_px[1]
    is_sharp = sharpness is None or sharpness >= MIN_SHARPNESS
    return min(width_px, height_px) >= MIN_SIDE_PX and face.score >= MIN_SCORE and is_sharp
