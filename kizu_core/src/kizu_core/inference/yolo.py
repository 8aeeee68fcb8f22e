"""The YOLO layout: pictures into the network's input and its raw output back into objects, whatever computes it.

Input: (n, 3, height, width) float32 RGB, 0 to 1. Output: (n, 4 + classes, places) float32: per place the middle, width
and height of a box in frame pixels, then a score for each class; YOLOv8 has no score for "an object". The defaults are
those of ultralytics' `predict`, but suppression is ours: theirs stops after some seconds and returns nothing.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kizu_core.errors import ModelFailed, ModelUnavailable
from kizu_core.inference.boxes import STRIDE, Placement, as_box, letterbox, suppress
from kizu_core.types import Detection, Picture

MIN_SCORE: Final = 0.25
MOST_IOU: Final = 0.7
MOST_OBJECTS: Final = 300
SIDE: Final = 640
"""Longer side in pixels of what official networks see."""

Infer = Callable[[NDArray[np.float32]], NDArray[Any]]


def find_objects(
    infer: Infer,
    pictures: Sequence[Picture],
    labels: Sequence[str],
    *,
    size: tuple[int, int] = (SIDE, SIDE),
    fixed: bool = False,
    batch: int = 1,
) -> list[list[Detection]]:
    """The objects in each picture, best first.

    `infer`: the network, (n, 3, h, w) -> (n, 4 + classes, places). `size`: (width, height) of the largest frame that it
    takes; unless it is `fixed`, the frame is cut down to the picture. `batch`: at most so many frames, of one size, go
    together. Raises `ModelFailed` if the network knows another number of classes than there are `labels`.
    """
    framed = [letterbox(one.pixels, size, stride=None if fixed else STRIDE) for one in pictures]
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, (frame, _) in enumerate(framed):
        alike[frame.shape].append(index)
    found: list[list[Detection]] = [[] for _ in pictures]
    for indices in alike.values():
        for start in range(0, len(indices), batch):
            part = indices[start : start + batch]
            outputs = infer(np.concatenate([to_tensor(framed[index][0]) for index in part]))
            for index, output in zip(part, outputs, strict=True):
                found[index] = to_detections(output, framed[index][1], labels)
    return found


def to_tensor(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w, 3) uint8 -> (1, 3, h, w) float32, 0 to 1."""
    return np.ascontiguousarray(frame.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def to_detections(output: NDArray[Any], place: Placement, labels: Sequence[str]) -> list[Detection]:
    """Raw output (4 + classes, places) of one frame as objects in the picture that lies at `place`, best first."""
    if len(output) != 4 + len(labels):
        raise ModelFailed(f"The network gives {len(output) - 4} classes, but {len(labels)} labels are known.")
    best = output[4:].max(axis=0)
    likely = best > MIN_SCORE  # never true of NaN
    scores, classes = best[likely], output[4:, likely].argmax(axis=0)
    middle, half = output[:2, likely].T, output[2:4, likely].T / 2
    edges = np.concatenate([middle - half, middle + half], axis=1)
    kept = suppress(edges, scores, classes, most_iou=MOST_IOU, limit=MOST_OBJECTS)
    boxes = [as_box(one) for one in place.to_relative(edges[kept])]
    return [
        Detection(label=labels[int(classes[index])], score=min(1.0, float(scores[index])), box=box)
        for index, box in zip(kept, boxes, strict=True)
        if box is not None
    ]


def labels_of(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Labels in the order of classes, from the metadata of an ONNX file in YOLO layout: `names` = "{0: 'person', ...}".

    Raises `ModelUnavailable` if they are not there.
    """
    try:
        names = ast.literal_eval(metadata["names"])
        return tuple(str(names[number]) for number in range(len(names)))
    except (KeyError, IndexError, TypeError, ValueError, SyntaxError, RecursionError) as error:
        raise ModelUnavailable(
            "The ONNX file does not name its classes, so it is no detector in YOLO layout.",
            hint="Export it with ultralytics, which writes `names` into the file's metadata.",
        ) from error
