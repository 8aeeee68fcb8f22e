"""What Kizu asks of a face clusterer."""

from __future__ import annotations

import pytest

import kizu_plugin_hdbscan.plugin
from kizu_core.testing import FaceClustererConformance

pytest.importorskip("hdbscan", reason="hdbscan is not installed")


class TestHdbscan(FaceClustererConformance):
    plugin = kizu_plugin_hdbscan.plugin
