"""Face packs: one that really finds drawn faces, and a recogniser of full size with random numbers, for speed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kizu_core import Picture
from kizu_support.weights import graph
from kizu_support.weights.cache import cached, version_of
from kizu_support.weights.graph import Graph

DETECTOR, RECOGNISER = "det_10g.onnx", "w600k_r50.onnx"
"""What the files of buffalo_l are called."""

SKIN, FEATURES = (255, 230, 20), (255, 170, 20)
"""RGB: what the fake detector takes for a face, and what of it tells faces apart."""

KEYPOINTS = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
"""Eyes, nose and corners of the mouth as shares of a drawn face."""

_CELL, _CELLS, _STRIDES = 4, 160, (8, 16, 32)
_BLOCKS = ((64, 3), (128, 4), (256, 14), (512, 3))


def fake_face_pack(detector: Path | None = None) -> Path:
    """A folder as buffalo_l: a detector in the shape of SCRFD that finds what `face_picture` draws, and a recogniser in
    the shape of ArcFace, a fixed projection. `detector`: a real one to take instead.
    """
    version = version_of(_write_detector, _directions, _write_recogniser, graph)
    if detector is None:
        return cached("faces-fake", version, _write_pack)
    name, content = f"faces-{detector.stem}", f"{version} {detector.stat().st_size}"
    return cached(name, content, lambda folder: _write_pack(folder, detector))


def face_picture(faces: Sequence[tuple[int, int, int]], size: tuple[int, int] = (640, 480)) -> Picture:
    """Drawn faces: left, top and width in pixels of each, 1.2 times as high as wide, on a grey ground."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", size, (90, 110, 130))
    canvas = ImageDraw.Draw(image)
    for number, (left, top, width) in enumerate(faces):
        canvas.rectangle((left, top, left + width - 1, top + round(1.2 * width) - 1), fill=SKIN)
        radius = width * (0.04 + 0.02 * (number % 4))
        for x, y in KEYPOINTS:
            middle = left + x * width, top + y * 1.2 * width
            canvas.ellipse([middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius], FEATURES)
    pixels = np.array(image)
    pixels.setflags(write=False)
    return Picture(pixels=pixels, width_px=size[0], height_px=size[1])


def random_iresnet50() -> Path:
    """An ONNX file with the layers of buffalo_l's recogniser and random numbers."""
    version = version_of(_write_iresnet50, _convolution, _block, graph)
    return cached("iresnet50-random", version, _write_iresnet50) / RECOGNISER


def _write_pack(folder: Path, detector: Path | None = None) -> None:
    if detector is None:
        _write_detector(folder / DETECTOR)
    else:
        shutil.copyfile(detector, folder / DETECTOR)
    _write_recogniser(folder / RECOGNISER)


def _write_detector(path: Path) -> None:
    """Each place within a run of skin, across and down, says how far it is to the ends of the runs: all say the same of
    one upright rectangle, and suppression leaves one of them.
    """
    net = Graph()
    red, green, blue = (net("Gather", "image", np.array([channel]), axis=1) for channel in range(3))
    skin = net("Greater", net("Sub", net("Min", red, green), blue), 1.0)
    shares = net("AveragePool", net("Cast", skin, to=1), kernel_shape=[_CELL] * 2, strides=[_CELL] * 2)
    inside = net("Greater", shares, 0.5)
    edges = _directions(net, inside)
    cells = net("Concat", *edges, net("Cast", inside, to=1), axis=1)
    shares_of_edges = np.zeros((4, 10), np.float32)  # a keypoint lies between the edges: x from left, y from top
    for index, (x, y) in enumerate(KEYPOINTS):
        shares_of_edges[[0, 2], 2 * index] = x - 1, x
        shares_of_edges[[1, 3], 2 * index + 1] = y - 1, y
    outputs: dict[str, tuple[str, list[int | str]]] = {}
    for stride in _STRIDES:
        every = [np.array([0, 0]), np.array([1 << 20] * 2), np.array([2, 3]), np.array([stride // _CELL] * 2)]
        places = net("Transpose", net("Slice", cells, *every), perm=[0, 2, 3, 1])
        twice = net("Reshape", net("Concat", places, places, axis=3), np.array([-1, 5]))  # two anchors a place
        boxes = net("Mul", net("Gather", twice, np.arange(4), axis=1), float(_CELL / stride))
        outputs[f"score_{stride}"] = net("Mul", net("Gather", twice, np.array([4]), axis=1), 0.9), ["A", 1]
        outputs[f"bbox_{stride}"] = boxes, ["A", 4]
        outputs[f"kps_{stride}"] = net("MatMul", boxes, shares_of_edges), ["A", 10]
    outputs = {
        f"{what}_{stride}": outputs[f"{what}_{stride}"] for what in ("score", "bbox", "kps") for stride in _STRIDES
    }
    net.save(path, {"image": [1, 3, "H", "W"]}, outputs)


def _directions(net: Graph, inside: str) -> list[str]:
    """Cells from each place of `inside` to the left, upper, right and lower end of its run."""
    size, nowhere, found = net("Shape", inside), net("Mul", net("Cast", inside, to=1), 0.0), []
    for back in (False, True):
        for axis, kernel in ((3, [1, _CELLS]), (2, [_CELLS, 1])):
            length = net("Gather", size, np.array(axis))
            numbers = net("Cast", net("Range", np.array(0), length, np.array(1)), to=1)
            along = numbers if axis == 3 else net("Unsqueeze", numbers, np.array([1]))
            at = net("Add", nowhere, along)
            ahead = net("Neg", at) if back else at
            beyond = net("Neg", net("Cast", length, to=1)) if back else -1.0
            pads = [0, 0, 0, 0]
            pads[(2 if back else 0) + (axis - 2)] = _CELLS - 1
            end = net("MaxPool", net("Where", inside, beyond, ahead), kernel_shape=kernel, pads=pads)
            apart = net("Sub", ahead, end)
            found.append(apart if back else net("Sub", apart, 1.0))
    return found


def _write_recogniser(path: Path) -> None:
    weights = np.random.default_rng(0).standard_normal((3 * 7 * 7, 512), np.float32) / 12
    net = Graph()
    pooled = net("AveragePool", "input.1", kernel_shape=[16, 16], strides=[16, 16])
    vector = net("MatMul", net("Flatten", pooled), weights)
    net.save(path, {"input.1": ["N", 3, 112, 112]}, {"embedding": (vector, ["N", 512])})


def _write_iresnet50(folder: Path) -> None:
    net, random = Graph(), np.random.default_rng(0)
    value, width = net("PRelu", _convolution(net, random, "input.1", 3, 64, 3, 1), _slopes(64)), 64
    for channels, blocks in _BLOCKS:
        for block in range(blocks):
            value = _block(net, random, value, width, channels, 2 if block == 0 else 1)
            width = channels
    weights = random.standard_normal((512 * 49, 512), np.float32) / 160
    net.save(
        folder / RECOGNISER,
        {"input.1": ["N", 3, 112, 112]},
        {"embedding": (net("Gemm", net("Flatten", value), weights, np.zeros(512, np.float32)), ["N", 512])},
    )


def _block(net: Graph, random: np.random.Generator, value: str, width: int, channels: int, stride: int) -> str:
    """Normalised, convolved, bent, convolved, and added to what came in."""
    ones, zeros = np.ones(width, np.float32), np.zeros(width, np.float32)
    inner = net("BatchNormalization", value, ones, zeros, zeros, ones)
    inner = net("PRelu", _convolution(net, random, inner, width, channels, 3, 1), _slopes(channels))
    inner = _convolution(net, random, inner, channels, channels, 3, stride)
    short = value if width == channels and stride == 1 else _convolution(net, random, value, width, channels, 1, stride)
    return net("Add", inner, short)


def _convolution(
    net: Graph, random: np.random.Generator, value: str, width: int, channels: int, kernel: int, stride: int
) -> str:
    scale = (2 / (width * kernel * kernel)) ** 0.5 / 2
    weights = random.standard_normal((channels, width, kernel, kernel), np.float32) * np.float32(scale)
    pads = [kernel // 2] * 4
    return net("Conv", value, weights, np.zeros(channels, np.float32), strides=[stride] * 2, pads=pads)


def _slopes(channels: int) -> NDArray[np.float32]:
    return np.full((channels, 1, 1), 0.25, np.float32)
