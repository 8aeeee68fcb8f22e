"""This week in earlier years, by the calendar of the place where the photos were taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import numpy as np

from kizu_core import MomentCandidate, Photo
from kizu_plugin_moments.table import Numbers, Table, table_of
from kizu_plugin_moments.titles import span, where
from kizu_plugin_moments.worth import worth

AROUND = timedelta(days=3)
SHOTS = 3
PLENTY = 60
EPOCH = date(1970, 1, 1)


class OnThisDay:
    """A moment for each earlier year with photos around this day. See `MomentStrategy`."""

    def propose(self, photos: Sequence[Photo], *, now: datetime) -> Sequence[MomentCandidate]:
        table = table_of(photos, now)
        kept = np.flatnonzero(~table.bulk)
        found = []
        for years, first, last in _weeks(table, now.date()):
            start, end = np.searchsorted(table.days[kept], [(first - EPOCH).days, (last - EPOCH).days + 1])
            rows = kept[start:end]
            shots = len(table.firsts(rows)) if len(rows) else 0
            if shots >= SHOTS:
                found.append(_moment(table, rows, shots, years, now))
        return found


def build(settings: object) -> OnThisDay:
    return OnThisDay()


def anniversary(today: date, years: int) -> date:
    """The same day so many years ago; for 29 February in a common year it is the 28th."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return today.replace(year=today.year - years, day=28)


def _weeks(table: Table, today: date) -> Iterator[tuple[int, date, date]]:
    """Years ago, first and last day of each week that the table reaches back to.

    The days count from that year's own anniversary: what was taken on 1 January belongs to the week of 30 December.
    """
    oldest = table.when(0).year if len(table) else today.year
    for years in range(1, min(today.year - oldest + 1, today.year - 1) + 1):
        middle = anniversary(today, years)
        yield years, middle - AROUND, middle + AROUND


def _moment(table: Table, rows: Numbers, shots: int, years: int, now: datetime) -> MomentCandidate:
    first, last = table.when(rows[0]), table.when(rows[-1])
    photos = [table.photos[int(row)] for row in rows]
    place = where(photos)
    return MomentCandidate(
        title=f"This week, {years} {'year' if years == 1 else 'years'} ago",
        subtitle=f"{span(first, last)}, {place}" if place else span(first, last),
        asset_ids=tuple(photo.asset_id for photo in photos),
        key=f"{anniversary(now.date(), years):%Y-%m-%d}",
        score=worth(0.45, 0.75, shots, PLENTY) + (0.1 if years % 5 == 0 else 0.05 if years == 1 else 0.0),
        criteria={
            "rule": "photos of the days around this one in an earlier year",
            "day": now.date().isoformat(),
            "years_ago": years,
            "shots": shots,
            "thresholds": {"days_around": AROUND.days, "shots": SHOTS},
        },
    )
