# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""What Kizu asks of a detector, of networks that find coloured rectangles: of any frame, and of one size only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

pytest.importorskip("kizu_plugin_yolo.plugin", reason="the plugin is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")
support = pytest.importorskip("kizu_support.weights.yolo", reason="the repository's test support is not here")

import kizu_plugin_yolo.plugin
from kizu_core import Picture
from kizu_core.testing import DetectorConformance


class TestYoloLayout(DetectorConformance):
    plugin = kizu_plugin_yolo.plugin
    environment: Mapping[str, str] = {"YOLO_WEIGHTS": str(support.colour_yolo())}

    @classmethod
    def pictures(cls) -> Sequence[Picture]:
        """Two frames of one size, one of another, and one with nothing in it."""
        red, blue = ("red", 40, 60, 200, 300), ("blue", 300, 100, 420, 340)
        sizes = [((640, 480), [red, blue]), ((640, 480), [blue]), ((480, 640), [red]), ((320, 200), [])]
        return [support.rectangles(size, shapes) for size, shapes in sizes]


class TestYoloLayoutOfOneSize(TestYoloLayout):
    environment: Mapping[str, str] = {"YOLO_WEIGHTS": str(support.colour_yolo(320))}
