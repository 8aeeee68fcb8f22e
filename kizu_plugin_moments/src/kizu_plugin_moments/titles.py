"""Names of places, days and spans of time, as a family would say them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from kizu_core import Photo

LEVELS = ("city", "county", "state", "country")
DOMINANT, ENOUGH, MENTIONED = 0.5, 0.75, 0.15
"""Shares of the photos: of one name that stands for all; of two together that do; of a name worth saying, which must
also have a third of the photos of the first."""
OFFICIAL = re.compile(
    r"(?:(?:city|county|state|province|region|district|canton|republic|città metropolitana|provincia|província|and) )+"
    r"(?:of|di|de) |Bezirk |Landkreis |Kreis |Greater ",
    re.IGNORECASE,
)
"""What gazetteers put before the name that people say."""
SMALL_HOURS = 5
"""What happens before that hour belongs to the evening before."""
PARTS = ((5, "night"), (12, "morning"), (17, "afternoon"), (22, "evening"), (24, "night"))


def where(photos: Iterable[Photo]) -> str | None:
    """The place of some photos by their own names, at the level that fits; None if they have none.

    One city if half of them are of it and few of any other, or two cities that most are of; else the same with
    counties, states and countries; else up to three countries. In the order in which they were visited.
    """
    named = [photo for photo in photos if photo.country or photo.city]
    countries = _shares(photo.country or photo.city for photo in named)
    # Half of a journey stands for all of it only within one country.
    alone = ENOUGH if sum(share >= MENTIONED for share in countries.values()) > 1 else DOMINANT
    for level in LEVELS:
        names = _shares(getattr(photo, level) for photo in named)
        least = max(MENTIONED, max(names.values(), default=0.0) / 3)
        said = [name for name, share in names.items() if share >= least]
        together = sum(names[name] for name in said)
        if (len(said) == 1 and together >= alone) or (len(said) == 2 and together >= ENOUGH):
            return _listed([_plain(name) for name in said])
    said = sorted(countries, key=lambda name: -countries[name])[:3]
    return _listed([name for name in countries if name in said]) or None


def spot(photos: Sequence[Photo]) -> str | None:
    """`at` the very spot whose name a photo in four carries, else `in` the place; None if they have no names."""
    names = Counter(photo.place for photo in photos if photo.place)
    best = max(names, key=lambda name: (names[name], name), default=None)
    if best and names[best] * 4 >= len(photos):
        return f"at {best}"
    place = where(photos)
    return f"in {place}" if place else None


def part_of_day(time: datetime) -> tuple[datetime, str]:
    """The day that a time is felt to belong to, and the part of it."""
    day = time - timedelta(hours=SMALL_HOURS)
    return day, next(name for end, name in PARTS if time.hour < end)


def span(first: datetime, last: datetime) -> str:
    """Two days as people write them: 3 July 2024, 3 to 9 July 2024, 28 December 2024 to 3 January 2025."""
    end = f"{last.day} {last:%B} {last.year}"
    if first.date() == last.date():
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {end}"
    start = f"{first.day} {first:%B}" if first.year == last.year else f"{first.day} {first:%B} {first.year}"
    return f"{start} to {end}"


def _shares(names: Iterable[str | None]) -> dict[str, float]:
    """Each name's share of all photos, in the order of the first photo of each; photos without one count too."""
    every = list(names)
    found = Counter(name for name in every if name)
    return {name: count / len(every) for name, count in found.items()}


def _plain(name: str) -> str:
    found = OFFICIAL.match(name)
    return name[found.end() :] if found else name


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
