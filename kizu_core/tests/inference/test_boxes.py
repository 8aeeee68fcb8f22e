"""Letterbox and back, suppression of overlapping boxes, boxes at the edge of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kizu_core import Box, as_box, letterbox, suppress
from kizu_core.inference.boxes import GREY, STRIDE, iou

Array = NDArray[np.float64]

SIDES = st.integers(1, 3000)


@given(SIDES, SIDES, st.sampled_from([(640, 640), (320, 640), (128, 96)]), st.booleans(), st.booleans(), st.data())
def test_a_point_through_the_frame_and_back_is_where_it_was(
    width: int, height: int, size: tuple[int, int], rect: bool, centred: bool, data: st.DataObject
) -> None:
    pixels = np.zeros((height, width, 3), np.uint8)
    frame, place = letterbox(pixels, size, stride=STRIDE if rect else None, centred=centred)
    x, y = data.draw(st.floats(0, 1)), data.draw(st.floats(0, 1))
    there = np.array([place.left + x * place.width, place.top + y * place.height])
    assert place.to_relative(there) * (width, height) == pytest.approx((x * width, y * height), abs=1e-6)
    assert place.left + place.width <= frame.shape[1]
    assert place.top + place.height <= frame.shape[0]
    if rect:
        assert frame.shape[0] % STRIDE == frame.shape[1] % STRIDE == 0
    else:
        assert frame.shape[1::-1] == size


@pytest.mark.parametrize("size", [(1280, 960), (963, 641), (47, 31), (2048, 1365), (1200, 80), (333, 2000)])
@pytest.mark.parametrize("rect", [True, False])
def test_what_is_drawn_in_a_picture_is_found_again_to_a_pixel(size: tuple[int, int], rect: bool) -> None:
    width, height = size
    left, top, right, bottom = width // 4, height // 4, 3 * width // 4, 3 * height // 4
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[top:bottom, left:right] = 255
    frame, place = letterbox(pixels, (640, 640), stride=STRIDE if rect else None, fill=0)
    rows, columns = np.nonzero(frame[..., 0] > 127)
    edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    found = place.to_relative(edges) * (width, height, width, height)
    pixel = max(1.0, width / place.width)  # of the frame, in pixels of the picture
    assert np.abs(found - (left, top, right, bottom)).max() <= pixel


def test_a_frame_cut_down_to_the_picture_does_less_work() -> None:
    frame, place = letterbox(np.zeros((960, 1280, 3), np.uint8), (640, 640), stride=STRIDE)
    assert frame.shape == (480, 640, 3)
    assert (place.left, place.top, place.width, place.height) == (0, 0, 640, 480)


def test_beside_the_picture_the_frame_is_grey_and_the_picture_is_left_alone() -> None:
    pixels = np.full((10, 3000, 3), 200, np.uint8)
    pixels.setflags(write=False)
    frame, place = letterbox(pixels, (640, 640))
    assert place.height == 2
    assert (frame[place.top : place.top + 2] == 200).all()
    assert (frame[: place.top] == GREY).all()
    assert (frame[place.top + 2 :] == GREY).all()


EDGE = st.integers(0, 20)
CANDIDATE = st.tuples(EDGE, EDGE, EDGE, EDGE, st.integers(0, 9), st.integers(0, 2))


@given(st.lists(CANDIDATE, max_size=40), st.sampled_from([0.0, 0.3, 0.5, 0.7]), st.integers(1, 40))
def test_suppression_is_that_of_the_slow_way(candidates: list[tuple[int, ...]], most_iou: float, limit: int) -> None:
    found = np.array(candidates, np.float64).reshape(-1, 6)
    first, second = found[:, :2], found[:, 2:4]
    boxes = np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=1)
    kept = suppress(boxes, found[:, 4] / 9, found[:, 5], most_iou=most_iou, limit=limit)
    assert kept.tolist() == slowly(boxes, found[:, 4] / 9, found[:, 5], most_iou)[:limit]


def slowly(boxes: Array, scores: Array, classes: Array, most: float) -> list[int]:
    kept: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda one: (-scores[one], one)):
        same = [other for other in kept if classes[other] == classes[index]]
        if all(share(boxes[index], boxes[other]) <= most for other in same):
            kept.append(index)
    return kept


def share(a: Array, b: Array) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / both if both else 0.0


def test_objects_of_two_classes_may_lie_on_each_other() -> None:
    boxes = np.array([[0, 0, 10, 10]] * 3, np.float32)
    kept = suppress(boxes, np.array([0.5, 0.9, 0.8]), np.array([1, 1, 2]), most_iou=0.7, limit=10)
    assert kept.tolist() == [1, 2]


def test_equal_boxes_overlap_wholly_and_empty_ones_not_at_all() -> None:
    box, empty = np.array([1.0, 1.0, 3.0, 2.0]), np.array([1.0, 1.0, 1.0, 1.0])
    assert iou(box, np.array([box, empty])).tolist() == [1.0, 0.0]
    assert iou(empty, empty[None]).tolist() == [0.0]


@given(st.lists(st.floats(-2, 3), min_size=4, max_size=4))
def test_a_box_lies_in_the_picture_or_is_none(edges: list[float]) -> None:
    box = as_box(edges)
    if box is not None:
        assert 0 <= box.left < box.right <= 1
        assert 0 <= box.top < box.bottom <= 1


def test_what_sticks_out_is_cut_off() -> None:
    assert as_box(np.array([-0.2, 0.25, 0.5, 1.5], np.float32)) == Box(0.0, 0.25, 0.5, 1.0)


@pytest.mark.parametrize(
    "edges", [[0.5, 0.1, 0.5, 0.9], [1.2, 0.1, 1.4, 0.9], [float("nan"), 0, 1, 1], [0.9, 0, 0.1, 1]]
)
def test_nothing_is_left_of_a_box_outside_or_without_area(edges: list[float]) -> None:
    assert as_box(edges) is None
