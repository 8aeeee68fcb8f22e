"""How sharp a face is: measured where its pixels are at hand, stored with it, judged by `people.quality`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kizu_core.inference.align import align_face
from kizu_core.types import Face

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Brightness of RGB (ITU-R BT.601)."""


def sharpness_of(pixels: NDArray[np.uint8], face: Face) -> float | None:
    """Variance of the Laplacian of the aligned face, in grey levels squared (Pech-Pacheco et al., ICPR 2000).

    It is measured on the 112 x 112 pixels that recognisers see, so it means the same for a portrait and for a face in a
    group; one that had to be enlarged a lot is not sharp. None for keypoints that can't be aligned.
    """
    height, width = pixels.shape[:2]
    keypoints = np.asarray(face.keypoints, np.float64)
    if keypoints.shape != (5, 2):
        return None
    try:
        grey = align_face(pixels, keypoints * (width, height)).astype(np.float32) @ _LUMA
    except ValueError:
        return None
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    return float(edges.var())
