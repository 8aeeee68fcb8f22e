"""Moment strategies for Kizu: places, people, this day in other years, events."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core import MomentStrategySpec, hookimpl


@hookimpl
def kizu_moment_strategies() -> Iterable[MomentStrategySpec]:
    return [
        MomentStrategySpec(
            name="location",
            summary="trips away from home, however many stops they had",
            grouping_type="location",
            factory="kizu_plugin_moments.location:build",
            setting_key="moments_location",
            order=10,
        ),
        MomentStrategySpec(
            name="people",
            summary="the latest photos of each person with a name",
            grouping_type="people",
            factory="kizu_plugin_moments.people:build",
            setting_key="moments_people",
            order=20,
        ),
        MomentStrategySpec(
            name="on-this-day",
            summary="the days around today in earlier years",
            grouping_type="on_this_day",
            factory="kizu_plugin_moments.on_this_day:build",
            setting_key="moments_on_this_day",
            order=30,
        ),
        MomentStrategySpec(
            name="events",
            summary="what happened in the last three months: up to five gatherings, outings and evenings",
            grouping_type="event",
            factory="kizu_plugin_moments.events:build",
            setting_key="moments_events",
            order=40,
        ),
        MomentStrategySpec(
            name="common-location",
            summary="photos of the place with the most of them, when nothing else is found",
            grouping_type="location",
            factory="kizu_plugin_moments.fallbacks:build_common_location",
            fallback=True,
            order=200,
        ),
        MomentStrategySpec(
            name="recent",
            summary="the latest photos, when nothing else is found",
            grouping_type="recent",
            factory="kizu_plugin_moments.fallbacks:build_recent",
            fallback=True,
            order=210,
        ),
    ]
