# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""Boxes known beforehand through the plugin: letterbox, scale and suppression cost less than a pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("kizu_plugin_yolo.plugin", reason="the plugin is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")
weights = pytest.importorskip("kizu_support.weights.yolo", reason="the repository's test support is not here")
turned = pytest.importorskip("kizu_support.turned", reason="the repository's test support is not here")

from PIL import Image

from kizu_core import Detection, Detector, ModelContext, Picture, Runtime
from kizu_core.media.decode import decode, to_picture
from kizu_plugin_yolo.model import build


def detector(path: Path, folder: Path, runtime: Runtime = Runtime.ORT_FP32) -> Detector:
    return build(ModelContext(device="cpu", threads=1, weights={"own.onnx": path}, cache_dir=folder, runtime=runtime))


def edges_px(found: Detection, picture: Picture) -> list[float]:
    scale = (picture.width_px, picture.height_px) * 2
    box = found.box
    return [edge * side for edge, side in zip((box.left, box.top, box.right, box.bottom), scale, strict=True)]


def in_frame(box: tuple[float, ...], size: tuple[int, int]) -> list[float]:
    """Where a box of a picture lies in the frame of ultralytics: its formulas, not ours."""
    width, height = size
    gain = min(640 / width, 640 / height)
    inner = round(width * gain), round(height * gain)
    pads = [((640 - side) % 32) / 2 for side in inner]
    offset = [round(pad - 0.1) for pad in pads] * 2
    return [value * gain + shift for value, shift in zip(box, offset, strict=True)]


@pytest.mark.parametrize("size", [(1280, 960), (640, 640), (4000, 3000), (963, 641), (333, 500), (200, 1999), (31, 47)])
def test_known_boxes_come_back_to_a_pixel(size: tuple[int, int], tmp_path: Path) -> None:
    width, height = size
    shares = {0: (0.05, 0.1, 0.45, 0.5), 1: (0.5, 0.25, 0.98, 0.9), 2: (0.1, 0.6, 0.4, 0.95)}
    wanted = {f"thing {n}": tuple(s * side for s, side in zip(one, size * 2, strict=True)) for n, one in shares.items()}
    rows = [(*in_frame(box, size), number, 0.9 - 0.1 * number) for number, box in enumerate(wanted.values())]
    path = weights.yolo_layout(tmp_path / "known.onnx", rows, list(wanted))
    picture = Picture(pixels=np.zeros((height, width, 3), np.uint8), width_px=width, height_px=height)
    (found,) = detector(path, tmp_path).detect([picture])
    assert [one.label for one in found] == list(wanted)
    for one in found:
        assert edges_px(one, picture) == pytest.approx(wanted[one.label], abs=1)


SHAPES = [("red", 200, 100, 600, 300), ("green", 700, 80, 1260, 420), ("blue", 60, 500, 104, 900)]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_things_are_where_they_are_shown_however_the_file_lies(orientation: int, tmp_path: Path) -> None:
    upright = weights.rectangles((1280, 960), SHAPES)
    path = tmp_path / "photo.png"
    turned.save_turned(Image.fromarray(upright.pixels), path, orientation)
    picture = to_picture(decode(path))
    assert (picture.width_px, picture.height_px) == (1280, 960)
    (found,) = detector(weights.colour_yolo(), tmp_path).detect([picture])
    assert {one.label: edges_px(one, picture) for one in found} == {
        colour: pytest.approx(box, abs=1) for colour, *box in SHAPES
    }


def test_a_decoded_photo_that_was_scaled_down_has_its_things_where_they_were(tmp_path: Path) -> None:
    large = weights.rectangles((2560, 1920), [(colour, *(2 * edge for edge in box)) for colour, *box in SHAPES])
    path = tmp_path / "large.png"
    Image.fromarray(large.pixels).save(path)
    picture = to_picture(decode(path, max_side=1280))
    (found,) = detector(weights.colour_yolo(), tmp_path).detect([picture])
    places = {one.label: edges_px(one, picture) for one in found}
    assert places == {colour: pytest.approx([2 * edge for edge in box], abs=1) for colour, *box in SHAPES}


def test_openvino_finds_the_same(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed")
    picture = weights.rectangles((1280, 960), SHAPES)
    path = weights.colour_yolo()
    found = [
        detector(path, tmp_path, runtime).detect([picture]) for runtime in (Runtime.ORT_FP32, Runtime.OPENVINO_FP32)
    ]
    assert found[0] == found[1]
