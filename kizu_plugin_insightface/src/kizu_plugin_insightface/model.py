"""InsightFace behind Kizu's `FaceModel`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kizu_core import Face, ModelContext, ModelUnavailable, Picture, Runtime, align_face, as_box
from kizu_plugin_insightface.routing import route
from kizu_plugin_insightface.session import open_library_session

SIDE = 640
"""Pixels of the square frame in which faces are looked for: one look a picture. InsightFace 2 takes two by default."""

MIN_SCORE = 0.5
THINNEST = 32
"""A picture longer than this many times its short side is framed: scaled down, nothing of it would be left."""


class InsightFaceModel:
    """Finds faces with `detector` (a `SCRFD` of insightface) and tells them apart with `recogniser` (`ArcFaceONNX`)."""

    def __init__(self, detector: Any, recogniser: Any) -> None:
        self._detector = detector
        self._recogniser = recogniser

    def find_faces(self, pictures: Sequence[Picture]) -> Sequence[Sequence[Face]]:
        """Faces of each picture, those that are surest first."""
        return [self._find(picture) for picture in pictures]

    def close(self) -> None:
        self._detector = self._recogniser = None

    def _find(self, picture: Picture) -> list[Face]:
        if self._detector is None:
            raise RuntimeError("find_faces was called after close")
        bgr = _framed_bgr(picture.pixels)
        found, keypoints = self._detector.detect(bgr)
        size = np.array(picture.pixels.shape[1::-1], np.float64)
        boxes = [as_box(one) for one in found[:, :4] / np.tile(size, 2)]
        kept = [index for index, box in enumerate(boxes) if box is not None and _is_face(keypoints[index])]
        vectors = self._vectors(bgr, keypoints[kept])
        return [
            Face(
                box=boxes[index],  # type: ignore[arg-type]  # those that are None were left out above
                score=min(1.0, float(found[index, 4])),
                keypoints=_relative(keypoints[index] / size),
                vector=vector,
            )
            for index, vector in zip(kept, vectors, strict=True)
        ]

    def _vectors(self, bgr: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, dim) of unit length, all faces of a picture at once."""
        if not len(keypoints):
            return np.zeros((0, 0), np.float32)
        raw = self._recogniser.get_feat([align_face(bgr, one) for one in keypoints]).astype(np.float32)
        unit: NDArray[np.float32] = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-12)
        return unit


def build(context: ModelContext) -> InsightFaceModel:
    """The factory named by the spec. Raises `ModelUnavailable` for files that are no detector or no recogniser."""
    runtime = context.runtime or Runtime.ORT_FP32
    detector_path, recogniser_path = route(context.weights.values())
    detector = _detector(detector_path, runtime, context.threads)
    return InsightFaceModel(detector, _recogniser(recogniser_path, runtime, context.threads))


def _detector(path: Path, runtime: Runtime, threads: int) -> Any:
    from insightface.model_zoo.scrfd import SCRFD

    try:
        # With the file's name it would open sessions of its own, one a size.
        detector = SCRFD(session=open_library_session(path, runtime, threads), static_shape_sessions=False)
        detector.prepare(-1, input_size=(SIDE, SIDE), det_thresh=MIN_SCORE)
    except (AttributeError, IndexError, ValueError) as error:
        raise ModelUnavailable(f"InsightFace can't use the detector {path.name}: {error}.") from error
    return detector


def _recogniser(path: Path, runtime: Runtime, threads: int) -> Any:
    from insightface.model_zoo.arcface_onnx import ArcFaceONNX

    session = open_library_session(path, runtime, threads)
    try:
        return ArcFaceONNX(model_file=str(path), session=session)
    except (AssertionError, IndexError, ValueError) as error:
        raise ModelUnavailable(f"InsightFace can't use the recogniser {path.name}: {error}.") from error


def _framed_bgr(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture as InsightFace wants it, black below or beside a strip."""
    height, width = pixels.shape[:2]
    least = -(-max(height, width) // THINNEST)
    framed = np.zeros((max(height, least), max(width, least), 3), np.uint8)
    framed[:height, :width] = pixels[..., ::-1]
    return framed


def _is_face(keypoints: NDArray[np.float32]) -> bool:
    """Whether they can be aligned: finite, and not all in one place."""
    return bool(np.isfinite(keypoints).all() and np.ptp(keypoints, axis=0).any())


def _relative(points: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """Points of a face at the edge may lie outside, by no more than half a picture."""
    return tuple((float(x), float(y)) for x, y in np.clip(points, -0.5, 1.5))
