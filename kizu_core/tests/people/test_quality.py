"""Which faces are good enough to tell people apart: large, sure and sharp ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from kizu_core.people.quality import is_usable
from kizu_core.people.thresholds import MIN_SCORE, MIN_SHARPNESS, MIN_SIDE_PX
from kizu_core.pipeline.sharpness import sharpness_of
from kizu_core.types import Box, Face

POINTS = ((0.42, 0.42), (0.58, 0.42), (0.5, 0.5), (0.44, 0.6), (0.56, 0.6))
FACE = Face(box=Box(0.35, 0.3, 0.65, 0.7), score=0.9, keypoints=POINTS, vector=np.full(4, 0.5, np.float32))


def drawn(side: int, blur: float = 0.0) -> NDArray[np.uint8]:
    """A drawing of a face in the middle of a picture, the same at each size."""
    picture = np.full((480, 480, 3), 200, np.uint8)
    y, x = np.mgrid[:480, :480] / 480
    for px, py in POINTS:
        picture[np.hypot(x - px, y - py) < 0.02] = 20
    image = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(blur)).resize((side, side))
    return np.asarray(image)


def sharpness(side: int, blur: float = 0.0) -> float:
    found = sharpness_of(drawn(side, blur), FACE)
    assert found is not None
    return found


def test_a_blurred_face_is_less_sharp() -> None:
    assert sharpness(480) > 10 * MIN_SHARPNESS
    assert sharpness(480) > sharpness(480, 2) > sharpness(480, 4) > sharpness(480, 8)
    assert sharpness(480, 16) < MIN_SHARPNESS


def test_a_face_that_is_enlarged_a_lot_is_less_sharp() -> None:
    assert sharpness(480) > 2 * sharpness(90)


@pytest.mark.parametrize("keypoints", [((0.5, 0.5),) * 5, (), ((float("nan"), 0.5),) * 5])
def test_a_face_that_can_not_be_aligned_has_no_sharpness(keypoints: Any) -> None:
    assert sharpness_of(drawn(200), replace(FACE, keypoints=keypoints)) is None


@pytest.mark.parametrize(
    ("change", "sharp", "side", "usable"),
    [
        ({}, 100.0, 640, True),
        ({}, None, 640, True),
        ({}, MIN_SHARPNESS - 0.1, 640, False),
        ({"score": MIN_SCORE - 0.01}, 100.0, 640, False),
        ({}, 100.0, int(MIN_SIDE_PX / 0.3) - 2, False),
        ({"box": Box(0.1, 0.1, 0.11, 0.9)}, 100.0, 640, False),
    ],
)
def test_small_doubtful_and_blurred_faces_are_not_usable(
    change: dict[str, Any], sharp: float | None, side: int, usable: bool
) -> None:
    assert is_usable(replace(FACE, **change), sharp, (side, side)) is usable
