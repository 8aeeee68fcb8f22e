# ruff: noqa: E402 - without the libraries that make bundles, the skip must come before what needs them
"""What Kizu asks of models, of bundles exported from tiny ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

for library in ("open_clip", "insightface", "ultralytics"):
    pytest.importorskip(library, reason="bundles are made by the plugins whose libraries are not all installed")
bundles = pytest.importorskip("kizu_support.weights.bundles", reason="the repository's test support is not here")

import kizu_plugin_onnx.plugin
from kizu_core import Picture
from kizu_core.testing import DetectorConformance, EmbedderConformance, FaceModelConformance
from kizu_support.weights.faces import face_picture
from kizu_support.weights.yolo import rectangles


class TestClip(EmbedderConformance):
    plugin = kizu_plugin_onnx.plugin
    environment: Mapping[str, str] = {"ONNX_CLIP": str(bundles.unpacked("clip"))}


class TestYolo(DetectorConformance):
    plugin = kizu_plugin_onnx.plugin
    environment: Mapping[str, str] = {"ONNX_YOLO": str(bundles.unpacked("yolo"))}

    @classmethod
    def pictures(cls) -> Sequence[Picture]:
        """Rectangles of known colours, and none."""
        return [rectangles((640, 480), [("red", 100, 80, 300, 220)]), rectangles((320, 200), [])]


class TestFaces(FaceModelConformance):
    plugin = kizu_plugin_onnx.plugin
    environment: Mapping[str, str] = {"ONNX_FACES": str(bundles.unpacked("insightface"))}

    @classmethod
    def pictures(cls) -> Sequence[Picture]:
        """Two faces, one face at the edge, none."""
        two = face_picture([(100, 60, 120), (380, 200, 150)])
        return [two, face_picture([(-40, 100, 160)], (480, 640)), face_picture([], (320, 200))]
