# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""What Kizu asks of a model that describes, on a checkpoint that the tests make."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

pytest.importorskip("kizu_plugin_florence.plugin", reason="the plugin is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
weights = pytest.importorskip("kizu_support.weights", reason="the repository's test support is not here")

import kizu_plugin_florence.plugin
from kizu_core.testing import VlmConformance


class TestFlorence(VlmConformance):
    plugin = kizu_plugin_florence.plugin
    environment: Mapping[str, str] = {"FLORENCE_MODEL": str(weights.tiny_florence())}
