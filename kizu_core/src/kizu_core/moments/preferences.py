"""What a user wants of moments: `profiles.notification_settings`, in which other programs keep settings too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kizu_core.plugins.specs import MomentStrategySpec

ENABLED, TIME, KEEP_DAYS, MOST_A_DAY = "moments", "moments_time", "moments_auto_delete_days", "moments_daily_maximum"

NUMBERS: Mapping[str, tuple[int, range]] = {KEEP_DAYS: (7, range(1, 3651)), MOST_A_DAY: (5, range(1, 101))}
"""Setting -> its default, and what it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """`keep_days`: how long an unsaved moment stays; `most_a_day`: new ones; `off`: keys of strategies switched off.

    `notes`: a sentence for each setting that could not be used as it is.
    """

    enabled: bool
    keep_days: int
    most_a_day: int
    off: frozenset[str]
    notes: tuple[str, ...]

    def wants(self, spec: MomentStrategySpec) -> bool:
        return spec.setting_key not in self.off


def read_preferences(settings: Any, time: str, specs: Iterable[MomentStrategySpec]) -> Preferences:
    """Every value that makes sense; the default, and a note, for one that does not.

    `time`: the hour of the schedule as the database understood it. Unknown keys are another program's unless they
    begin like ours.
    """
    given: Mapping[str, Any] = settings if isinstance(settings, Mapping) else {}
    switches = {spec.setting_key for spec in specs if spec.setting_key} | {ENABLED}
    notes = [] if isinstance(settings, Mapping) else ["The settings are no table of names and values; none is used."]
    off = set()
    for key in sorted(switches & given.keys()):
        if not isinstance(given[key], bool):
            notes.append(f"{key} is neither true nor false, so it counts as true.")
        elif not given[key]:
            off.add(key)
    numbers = {key: _number(given, key, notes) for key in NUMBERS}
    if TIME in given and str(given[TIME]).zfill(5) != time:
        notes.append(f"{TIME} is no time like 09:00, so it counts as {time}.")
    known = {*switches, *NUMBERS, TIME}
    notes += [f"{key} is no setting of anything installed." for key in sorted(given.keys() - known) if _is_ours(key)]
    return Preferences(
        enabled=ENABLED not in off,
        keep_days=numbers[KEEP_DAYS],
        most_a_day=numbers[MOST_A_DAY],
        off=frozenset(off),
        notes=tuple(notes),
    )


def _is_ours(key: str) -> bool:
    return key.startswith("moments_")


def _number(given: Mapping[str, Any], key: str, notes: list[str]) -> int:
    default, allowed = NUMBERS[key]
    value = given.get(key, default)
    if isinstance(value, int) and not isinstance(value, bool) and value in allowed:
        return value
    notes.append(f"{key} is no whole number from {allowed[0]} to {allowed[-1]}, so it counts as {default}.")
    return default
