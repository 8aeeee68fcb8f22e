"""What there is to see when nothing else was found: the place with the most photos, and the latest ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from kizu_core import MomentCandidate, Photo
from kizu_plugin_moments.dbscan import NOISE, dbscan
from kizu_plugin_moments.table import in_time, not_to_come, positions, table_of
from kizu_plugin_moments.titles import where
from kizu_plugin_moments.trips import PLACE_KM, PLACE_SHOTS

SHOWN = 20


class CommonLocation:
    """The latest photos of the place with the most photos, dated or not. See `MomentStrategy`."""

    def propose(self, photos: Sequence[Photo], *, now: datetime) -> Sequence[MomentCandidate]:
        known = sorted((one for one in photos if one.taken is None or not_to_come(one.taken, now)), key=in_time)
        located, points = positions(known)
        rows = np.flatnonzero(located)
        place = dbscan(points[rows], PLACE_KM, PLACE_SHOTS)
        if not (place != NOISE).any():
            return []
        there = rows[place == np.bincount(place[place != NOISE]).argmax()]
        shown = [known[int(row)] for row in there[-SHOWN:]]
        name = where(shown)
        return [
            MomentCandidate(
                title=f"Around {name}" if name else "The place you photograph most",
                asset_ids=tuple(photo.asset_id for photo in shown),
                key=name or "most photos",
                score=0.2,
                criteria={
                    "rule": "the latest photos of the place with the most",
                    "photos_there": len(there),
                    "thresholds": {"place_km": PLACE_KM, "place_photos": PLACE_SHOTS, "shown": SHOWN},
                },
            )
        ]


class Recent:
    """The latest shots. See `MomentStrategy`."""

    def propose(self, photos: Sequence[Photo], *, now: datetime) -> Sequence[MomentCandidate]:
        table = table_of(photos, now)
        if len(table) == 0:
            return []
        shown = table.firsts(np.arange(len(table)))[-SHOWN:]
        newest = table.when(shown[-1])
        return [
            MomentCandidate(
                title="Recent photos",
                asset_ids=tuple(table.photos[int(row)].asset_id for row in shown),
                key=f"{newest:%Y-%m-%d}",
                score=0.1,
                criteria={"rule": "the latest photos", "newest": newest.isoformat(), "thresholds": {"shown": SHOWN}},
            )
        ]


def build_common_location(settings: object) -> CommonLocation:
    return CommonLocation()


def build_recent(settings: object) -> Recent:
    return Recent()
