"""Networks in YOLO layout: two whose boxes are known beforehand, and real ones with random numbers, for speed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kizu_core import Picture, letterbox
from kizu_core.inference.yolo import to_tensor
from kizu_core.models.runtimes.drawings import drawings
from kizu_support.weights.cache import cached, version_of

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
"""What `colour_yolo` finds, by label, RGB."""

Row = tuple[float, float, float, float, int, float]
"""Left, top, right, bottom in frame pixels, class, score."""

_COLOUR_NETWORK = """
<ir_version: 8, opset_import: ["": 17]>
yolo (float[N, 3, H, W] images) => (float[N, 7, A] output0)
<float half = {0.5}, float nine = {0.9}, int64[1] rows = {2}, int64[1] columns = {3}, int64 zero = {0}, int64 one = {1},
 int64 two = {2}, int64 three = {3}, int64[1] behind = {-1}, int64[1] first = {1}, float[1, 3, 3] classes>
{
  size = Shape(images)
  height = Gather(size, two)
  width = Gather(size, three)
  ys = Range(zero, height, one)
  xs = Range(zero, width, one)
  y = Cast<to=1>(ys)
  x = Cast<to=1>(xs)
  bottom_end = Cast<to=1>(height)
  right_end = Cast<to=1>(width)

  total = ReduceSum(images, first)
  twice = Add(images, images)
  most = Sub(twice, total)
  pure = Greater(most, half)
  mask = Cast<to=1>(pure)
  column = ReduceMax<axes=[2], keepdims=0>(mask)
  row = ReduceMax<axes=[3], keepdims=0>(mask)
  in_column = Greater(column, half)
  in_row = Greater(row, half)

  origin = Sub(half, half)
  unit = Add(half, half)
  x_next = Add(x, unit)
  y_next = Add(y, unit)
  lefts = Where(in_column, x, right_end)
  rights = Where(in_column, x_next, origin)
  tops = Where(in_row, y, bottom_end)
  bottoms = Where(in_row, y_next, origin)
  left = ReduceMin<axes=[2], keepdims=0>(lefts)
  right = ReduceMax<axes=[2], keepdims=0>(rights)
  top = ReduceMin<axes=[2], keepdims=0>(tops)
  bottom = ReduceMax<axes=[2], keepdims=0>(bottoms)

  across = Add(left, right)
  middle_x = Mul(across, half)
  down = Add(top, bottom)
  middle_y = Mul(down, half)
  box_width = Sub(right, left)
  box_height = Sub(bottom, top)
  a = Unsqueeze(middle_x, first)
  b = Unsqueeze(middle_y, first)
  c = Unsqueeze(box_width, first)
  d = Unsqueeze(box_height, first)
  there = Greater(box_width, origin)
  present = Cast<to=1>(there)
  sure = Mul(present, nine)
  sures = Unsqueeze(sure, first)
  scores = Mul(sures, classes)
  output0 = Concat<axis=1>(a, b, c, d, scores)
}
"""


def colour_yolo(side: int | None = None) -> Path:
    """An ONNX file that finds the one purely red, green and blue rectangle of a picture, each to a frame pixel.

    `side`: for frames of that side only; else of any.
    """
    version = version_of(_write_colour_yolo) + _COLOUR_NETWORK
    name = "yolo-colours" if side is None else f"yolo-colours-{side}"
    return cached(name, version, lambda folder: _write_colour_yolo(folder, side)) / "yolo.onnx"


def rectangles(size: tuple[int, int], shapes: Sequence[tuple[str, int, int, int, int]]) -> Picture:
    """A grey picture of `size` (width, height) with rectangles: a colour of `COLOURS`, left, top, right, bottom."""
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    for colour, left, top, right, bottom in shapes:
        pixels[top:bottom, left:right] = COLOURS[colour]
    pixels.setflags(write=False)
    return Picture(pixels=pixels, width_px=size[0], height_px=size[1])


def yolo_layout(path: Path, boxes: Sequence[Row], labels: Sequence[str]) -> Path:
    """Writes an ONNX file that finds `boxes` in each frame, whatever it shows, each several times with lower scores."""
    import onnx
    from onnx import helper, numpy_helper

    again = [
        (left + shift, top + shift, right + shift, bottom + shift, number, score - 0.01 * shift)
        for left, top, right, bottom, number, score in boxes
        for shift in range(4)
    ]
    output = np.zeros((1, 4 + len(labels), len(again)), np.float32)
    for index, (left, top, right, bottom, number, score) in enumerate(again):
        output[0, :4, index] = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
        output[0, 4 + number, index] = score
    nodes = [
        helper.make_node("Shape", ["images"], ["count"], start=0, end=1),
        helper.make_node("Concat", ["count", "ones"], ["shape"], axis=0),
        helper.make_node("Expand", ["found", "shape"], ["output0"]),
    ]
    constants = [numpy_helper.from_array(output, "found"), numpy_helper.from_array(np.ones(2, np.int64), "ones")]
    floats = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "yolo",
        [helper.make_tensor_value_info("images", floats, ["N", 3, "H", "W"])],
        [helper.make_tensor_value_info("output0", floats, ["N", 4 + len(labels), len(again)])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return _save(model, path, labels)


def random_yolo(size: str = "n", labels: int = 80) -> Path:
    """A checkpoint of ultralytics with the shape of an official one and random numbers: `yolov8<size>.pt`."""
    version = version_of(_write_random_yolo, _spread, _scaled_to, libraries=("ultralytics", "torch"))
    folder = cached(f"yolov8{size}-{labels}", version, lambda folder: _write_random_yolo(folder, size, labels))
    return folder / f"yolov8{size}.pt"


def _write_random_yolo(folder: Path, size: str, labels: int) -> None:
    import torch
    from ultralytics import YOLO
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(0)
    model = YOLO(f"yolov8{size}.yaml", verbose=False)
    model.model = DetectionModel(model.cfg, nc=labels, verbose=False)
    model.model.names = {number: f"thing {number}" for number in range(labels)}
    _spread(model.model)
    model.model.eval()
    model.save(folder / f"yolov8{size}.pt")


def _spread(network: Any) -> None:
    """Numbers of the last layers such that some places are likely and boxes differ: else nothing could be compared."""
    import torch

    scene = torch.from_numpy(to_tensor(letterbox(drawings()[0].pixels, (640, 640), stride=32)[0]))
    head = network.model[-1]
    last = [(branch[-1], 1.0, 0.0) for branch in head.cv2] + [(branch[-1], 0.7, -3.8) for branch in head.cv3]
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0  # what one look gives is remembered, or all would fade away layer by layer
        network.train()(scene)
        hooks = [layer.register_forward_hook(_scaled_to(wanted)) for layer, wanted, _ in last]
        network.eval()(scene)
    for hook, (layer, _, bias) in zip(hooks, last, strict=True):
        hook.remove()
        torch.nn.init.constant_(layer.bias, bias)


def _scaled_to(wanted: float) -> Any:
    def scale(layer: Any, _: Any, output: Any) -> None:
        layer.weight.mul_(wanted / float(output.std()))

    return scale


def _write_colour_yolo(folder: Path, side: int | None) -> None:
    import onnx
    from onnx import numpy_helper

    model = onnx.parser.parse_model(_COLOUR_NETWORK)
    model.graph.initializer.append(numpy_helper.from_array(np.eye(3, dtype=np.float32)[None], "classes"))
    if side is not None:
        for dimension in model.graph.input[0].type.tensor_type.shape.dim[2:]:
            dimension.dim_value = side
    _save(model, folder / "yolo.onnx", tuple(COLOURS))


def _save(model: Any, path: Path, labels: Sequence[str]) -> Path:
    import onnx

    onnx.helper.set_model_props(model, {"names": str(dict(enumerate(labels))), "task": "detect"})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
