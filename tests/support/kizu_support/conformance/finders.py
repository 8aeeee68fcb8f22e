"""Detectors of what is bright, and face models that take it for a face."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kizu_core import Box, Detection, DetectorSpec, Face, FaceModelSpec, Picture, hookimpl
from kizu_support.conformance.fakes import Fake, all_of, but, by, declared

EACH = "test_there_is_a_result_for_each_picture"


def bright_box(picture: Picture) -> Box | None:
    """Around everything brighter than a sign's ground."""
    bright = picture.pixels.max(axis=2) > 240
    if not bright.any():
        return None
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    height, width = bright.shape
    ends = (columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)
    return Box(*map(float, ends))


class GoodDetector(Fake):
    label = "lamp"
    score: Any = 0.9

    def box(self, box: Box, picture: Picture) -> Box:
        return box

    def detect(self, pictures: Sequence[Picture]) -> Any:
        found = [(bright_box(picture), picture) for picture in pictures]
        return [
            [Detection(label=self.label, score=self.score, box=self.box(box, picture))] if box else []
            for box, picture in found
        ]


class InPixels(GoodDetector):
    breaks = by(EACH, "relative to the picture, 0 to 1")

    def box(self, box: Box, picture: Picture) -> Box:
        return Box(box.left, box.top, box.right * picture.width_px, box.bottom * picture.height_px)


class InsideOut(GoodDetector):
    breaks = by(EACH, "left < right and top < bottom")

    def box(self, box: Box, picture: Picture) -> Box:
        return Box(box.right, box.top, box.left, box.bottom)


class OfCorners(GoodDetector):
    breaks = by(EACH, "A place is a Box, not a tuple")

    def box(self, box: Box, picture: Picture) -> Any:
        return (box.left, box.top, box.right, box.bottom)


class NewWord(GoodDetector):
    breaks = by(EACH, "'torch' is not there")
    label = "torch"


class Percent(GoodDetector):
    breaks = by(EACH, "a plain number from 0 to 1, not 90")
    score = 90


class NumpyScore(GoodDetector):
    breaks = by(EACH, "a plain number from 0 to 1")
    score = np.float32(0.9)


class OwnType(GoodDetector):
    breaks = by(EACH, "An object is a Detection, not a tuple")

    def detect(self, pictures: Sequence[Picture]) -> Any:
        return [[("lamp", 0.9)] for _ in pictures]


class Blind(GoodDetector):
    breaks = by("test_something_is_found", "return pictures from `pictures`")

    def detect(self, pictures: Sequence[Picture]) -> Any:
        return [[] for _ in pictures]


class Unlabelled(GoodDetector):
    breaks = by("test_labels_are_declared_once", "declares its `labels`")
    declares = but(labels=())


class LabelledTwice(GoodDetector):
    breaks = by("test_labels_are_declared_once", "declared twice")
    declares = but(labels=("lamp", "lamp"))


class GoodFaces(Fake):
    points: Any = ((0.1, 0.1), (0.2, 0.1), (0.15, 0.15), (0.1, 0.2), (0.2, 0.2))
    vector: Any = np.array([1, 0, 0, 0], np.float32)

    def find_faces(self, pictures: Sequence[Picture]) -> Any:
        boxes = [bright_box(picture) for picture in pictures]
        return [[Face(box=box, score=0.9, keypoints=self.points, vector=self.vector)] if box else [] for box in boxes]


class FourPoints(GoodFaces):
    breaks = by(EACH, "five keypoints")
    points = GoodFaces.points[:4]


class PointsInPixels(GoodFaces):
    breaks = by(EACH, "relative to the picture")
    points = ((10.0, 12.0),) * 5


class NumpyPoints(GoodFaces):
    breaks = by("test_results_can_be_stored", "plain Python values that JSON has")
    points = tuple((np.float32(x), np.float32(y)) for x, y in GoodFaces.points)


class LongVector(GoodFaces):
    breaks = by(EACH, "unit length")
    vector = np.array([3, 0, 0, 0], np.float32)


class FaceOfItsOwn(GoodFaces):
    breaks = by(EACH, "A face is a Face, not a dict")

    def find_faces(self, pictures: Sequence[Picture]) -> Any:
        return [[{}] for _ in pictures]


@hookimpl
def kizu_detectors() -> Iterable[DetectorSpec]:
    usual = {"output_version": "1", "labels": ("lamp",)}
    return [DetectorSpec(**{**usual, **declared(fake)}) for fake in all_of(GoodDetector)]


@hookimpl
def kizu_face_models() -> Iterable[FaceModelSpec]:
    usual = {"output_version": "1", "dim": 4, "space": "fake"}
    return [FaceModelSpec(**{**usual, **declared(fake)}) for fake in all_of(GoodFaces)]
