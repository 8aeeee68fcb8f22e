"""What a user wants of moments: `profiles.notification_settings`, in which other programs keep settings too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kizu_core.plugins.specs import MomentStrategySpec

ENABLED, TIME, KEEP_DAYS, MOST_A_DAY = "moments", "moments_time", "moments_auto_delete_days", "moments_daily_maximum"

NUMBERS: Mapping[str, tuple[int, range]] = {KEEP_DAYS: (7, range(1, 3651)), MOST_A_DAY: (5, range(1, 101))}
"""Setting -> its default, and what it may be."""

_TIME = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
"""As `kizu.moments_time` has it, which keeps to the schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """`keep_days`: how long an unsaved moment stays; `most_a_day`: new ones; `off`: keys of strategies switched off.

    `faults`: what is wrong with a setting -> what is done instead.
    """

    enabled: bool
    keep_days: int
    most_a_day: int
    off: frozenset[str]
    faults: Mapping[str, str]

    @property
    def notes(self) -> list[str]:
        """A sentence for each setting that can't be used as it is."""
        return [f"{fault}, so it {instead}." for fault, instead in self.faults.items()]

    def wants(self, spec: MomentStrategySpec) -> bool:
        return spec.setting_key not in self.off


def read_preferences(settings: Any, specs: Iterable[MomentStrategySpec]) -> Preferences:
    """Every value that makes sense, and the default for each that does not.

    `specs`: of the strategies that are installed. An unknown key is another program's, unless it begins like ours.
    """
    given: Mapping[str, Any] = settings if isinstance(settings, Mapping) else {}
    faults = {} if settings is given else {"What stands there is no table of names and values": "counts as empty"}
    switches = {spec.setting_key for spec in specs if spec.setting_key} | {ENABLED}
    off = {key for key in switches if given.get(key) is False}
    for key in sorted(switches & given.keys()):
        if not isinstance(given[key], bool):
            faults[f"{key} is neither true nor false"] = "counts as true"
    if TIME in given and not (isinstance(given[TIME], str) and _TIME.fullmatch(given[TIME])):
        faults[f"{TIME} is no time like 09:00"] = "counts as 09:00"
    numbers = {key: _number(given, key, faults) for key in NUMBERS}
    known = {*switches, *NUMBERS, TIME}
    for key in sorted(given.keys() - known):
        if key.startswith("moments_"):
            faults[f"{key} is no setting of anything installed"] = "is passed over"
    return Preferences(
        enabled=ENABLED not in off,
        keep_days=numbers[KEEP_DAYS],
        most_a_day=numbers[MOST_A_DAY],
        off=frozenset(off),
        faults=faults,
    )


def _number(given: Mapping[str, Any], key: str, faults: dict[str, str]) -> int:
    default, allowed = NUMBERS[key]
    value = given.get(key, default)
    if isinstance(value, int) and not isinstance(value, bool) and value in allowed:
        return value
    faults[f"{key} is no whole number from {allowed[0]} to {allowed[-1]}"] = f"counts as {default}"
    return default
