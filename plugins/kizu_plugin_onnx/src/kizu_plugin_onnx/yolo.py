"""An exported YOLO behind Kizu's `Detector`."""

from __future__ import annotations

from collections.abc import Sequence

from kizu_core import (
    Detection,
    ModelContext,
    ModelUnavailable,
    Picture,
    Runtime,
    Session,
    find_objects,
    labels_of,
    open_session,
)

SIDE = 640
"""Longer side in pixels of the frames of a network that takes any."""


class OnnxYolo:
    """Picture by picture: on a processor a batch gains nothing."""

    def __init__(self, session: Session, labels: Sequence[str], frame: tuple[int, int], *, fixed: bool) -> None:
        self._session: Session | None = session
        self._labels = labels
        self._frame = frame
        self._fixed = fixed

    def detect(self, pictures: Sequence[Picture]) -> Sequence[Sequence[Detection]]:
        """Objects of each picture, best first."""
        if self._session is None:
            raise RuntimeError("detect was called after close")
        session = self._session
        (name,) = session.inputs
        return find_objects(
            lambda frames: session.run({name: frames})[0], pictures, self._labels, size=self._frame, fixed=self._fixed
        )

    def close(self) -> None:
        self._session = None


def build(context: ModelContext) -> OnnxYolo:
    """The factory named by the spec. Raises `ModelUnavailable` for a file in another layout."""
    session = open_session(context.weights["yolo.onnx"], context.runtime or Runtime.ORT_FP32, context.threads)
    shapes = list(session.inputs.values())
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][1] not in (3, None):
        raise ModelUnavailable("The bundle holds no detector in YOLO layout.", hint="Export the model anew.")
    height, width = shapes[0][2:]
    labels = labels_of(session.metadata)
    if isinstance(width, int) and isinstance(height, int):
        return OnnxYolo(session, labels, (width, height), fixed=True)
    return OnnxYolo(session, labels, (SIDE, SIDE), fixed=False)
