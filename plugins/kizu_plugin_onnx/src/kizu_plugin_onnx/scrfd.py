"""The raw output of SCRFD detectors as boxes and keypoints, whatever their size: 500m, 2.5g, 10g and others.

Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021. A network looks at a frame on
three scales (strides of 8, 16 and 32 pixels, two anchors a place) or on five (up to 128, one anchor). It gives first
the scores of all scales, then the distances from each place to the four edges of a box, then the places of five
keypoints, all in strides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizu_core import ModelFailed, ModelUnavailable, suppress

MIN_SCORE = 0.5
MOST_IOU = 0.4
MOST_FACES = 1000

_SCALES = {9: (3, 2), 15: (5, 1)}
"""Outputs of a network with keypoints -> scales, anchors a place."""


@dataclass(frozen=True, slots=True)
class Found:
    """Faces in frame pixels, best first: `boxes` (n, 4) left, top, right, bottom; `scores` (n,); `keypoints`
    (n, 5, 2).
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    keypoints: NDArray[np.float64]


def check_layout(outputs: int) -> None:
    """Raises `ModelUnavailable` unless a network with so many outputs is a detector with keypoints."""
    if outputs not in _SCALES:
        hint = "Without keypoints a face can't be told from another. Export a pack such as buffalo_l."
        raise ModelUnavailable("The bundle holds no face detector with keypoints.", hint=hint)


def decode(outputs: Sequence[NDArray[Any]], size: tuple[int, int]) -> Found:
    """The faces of one frame of `size` (width, height). Raises `ModelFailed` for outputs that do not fit it."""
    scales, anchors = _SCALES[len(outputs)]
    parts = []
    for index in range(scales):
        stride = 8 << index
        scores, edges, points = (
            np.asarray(outputs[index + part * scales], np.float64).reshape(-1, width)
            for part, width in enumerate((1, 4, 10))
        )
        places = _places(size, stride, anchors)
        if not len(scores) == len(edges) == len(points) == len(places):
            raise ModelFailed("The face detector does not give a score for each place of its frame.")
        likely = scores[:, 0] >= MIN_SCORE  # never true of NaN
        here, distances = places[likely], edges[likely] * stride
        boxes = np.concatenate([here - distances[:, :2], here + distances[:, 2:]], axis=1)
        keypoints = here[:, None] + points[likely].reshape(-1, 5, 2) * stride
        parts.append((boxes, scores[likely, 0], keypoints))
    boxes, sure, keypoints = (np.concatenate(part) for part in zip(*parts, strict=True))
    kept = suppress(boxes, sure, np.zeros(len(boxes)), most_iou=MOST_IOU, limit=MOST_FACES)
    return Found(boxes[kept], sure[kept], keypoints[kept])


def _places(size: tuple[int, int], stride: int, anchors: int) -> NDArray[np.float64]:
    """(n, 2) x and y of each anchor, line by line."""
    columns, lines = (length // stride for length in size)
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(lines)), axis=-1).reshape(-1, 2)
    return np.repeat(grid * float(stride), anchors, axis=0)
