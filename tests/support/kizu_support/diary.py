"""A made-up life for tests of moments: photos on purpose, each where and when the test says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from kizu_core.types import Photo

Spot = dict[str, Any]


def spot(latitude: float, longitude: float, city: str, country: str, **fields: Any) -> Spot:
    """A place as the fields of a photo."""
    return {"latitude": latitude, "longitude": longitude, "city": city, "country": country, **fields}


BERLIN = spot(52.52, 13.40, "Berlin", "Germany")
PARIS = spot(48.8566, 2.3522, "Paris", "France")
LYON = spot(45.764, 4.8357, "Lyon", "France")
NADI = spot(-17.80, 177.416, "Nadi", "Fiji", state="Western")
TAVEUNI = spot(-16.83, 179.999, "Somosomo", "Fiji", state="Northern")
TAVEUNI_EAST = spot(-16.83, -179.995, "Somosomo", "Fiji", state="Northern")
APIA = spot(-13.8333, -171.7667, "Apia", "Samoa", state="Tuamasaga")
TROMSO = spot(69.6492, 18.9553, "Tromsø", "Norway")
LONGYEARBYEN = spot(78.2232, 15.6267, "Longyearbyen", "Svalbard")


def at(text: str) -> datetime:
    """A time without a zone, from `2024-07-13` or `2024-07-13 18:30`."""
    return datetime.fromisoformat(text)


def moved(place: Spot, north_km: float, **fields: Any) -> Spot:
    """A spot so far to the north of another."""
    return {**place, "latitude": place["latitude"] + north_km / 111.195, **fields}


class Diary:
    """Collects photos; each has an id of its own, in the order of writing."""

    def __init__(self) -> None:
        self.photos: list[Photo] = []

    def snap(self, taken: datetime | None, place: Spot | None = None, **fields: Any) -> UUID:
        """One photo."""
        asset_id = UUID(int=len(self.photos) + 1)
        self.photos.append(Photo(**{"asset_id": asset_id, "taken": taken, **(place or {}), **fields}))
        return asset_id

    def shoot(self, start: datetime, place: Spot | None, count: int, minutes: float = 10, **fields: Any) -> list[UUID]:
        """Some photos at one place, one after the other."""
        return [self.snap(start + timedelta(minutes=minutes * n), place, **fields) for n in range(count)]

    def live(self, place: Spot, first: datetime, last: datetime, every_days: int = 3) -> None:
        """Everyday life: two photos every few days."""
        day = first
        while day <= last:
            self.shoot(day.replace(hour=17), place, 2, minutes=30)
            day += timedelta(days=every_days)

    def travel(self, first: datetime, stops: Iterable[tuple[Spot, int]]) -> list[UUID]:
        """Six photos on each day of a journey: (place, days) after each other."""
        found: list[UUID] = []
        day = first
        for place, days in stops:
            for _ in range(days):
                found += self.shoot(day.replace(hour=10), place, 6, minutes=90)
                day += timedelta(days=1)
        return found
