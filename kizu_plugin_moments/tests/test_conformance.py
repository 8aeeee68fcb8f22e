"""What Kizu asks of moment strategies, of each of the six."""

from __future__ import annotations

import kizu_plugin_moments.plugin
from kizu_core.testing import MomentStrategyConformance


class TestLocation(MomentStrategyConformance):
    plugin = kizu_plugin_moments.plugin
    strategy = "location"


class TestPeople(MomentStrategyConformance):
    plugin = kizu_plugin_moments.plugin
    strategy = "people"


class TestOnThisDay(MomentStrategyConformance):
    plugin = kizu_plugin_moments.plugin
    strategy = "on-this-day"


class TestEvents(MomentStrategyConformance):
    plugin = kizu_plugin_moments.plugin
    strategy = "events"


class TestCommonLocation(MomentStrategyConformance):
    plugin = kizu_plugin_moments.plugin
    strategy = "common-location"


class TestRecent(MomentStrategyConformance):
    plugin = kizu_plugin_moments.plugin
    strategy = "recent"
