# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""What Kizu asks of an embedder, of a tiny CLIP that has learnt coloured shapes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

pytest.importorskip("kizu_plugin_clip.plugin", reason="the plugin is not installed")
pytest.importorskip("open_clip", reason="open_clip is not installed")
support = pytest.importorskip("kizu_support.weights", reason="the repository's test support is not here")

import kizu_plugin_clip.plugin
from kizu_core.testing import EmbedderConformance


class TestClip(EmbedderConformance):
    plugin = kizu_plugin_clip.plugin
    texts: Sequence[str] = ("a red circle", "a blue star", "the white square")

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def tiny(cls) -> None:
        """Made when the first check runs, not when tests are collected."""
        cls.environment = {"CLIP_MODEL": str(support.tiny_clip())}
