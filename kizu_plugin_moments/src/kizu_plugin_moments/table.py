"""A library as columns in the order of time: what all strategies look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from kizu_core import Photo
from kizu_plugin_moments.sphere import Points, points_of

DAY = 86400.0
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as `Photo.taken`, by the clock of the place
EARLIEST_YEAR = 1826
"""The year of the oldest photograph that still exists."""
CLOCK_STARTS = (1904, 1970, 1980)
"""Years on whose first day a clock stands that was never set: of QuickTime, Unix and FAT."""
AHEAD = timedelta(days=1)
"""How far a clock may be ahead of the user's: another zone, no more."""
BURST_SECONDS = 3.0
"""Frames that follow each other so fast are one shot, as are copies, which have the same time."""
BULK_SHOTS, BULK_SECONDS, SAME_TIME = 500, 3600.0, 20
"""So many shots within an hour, or so many pictures at one second, are scans or imports: nobody took them then."""

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Table:
    """Photos with a trusted time, the oldest first. All columns have their length n.

    `seconds`: (n,) float64 since 1970 by the clock of the place. `located`: (n,) whether the position means anything.
    `points`: (n, 3) unit vectors, zero where not located. `shot`: (n,) number of the shot, rising from 0: frames of a
    burst and copies have the same. `bulk`: (n,) whether the time is that of a scan or an import.
    """

    photos: Sequence[Photo]
    seconds: NDArray[np.float64]
    located: Flags
    points: Points
    shot: Numbers
    bulk: Flags

    def __len__(self) -> int:
        return len(self.photos)

    @property
    def days(self) -> Numbers:
        """(n,) number of the local day."""
        return np.floor(self.seconds / DAY).astype(np.int64)

    def firsts(self, rows: Numbers) -> Numbers:
        """The first of the given rows (rising) of each shot: what thresholds count."""
        return rows[np.unique(self.shot[rows], return_index=True)[1]]

    def when(self, row: int | np.integer) -> datetime:
        """The time of one photo."""
        return self.photos[int(row)].taken or EPOCH


def table_of(photos: Iterable[Photo], now: datetime) -> Table:
    """The photos that have a time one can believe, `now` or earlier."""
    known = sorted((one for one in photos if believable(one, now)), key=in_time)
    seconds = np.array([seconds_of(one.taken) for one in known if one.taken], np.float64)
    located, points = positions(known)
    shot = np.cumsum(np.diff(seconds, prepend=-np.inf) > BURST_SECONDS) - 1
    return Table(known, seconds, located, points, shot, _bulk(seconds, shot))


def believable(photo: Photo, now: datetime) -> bool:
    """Whether a camera or a person gave the time, its clock was set, and it is not to come."""
    taken = photo.taken
    if taken is None or not photo.trusted or not taken.year >= EARLIEST_YEAR:
        return False
    never_set = taken.year in CLOCK_STARTS and (taken.month, taken.day) == (1, 1)
    return not never_set and not_to_come(taken, now)


def not_to_come(taken: datetime, now: datetime) -> bool:
    """Whether a photo can show that time by now."""
    return taken - now <= AHEAD


def seconds_of(time: datetime) -> float:
    """As in `Table.seconds`."""
    return (time - EPOCH).total_seconds()


def in_time(photo: Photo) -> tuple[datetime, int]:
    """Sorts by time, and in the same way each time."""
    return photo.taken or EPOCH, photo.asset_id.int


def positions(photos: Sequence[Photo]) -> tuple[Flags, Points]:
    """Which photos have a position that means anything, and the points of all, zero without one."""
    # None becomes "not a number", which is within no bounds.
    north = np.array([one.latitude for one in photos], np.float64)
    east = np.array([one.longitude for one in photos], np.float64)
    # A receiver without a fix writes zeros; nobody lives where they meet.
    located = (np.abs(north) <= 90) & (np.abs(east) <= 180) & ((north != 0) | (east != 0))
    points = np.zeros((len(photos), 3))
    points[located] = points_of(north[located], east[located])
    return located, points


def _bulk(seconds: NDArray[np.float64], shot: Numbers) -> Flags:
    """Rows inside an hour of too many shots, or at a second of too many pictures."""
    same = _crowded(np.floor(seconds), SAME_TIME, 0.0)
    starts = seconds[np.unique(shot, return_index=True)[1]]
    return same | _crowded(starts, BULK_SHOTS, BULK_SECONDS)[shot]


def _crowded(times: NDArray[np.float64], many: int, within: float) -> Flags:
    """Which of the rising `times` belong to `many` that lie `within` so many seconds."""
    crowded = np.zeros(len(times) + 1, np.int64)
    if len(times) >= many:
        starts = np.flatnonzero(times[many - 1 :] - times[: len(times) - many + 1] <= within)
        np.add.at(crowded, starts, 1)
        np.add.at(crowded, starts + many, -1)
    return np.cumsum(crowded)[:-1] > 0
