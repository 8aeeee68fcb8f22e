"""The map from a face's keypoints to its crop: what holds for any points, and what OpenCV makes of the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kizu_core import align_face, similarity, warp
from kizu_core.inference.align import TEMPLATE

COORDINATES = st.floats(-3000, 3000)
ANGLES = st.floats(-np.pi, np.pi)
SCALES = st.floats(0.05, 20)


def turned(angle: float, scale: float, shift: tuple[float, float]) -> NDArray[np.float64]:
    """(2, 3)."""
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])


def moved(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points @ matrix[:, :2].T + matrix[:, 2]


def photo(width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """Smooth, different everywhere, and different in each channel."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    waves = [128 + 100 * np.sin(x / a + y / b) for a, b in ((17, 29), (31, 13), (23, 41))]
    return np.stack(waves, axis=-1).astype(np.uint8)


@given(ANGLES, SCALES, st.tuples(COORDINATES, COORDINATES))
def test_a_similarity_is_found_again(angle: float, scale: float, shift: tuple[float, float]) -> None:
    matrix = turned(angle, scale, shift)
    assert np.allclose(similarity(TEMPLATE, moved(matrix, TEMPLATE)), matrix, atol=1e-6)


@given(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=5, max_size=5, unique=True))
def test_for_any_points_it_turns_scales_and_never_mirrors(points: list[tuple[float, float]]) -> None:
    source = np.array(points)
    if source.std() < 1e-3:
        return
    part = similarity(source, TEMPLATE)[:, :2]
    assert np.linalg.det(part) >= -1e-9
    assert np.allclose(part @ part.T, np.linalg.det(part) * np.eye(2), atol=1e-6)


@given(ANGLES, st.floats(0.9, 1.1), st.integers(0, 2**32 - 1))
def test_no_similarity_near_it_fits_better(angle: float, scale: float, seed: int) -> None:
    source = TEMPLATE + np.random.default_rng(seed).normal(0, 5, TEMPLATE.shape)
    best = similarity(source, TEMPLATE)
    other = best.copy()
    other[:, :2] = turned(angle / 50, scale, (0, 0))[:, :2] @ best[:, :2]

    def misfit(matrix: NDArray[np.float64]) -> float:
        return float(((moved(matrix, source) - TEMPLATE) ** 2).sum())

    assert misfit(best) <= misfit(other) + 1e-9


@pytest.mark.parametrize("points", [[[7, 7]] * 5, [[np.nan, 0]] * 5, [[np.inf, 0], [1, 2], [3, 4], [5, 6], [7, 8]]])
def test_points_without_a_shape_are_refused(points: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="no similarity transform"):
        align_face(photo(), points)


def test_a_face_in_place_stays_as_it_is() -> None:
    pixels = photo()
    assert np.array_equal(align_face(pixels, TEMPLATE), pixels[:112, :112])
    assert np.array_equal(align_face(pixels, np.add(TEMPLATE, (50, 60))), pixels[60:172, 50:162])


def test_outside_of_the_picture_is_black() -> None:
    crop = align_face(np.full((100, 100, 3), 200, np.uint8), np.subtract(TEMPLATE, (56, 0)))
    assert (crop[:100, 56:] == 200).all()
    assert not crop[:, :56].any()
    assert not crop[100:].any()


def test_between_pixels_it_is_the_mean() -> None:
    pixels = np.zeros((1, 2, 3), np.uint8)
    pixels[0, 1] = 100
    assert warp(pixels, np.array([[1, 0, -0.5], [0, 1, 0]]), (1, 1)).tolist() == [[[50, 50, 50]]]


@pytest.mark.parametrize("seed", range(5))
def test_crops_are_those_of_insightface(seed: int) -> None:
    face_align = pytest.importorskip("insightface.utils.face_align", reason="insightface is not installed")
    random = np.random.default_rng(seed)
    matrix = turned(random.uniform(-0.6, 0.6), random.uniform(0.5, 1.5), tuple(random.uniform(20, 90, 2)))
    keypoints = (moved(matrix, TEMPLATE) + random.normal(0, 1.5, TEMPLATE.shape)).astype(np.float32)
    with pytest.warns(FutureWarning, match="estimate"):
        expected = face_align.norm_crop(photo(), keypoints)
    difference = np.abs(align_face(photo(), keypoints).astype(int) - expected)
    assert difference.mean() < 0.5
    assert np.quantile(difference, 0.99) <= 3  # OpenCV rounds places to 1/32 pixel
