"""What Kizu asks of a model that reads. Without torch, only what the plugin declares is checked."""

from __future__ import annotations

import pytest

pytest.importorskip("kizu_plugin_easyocr.plugin", reason="the plugin is not installed")

import kizu_plugin_easyocr.plugin
from kizu_core.testing import OcrConformance


class TestEasyOcr(OcrConformance):
    plugin = kizu_plugin_easyocr.plugin
