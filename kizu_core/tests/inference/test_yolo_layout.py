"""The YOLO layout: a network that is a plain function, with boxes known beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from kizu_core import ModelFailed, ModelUnavailable, Picture, find_objects, labels_of

LABELS = ("bird", "boat")


def picture(width: int, height: int) -> Picture:
    return Picture(pixels=np.zeros((height, width, 3), np.uint8), width_px=width, height_px=height)


def places(*found: Sequence[float]) -> NDArray[np.float32]:
    """Each (x, y, width, height, bird, boat) in frame pixels, as a network's raw output of one frame."""
    return np.array(found, np.float32).reshape(-1, 6).T


class Network:
    """Answers the same for each frame and remembers what it was asked."""

    def __init__(self, *found: Sequence[float]) -> None:
        self.found = found
        self.seen: list[tuple[int, ...]] = []

    def __call__(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        self.seen.append(frames.shape)
        return np.stack([places(*self.found)] * len(frames))


def test_boxes_come_back_relative_to_the_picture_best_first() -> None:
    network = Network((320, 240, 64, 48, 0.3, 0.1), (160, 120, 320, 240, 0.2, 0.9))
    ((first, second),) = find_objects(network, [picture(1280, 960)], LABELS)
    assert (first.label, second.label) == ("boat", "bird")
    assert (first.box.left, first.box.top, first.box.right, first.box.bottom) == pytest.approx((0, 0, 0.5, 0.5))
    assert (second.box.left, second.box.bottom) == pytest.approx((0.45, 0.55))
    assert network.seen == [(1, 3, 480, 640)]


def test_what_is_unlikely_or_no_number_or_beside_the_picture_is_left_out() -> None:
    beside = (320, 5, 100, 8, 0.9, 0)  # in the grey above a wide picture
    network = Network((320, 320, 9, 9, 0.24, 0), (320, 320, 9, 9, np.nan, np.nan), (np.nan, 1, 1, 1, 0.9, 0), beside)
    assert find_objects(network, [picture(640, 200)], LABELS, fixed=True) == [[]]


def test_of_many_boxes_around_one_thing_the_best_stays() -> None:
    network = Network(*[(320 + shift, 240, 200, 200, 0.9 - shift / 100, 0.1) for shift in range(8)])
    ((found,),) = find_objects(network, [picture(640, 480)], LABELS)
    assert found.score == pytest.approx(0.9)


def test_frames_of_one_size_go_together_and_answers_stay_with_their_pictures() -> None:
    network = Network((16, 16, 16, 16, 0.9, 0))
    sizes = [(640, 480), (480, 640), (640, 480), (1280, 960)]
    found = find_objects(network, [picture(*size) for size in sizes], LABELS, batch=2)
    assert sorted(network.seen) == [(1, 3, 480, 640), (1, 3, 640, 480), (2, 3, 480, 640)]
    assert [one[0].box.right for one in found] == pytest.approx([24 / 640, 24 / 480, 24 / 640, 24 / 640])
    assert find_objects(network, [], LABELS) == []


def test_a_network_of_other_classes_than_its_labels_fails() -> None:
    with pytest.raises(ModelFailed, match=r"gives 2 classes, but 3 labels"):
        find_objects(Network((1, 1, 1, 1, 0, 0)), [picture(32, 32)], ("a", "b", "c"))


def test_labels_are_read_as_data() -> None:
    assert labels_of({"names": "{1: 'boat', 0: 'bird'}"}) == ("bird", "boat")


@pytest.mark.parametrize("names", [None, "", "{0: 'bird', 2: 'boat'}", "__import__('os').getcwd()", "3", "[" * 9999])
def test_labels_that_are_not_there_are_one_sentence(names: str | None) -> None:
    with pytest.raises(ModelUnavailable, match="does not name its classes"):
        labels_of({} if names is None else {"names": names})
