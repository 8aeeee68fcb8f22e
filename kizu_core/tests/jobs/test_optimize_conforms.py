"""Core's own handler keeps to what is asked of everybody's."""

from __future__ import annotations

import kizu_core.jobs.plugin
from kizu_core.testing import JobHandlerConformance


class TestOptimize(JobHandlerConformance):
    plugin = kizu_core.jobs.plugin
    handler = "optimize"

    def test_plugin_names_a_range_of_core(self) -> None:
        """Core is the one plugin that needs no core."""
