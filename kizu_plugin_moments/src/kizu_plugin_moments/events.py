"""Events: what was photographed at one place without a long pause, in the last months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from kizu_core import MomentCandidate, Photo
from kizu_plugin_moments.dbscan import NOISE
from kizu_plugin_moments.sharing import shares
from kizu_plugin_moments.spots import SPOT_KM, spots_of
from kizu_plugin_moments.table import DAY, Numbers, Table, seconds_of, table_of
from kizu_plugin_moments.titles import part_of_day, span, spot
from kizu_plugin_moments.worth import freshness, worth

GAP_SECONDS = 4 * 3600.0
LONGEST_SECONDS = 3 * DAY
PAUSE_SECONDS, LONG_PAUSE = 3600.0, 6
"""A pause of an hour ends an event, if it is that many times as long as the usual time between two shots."""
RECENT_DAYS = 90
MOST = 5
SHOTS = 4
SURE = 0.9
"""How likely a picture without a position has to be one of a place."""
PLENTY = 80


class Events:
    """The five with the most shots. See `MomentStrategy`."""

    def propose(self, photos: Sequence[Photo], *, now: datetime) -> Sequence[MomentCandidate]:
        table = table_of(photos, now)
        start = np.searchsorted(table.seconds, seconds_of(now) - RECENT_DAYS * DAY)
        rows = np.arange(start, len(table))
        found = [event for event in events_of(table, rows[~table.bulk[rows]]) if _shots(table, event) >= SHOTS]
        best = sorted(found, key=lambda event: (-_shots(table, event), event[0]))[:MOST]
        return _moments(table, sorted(best, key=lambda event: int(event[0])), now)


def build(settings: object) -> Events:
    return Events()


def events_of(table: Table, rows: Numbers) -> list[Numbers]:
    """The given rows (rising), parted into events; rows that could be of two are in none."""
    places = (place for chain in _chains(table, rows) for place in _places(table, chain))
    return [part for place in places for event in _chains(table, place) for part in _parts(table, event)]


def _parts(table: Table, rows: Numbers) -> list[Numbers]:
    """An event ends at a pause that is long for it: dinner is another one than the walk before."""
    times = table.seconds[table.firsts(rows)]
    usual = (times[-1] - times[0]) / max(1, len(times) - 1)
    pauses = np.diff(table.seconds[rows]) > max(PAUSE_SECONDS, LONG_PAUSE * usual)
    return np.split(rows, np.flatnonzero(pauses) + 1)


def _chains(table: Table, rows: Numbers) -> Iterator[Numbers]:
    """Rows without a gap of four hours; what lasts longer than three days is parted at long ones."""
    gaps = np.diff(table.seconds[rows])
    for chain in np.split(rows, np.flatnonzero(gaps > GAP_SECONDS) + 1):
        yield from _short(table, chain)


def _short(table: Table, rows: Numbers) -> Iterator[Numbers]:
    left = [rows] if len(rows) else []
    while left:
        one = left.pop()
        times = table.seconds[one]
        if times[-1] - times[0] <= LONGEST_SECONDS:
            yield one
        else:
            cut = _longest_gap(times)
            left += [one[cut:], one[:cut]]


def _longest_gap(times: NDArray[np.float64]) -> int:
    """Where the longest gap of the middle half ends: gaps near the ends would peel off photo after photo."""
    quarter = (times[-1] - times[0]) / 4
    first = np.searchsorted(times, times[0] + quarter)
    last = np.searchsorted(times, times[-1] - quarter, "right")
    return int(first + np.argmax(np.diff(times[first - 1 : last + 1])))


def _places(table: Table, rows: Numbers) -> list[Numbers]:
    """The rows of each place where enough was taken; what has no place goes where it is from, if that is clear."""
    shots = table.firsts(rows)
    located = shots[table.located[shots]]
    place = spots_of(table.points[located], table.seconds[located])
    known, place = located[place != NOISE], place[place != NOISE]
    count = len(np.unique(place))
    if count < 2:
        return [rows]
    of = np.full(len(rows), NOISE)
    same = np.minimum(np.searchsorted(known, rows, "right"), len(known)) - 1
    sure = (same >= 0) & (table.shot[known[same]] == table.shot[rows])
    of[sure] = place[same[sure]]
    found = shares(table.seconds[known], place, table.seconds[rows[~sure]], count)
    likely = found.argmax(axis=0)
    of[~sure] = np.where(found.max(axis=0) >= SURE, likely, NOISE)
    return [rows[of == number] for number in range(count)]


def _shots(table: Table, rows: Numbers) -> int:
    return len(table.firsts(rows)) if len(rows) else 0


def _moments(table: Table, events: Sequence[Numbers], now: datetime) -> list[MomentCandidate]:
    taken: dict[str, int] = {}
    found = []
    for rows in events:
        title = _title(table, rows)
        key = f"{part_of_day(_midst(table, rows))[0]:%Y-%m-%d} {title}"
        taken[key] = taken.get(key, 0) + 1
        found.append(_moment(table, rows, title, key if taken[key] == 1 else f"{key} {taken[key]}", now))
    return found


def _moment(table: Table, rows: Numbers, title: str, key: str, now: datetime) -> MomentCandidate:
    first, last, shots = table.when(rows[0]), table.when(rows[-1]), _shots(table, rows)
    return MomentCandidate(
        title=title,
        subtitle=span(first, last),
        asset_ids=tuple(table.photos[int(row)].asset_id for row in rows),
        key=key,
        score=worth(0.35, 0.65, shots, PLENTY) + round(0.15 * freshness(last, now), 4),
        criteria={
            "rule": "photos of one place without a long gap",
            "from": first.isoformat(),
            "to": last.isoformat(),
            "shots": shots,
            "thresholds": {
                "gap_hours": GAP_SECONDS / 3600,
                "pause_hours": PAUSE_SECONDS / 3600,
                "longest_days": LONGEST_SECONDS / DAY,
                "last_days": RECENT_DAYS,
                "most": MOST,
                "shots": SHOTS,
                "place_km": SPOT_KM,
            },
        },
    )


def _title(table: Table, rows: Numbers) -> str:
    """Saturday afternoon at Central Park; Friday to Sunday in Hamburg."""
    place = spot([table.photos[int(row)] for row in rows])
    first, last = (part_of_day(table.when(row))[0] for row in (rows[0], rows[-1]))
    if first.date() == last.date():
        day, part = part_of_day(_midst(table, rows))
        when = f"{day:%A} {part}"
    else:
        when = f"{first:%A} to {last:%A}"
    return f"{when} {place}" if place else when


def _midst(table: Table, rows: Numbers) -> datetime:
    return table.when(rows[len(rows) // 2])
