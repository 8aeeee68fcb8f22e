"""What Kizu asks of a model that reads."""

from __future__ import annotations

import kizu_plugin_rapidocr.plugin
from kizu_core.testing import OcrConformance


class TestRapidOcr(OcrConformance):
    plugin = kizu_plugin_rapidocr.plugin
