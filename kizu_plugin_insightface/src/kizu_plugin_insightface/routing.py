"""Which file of a pack does what, told from its inputs and outputs as InsightFace does, but without loading any."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kizu_core import Header, ModelUnavailable, read_header

_DETECTOR_OUTPUTS = (9, 15)
"""Scores, boxes and keypoints on three or five scales. Detectors without keypoints are of no use to a recogniser."""

_CROP_PX = 112


def route(paths: Iterable[Path]) -> tuple[Path, Path]:
    """Detector and recogniser among ONNX files; of several the first by name, as in InsightFace.

    Raises `ModelUnavailable` if there is none of one, or if a file can't be read.
    """
    detectors, recognisers = [], []
    for path in sorted(paths, key=lambda one: one.name):
        header = read_header(path)
        if _is_detector(header):
            detectors.append(path)
        elif _is_recogniser(header):
            recognisers.append(path)
    for found, what in ((detectors, "detector with keypoints"), (recognisers, "recogniser")):
        if not found:
            hint = "A pack is a folder of ONNX files such as those of buffalo_l."
            raise ModelUnavailable(f"The face pack has no {what}.", hint=hint)
    return detectors[0], recognisers[0]


def dim_of(recogniser: Path) -> int | None:
    """Length of the vectors that it makes; None if the file does not say."""
    (shape,) = read_header(recogniser).outputs.values()
    return shape[-1] if shape and isinstance(shape[-1], int) else None


def _is_detector(header: Header) -> bool:
    return len(header.outputs) in _DETECTOR_OUTPUTS


def _is_recogniser(header: Header) -> bool:
    """One input, a square picture of the size that faces are aligned to, and one vector."""
    shape = next(iter(header.inputs.values()))
    return len(header.outputs) == 1 and shape[2:] == (_CROP_PX, _CROP_PX)
