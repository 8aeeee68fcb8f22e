"""An exported face pack behind Kizu's `FaceModel`: SCRFD finds faces, ArcFace tells them apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kizu_core import (
    Face,
    ModelContext,
    ModelUnavailable,
    Picture,
    Runtime,
    Session,
    align_face,
    as_box,
    letterbox,
    open_session,
)
from kizu_plugin_onnx.scrfd import Found, check_layout, decode

SIDE = 640
"""Pixels of the frame's sides, for a detector that takes any."""

_DETECTOR = (127.5, 128.0)
_RECOGNISER = (127.5, 127.5)
"""Mean and scale of what each network sees; both were trained on RGB."""


class OnnxFaces:
    """One look a picture, in a square frame; then all of its faces at once through the recogniser."""

    def __init__(self, detector: Session, recogniser: Session, frame: tuple[int, int]) -> None:
        self._sessions: tuple[Session, Session] | None = (detector, recogniser)
        self._frame = frame

    def find_faces(self, pictures: Sequence[Picture]) -> Sequence[Sequence[Face]]:
        """Faces of each picture, best first."""
        return [self._find(picture.pixels) for picture in pictures]

    def close(self) -> None:
        self._sessions = None

    def _find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        if self._sessions is None:
            raise RuntimeError("find_faces was called after close")
        detector, recogniser = self._sessions
        frame, place = letterbox(pixels, self._frame, centred=False, fill=0, whole=_cut)
        found = decode(_run(detector, frame[None], _DETECTOR), self._frame)
        height, width = pixels.shape[:2]
        scale = place.height / height  # of both sides, as InsightFace has it: a vector follows each tenth of a pixel
        keypoints = found.keypoints / scale / (width, height)
        boxes = [as_box(one) for one in found.boxes / scale / (width, height, width, height)]
        kept = [index for index, box in enumerate(boxes) if box is not None and _is_face(found, index)]
        vectors = _vectors(recogniser, pixels, found.keypoints[kept] / scale)
        return [
            Face(
                box=box,
                score=min(1.0, float(found.scores[index])),
                keypoints=tuple((float(x), float(y)) for x, y in np.clip(keypoints[index], -0.5, 1.5)),
                vector=vector,
            )
            for index, vector in zip(kept, vectors, strict=True)
            if (box := boxes[index]) is not None
        ]


def build(context: ModelContext) -> OnnxFaces:
    """The factory named by the spec. Raises `ModelUnavailable` for networks of another shape."""
    detector, recogniser = (
        open_session(context.weights[name], context.runtime or Runtime.ORT_FP32, context.threads)
        for name in ("detector.onnx", "recogniser.onnx")
    )
    check_layout(len(detector.outputs))
    shape = next(iter(recogniser.inputs.values()))
    if len(recogniser.outputs) != 1 or shape[2:] != (112, 112):
        raise ModelUnavailable("The bundle holds no recogniser of faces.", hint="Export the pack anew.")
    height, width = next(iter(detector.inputs.values()))[2:]
    frame = (width, height) if isinstance(width, int) and isinstance(height, int) else (SIDE, SIDE)
    return OnnxFaces(detector, recogniser, frame)


def _vectors(session: Session, pixels: NDArray[np.uint8], keypoints: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, dim) of unit length. `keypoints`: (n, 5, 2) in pixels."""
    if not len(keypoints):
        return np.zeros((0, 0), np.float32)
    crops = np.stack([align_face(pixels, one) for one in keypoints])
    raw = _run(session, crops, _RECOGNISER)[0].astype(np.float32)
    unit: NDArray[np.float32] = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-12)
    return unit


def _run(session: Session, frames: NDArray[np.uint8], scale: tuple[float, float]) -> list[NDArray[np.float32]]:
    """(n, h, w, 3) RGB through a network with one input."""
    (name,) = session.inputs
    tensor = (frames.transpose(0, 3, 1, 2).astype(np.float32) - np.float32(scale[0])) / np.float32(scale[1])
    return session.run({name: np.ascontiguousarray(tensor)})


def _cut(length: float) -> int:
    """Whole pixels as InsightFace counts them. What is less than one by rounding alone is one."""
    return int(length + 1e-6)


def _is_face(found: Found, index: int) -> bool:
    """Whether its keypoints can be aligned: finite, and not all in one place."""
    points = found.keypoints[index]
    return bool(np.isfinite(points).all() and np.ptp(points, axis=0).any())
