"""What Kizu asks of an embedder."""

from __future__ import annotations

import kizu_plugin_histogram.plugin
from kizu_core.testing import EmbedderConformance


class TestHistogram(EmbedderConformance):
    plugin = kizu_plugin_histogram.plugin
