"""Moments with people: the latest photos of everybody who has a name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from kizu_core import MomentCandidate, Photo
from kizu_plugin_moments.table import DAY, Numbers, Table, table_of
from kizu_plugin_moments.titles import span
from kizu_plugin_moments.worth import freshness, worth

SHOTS = 4
WINDOWS_DAYS = (90, 365)
WINDOW_SHOTS = 12
"""The shortest window with so many shots is shown, else everything: of a friend seen often, the last weeks are."""
SHOWN = 40


class People:
    """For each name the photos before the newest one of that person, evenly over time. See `MomentStrategy`."""

    def propose(self, photos: Sequence[Photo], *, now: datetime) -> Sequence[MomentCandidate]:
        table = table_of(photos, now)
        rows: dict[str, list[int]] = {}
        for row, photo in enumerate(table.photos):
            for name in set(photo.people):
                rows.setdefault(name, []).append(row)
        found = [_moment(table, name, np.array(rows[name]), now) for name in sorted(rows)]
        return [moment for moment in found if moment]


def build(settings: object) -> People:
    return People()


def _moment(table: Table, name: str, rows: Numbers, now: datetime) -> MomentCandidate | None:
    """One shot of a burst, the first, stands for all of it."""
    every = table.firsts(rows)
    if len(every) < SHOTS:
        return None
    days, recent = _recent(table, every)
    shown = _spread(recent)
    first, last = table.when(recent[0]), table.when(recent[-1])
    return MomentCandidate(
        title=f"Moments with {name}",
        subtitle=span(first, last),
        asset_ids=tuple(table.photos[int(row)].asset_id for row in shown),
        key=f"{name} {last:%Y-%m}",
        score=worth(0.35, 0.6, len(shown), SHOWN) + round(0.2 * freshness(last, now), 4),
        criteria={
            "rule": "photos of one person, the latest ones, evenly over time",
            "person": name,
            "shots_in_all": len(every),
            "shots_in_window": len(recent),
            "window_days": days,
            "thresholds": {"shots": SHOTS, "window_shots": WINDOW_SHOTS, "shown": SHOWN},
        },
    )


def _recent(table: Table, rows: Numbers) -> tuple[int | None, Numbers]:
    """The shortest window before the newest of the rows that holds enough of them: its days, and the rows in it."""
    for days in WINDOWS_DAYS:
        inside = rows[table.seconds[rows] >= table.seconds[rows[-1]] - days * DAY]
        if len(inside) >= WINDOW_SHOTS:
            return days, inside
    return None, rows


def _spread(rows: Numbers) -> Numbers:
    """At most `SHOWN` of them, the first and the last among them."""
    if len(rows) <= SHOWN:
        return rows
    return rows[np.linspace(0, len(rows) - 1, SHOWN).round().astype(np.int64)]
