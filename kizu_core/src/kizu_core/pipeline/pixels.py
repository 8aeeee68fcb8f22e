"""Places in pixels beside the relative ones: for those who read results. Stored are relative ones only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard


def in_pixels(row: Mapping[str, Any], width_px: int | None, height_px: int | None) -> dict[str, Any]:
    """The row, with `bbox_px`, `quad_px` and `keypoints_px` for those of `bbox`, `quad`, `keypoints` that it has.

    `width_px`, `height_px`: of the whole upright picture, in whose pixels the places are given, to a tenth; where they
    are not known, nothing is added.
    """
    placed = dict(row)
    if not width_px or not height_px:
        return placed
    if is_box(box := row.get("bbox")):
        sizes = {"left": width_px, "top": height_px, "right": width_px, "bottom": height_px}
        placed["bbox_px"] = {side: round(box[side] * size, 1) for side, size in sizes.items()}
    for name in ("quad", "keypoints"):
        if points := row.get(name):
            placed[f"{name}_px"] = [[round(x * width_px, 1), round(y * height_px, 1)] for x, y in points]
    return placed


def is_box(value: Any) -> TypeGuard[Mapping[str, float]]:
    """Whether it is a box as Kizu stores them; rows that were there before Kizu may hold anything."""
    return isinstance(value, Mapping) and all(
        isinstance(value.get(side), int | float) for side in ("left", "top", "right", "bottom")
    )
