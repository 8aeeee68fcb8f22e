"""Conformance suites for plugin authors: what Kizu asks of a plugin, as tests to inherit.

    import kizu_plugin_mine.plugin
    from kizu_core.testing import EmbedderConformance

    class TestMine(EmbedderConformance):
        plugin = kizu_plugin_mine.plugin

Needs pytest, which the extra `testing` of kizu-core brings. Nothing else in Kizu imports this package.
"""

from __future__ import annotations

from kizu_core.testing.clusterer import FaceClustererConformance
from kizu_core.testing.command import CommandConformance
from kizu_core.testing.handler import JobHandlerConformance
from kizu_core.testing.kinds import (
    DetectorConformance,
    EmbedderConformance,
    FaceModelConformance,
    OcrConformance,
    VlmConformance,
)
from kizu_core.testing.library import GivenLibrary, face_table
from kizu_core.testing.moments import MomentStrategyConformance
from kizu_core.testing.pictures import odd_pictures, ordinary_pictures, picture_of, sign
from kizu_core.testing.plugin import PluginConformance

__all__ = [
    "CommandConformance",
    "DetectorConformance",
    "EmbedderConformance",
    "FaceClustererConformance",
    "FaceModelConformance",
    "GivenLibrary",
    "JobHandlerConformance",
    "MomentStrategyConformance",
    "OcrConformance",
    "PluginConformance",
    "VlmConformance",
    "face_table",
    "odd_pictures",
    "ordinary_pictures",
    "picture_of",
    "sign",
]
