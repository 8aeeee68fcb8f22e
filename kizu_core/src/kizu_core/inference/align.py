"""From the five keypoints of a face to the upright crop that recognisers were trained on. numpy alone, no OpenCV.

Pixels are addressed by their centres, as OpenCV does: (0, 0) is the middle of the top left pixel, not its corner.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

CROP_PX: Final = 112
"""Width and height of the crop."""

TEMPLATE: Final = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Where eyes, nose and corners of the mouth lie in the crop, (5, 2) (x, y) in pixels.

The template of ArcFace (Deng et al., CVPR 2019; `face_align.py` of the insightface project, MIT), which every
recogniser trained by that recipe expects.
"""


def align_face(pixels: NDArray[np.uint8], keypoints_px: ArrayLike) -> NDArray[np.uint8]:
    """The face upright and centred: (112, 112, 3) uint8, channels as they came, black where the picture ends.

    `pixels`: (h, w, 3). `keypoints_px`: (5, 2) in pixels of `pixels`. Raises `ValueError` as `similarity` does.
    """
    return warp(pixels, similarity(keypoints_px, TEMPLATE), (CROP_PX, CROP_PX))


def similarity(source: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """Rotation, one scale and shift, (2, 3), that brings `source` to `target`, both (n, 2), with least squared error.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE PAMI 13(4), 1991,
    equations 40 to 42. A mirror image is never made. Raises `ValueError` for points that are one, or not finite.
    """
    here, there = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if not (np.isfinite(here).all() and np.isfinite(there).all() and np.ptp(here, axis=0).any()):
        raise ValueError("points that are all one, or not finite, have no similarity transform")
    middle_here, middle_there = here.mean(axis=0), there.mean(axis=0)
    spread = ((here - middle_here) ** 2).sum() / len(here)
    left, strengths, right = np.linalg.svd((there - middle_there).T @ (here - middle_here) / len(here))
    signs = np.array([1.0, -1.0 if np.linalg.det(left) * np.linalg.det(right) < 0 else 1.0])
    turn = (left * signs) @ right
    scale = (strengths * signs).sum() / spread
    return np.column_stack([scale * turn, middle_there - scale * turn @ middle_here])


def warp(pixels: NDArray[np.uint8], matrix: ArrayLike, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture through an affine map, (height, width, 3) uint8 for a `size` of (width, height) pixels.

    `matrix`: (2, 3), from places in `pixels` to places in the result. Between pixels it is interpolated linearly; what
    lies outside is black. Raises `numpy.linalg.LinAlgError` for a map that can't be turned back.
    """
    forth = np.asarray(matrix, np.float64)
    back = np.linalg.inv(forth[:, :2])
    grid = np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), axis=-1)
    places = (grid - forth[:, 2]) @ back.T
    corner = np.floor(places).astype(np.int64)
    share = places - corner
    found = np.zeros((size[1], size[0], 3))
    for step in ((0, 0), (1, 0), (0, 1), (1, 1)):
        weight = np.abs(1 - np.array(step) - share).prod(axis=-1)
        found += weight[..., None] * _at(pixels, corner + step)
    return np.rint(found).astype(np.uint8)


def _at(pixels: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Pixels at (x, y), black outside."""
    size = np.array(pixels.shape[1::-1])
    inside = ((places >= 0) & (places < size)).all(axis=-1, keepdims=True)
    x, y = np.moveaxis(np.clip(places, 0, size - 1), -1, 0)
    return np.where(inside, pixels[y, x], np.uint8(0))
