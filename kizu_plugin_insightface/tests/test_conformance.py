# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""What Kizu asks of a face model, of a pack that finds drawn faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

pytest.importorskip("kizu_plugin_insightface.plugin", reason="the plugin is not installed")
pytest.importorskip("insightface", reason="insightface is not installed")
support = pytest.importorskip("kizu_support.weights.faces", reason="the repository's test support is not here")

import kizu_plugin_insightface.plugin
from kizu_core import Picture
from kizu_core.testing import FaceModelConformance


class TestInsightFace(FaceModelConformance):
    plugin = kizu_plugin_insightface.plugin
    environment: Mapping[str, str] = {"FACE_MODEL_NAME": str(support.fake_face_pack())}

    @classmethod
    def pictures(cls) -> Sequence[Picture]:
        """Two faces, one face at the edge, none."""
        two = support.face_picture([(100, 60, 120), (380, 200, 150)])
        edge = support.face_picture([(-40, 100, 160)], (480, 640))
        return [two, edge, support.face_picture([], (320, 200))]
