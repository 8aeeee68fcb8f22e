"""Positions, and the bad values that cameras write in their place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL.TiffImagePlugin import IFDRational

from kizu_core.media.gps import Position, read_gps_time, read_position

LAT_REF, LAT, LON_REF, LON, ALT_REF, ALT, TIME, DATE = 1, 2, 3, 4, 5, 6, 7, 29
ROME = {LAT_REF: "N", LAT: (41.0, 54.0, 0.0), LON_REF: "E", LON: (12.0, 30.0, 0.0)}


def position(**changes: Any) -> Position | None:
    tags = {"lat_ref": LAT_REF, "lat": LAT, "lon_ref": LON_REF, "lon": LON, "alt_ref": ALT_REF, "alt": ALT}
    return read_position({**ROME, **{tags[name]: value for name, value in changes.items()}})


PLACES: list[tuple[dict[str, Any], tuple[float, float, bool]]] = [
    ({}, (41.9, 12.5, True)),
    ({"lat_ref": "S", "lon_ref": "W"}, (-41.9, -12.5, True)),
    ({"lat_ref": "S\x00", "lon_ref": b"W"}, (-41.9, -12.5, True)),
    ({"lat": (-41.0, 54.0, 0.0), "lat_ref": "S"}, (-41.9, 12.5, True)),  # negative twice is meant once
    ({"lat": (41.0, 54.0)}, (41.9, 12.5, True)),
    ({"lat": 41.9, "lon": (12.5,)}, (41.9, 12.5, True)),
    ({"lat_ref": None}, (41.9, 12.5, False)),
    ({"lat": (0.0, 0.0, 0.0)}, (0.0, 12.5, True)),  # the equator is a place
    ({"lon": (0.0, 0.0, 0.0)}, (41.9, 0.0, True)),  # so is the meridian
]


@pytest.mark.parametrize(("changes", "want"), PLACES)
def test_places(changes: dict[str, Any], want: tuple[float, float, bool]) -> None:
    found = position(**changes)
    assert found is not None
    assert (found.latitude, found.longitude) == pytest.approx(want[:2])
    assert found.certain == want[2]


NOWHERE: list[dict[str, Any]] = [
    {"lat": (0.0, 0.0, 0.0), "lon": (0.0, 0.0, 0.0)},
    {"lat": (IFDRational(0, 0), 0.0, 0.0)},
    {"lat": (135.0, 0.0, 0.0)},
    {"lon": (180.0, 0.1, 0.0)},
    {"lat": ()},
    {"lat": "41.9 N"},
    {"lat": None},
    {"lat": (1.0, 2.0, 3.0, 4.0)},
]


@pytest.mark.parametrize("changes", NOWHERE)
def test_no_place(changes: dict[str, Any]) -> None:
    assert position(**changes) is None


@pytest.mark.parametrize(
    ("ref", "value", "want"),
    [
        (b"\x00", 35.8, 35.8),
        (b"\x01", 35.8, -35.8),
        (1, 35.8, -35.8),
        (None, IFDRational(0, 0), None),
        (0, 1e9, None),
    ],
)
def test_altitude(ref: object, value: object, want: float | None) -> None:
    found = position(alt_ref=ref, alt=value)
    assert found is not None
    assert found.altitude == want


def test_time_of_the_fix_is_utc() -> None:
    gps = {DATE: "2008:10:23\x00", TIME: (14.0, 27.0, 7.5)}
    assert read_gps_time(gps) == datetime(2008, 10, 23, 14, 27, 7, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "gps",
    [
        {DATE: "2008:10:23"},
        {TIME: (14.0, 27.0, 7.0)},
        {DATE: "2008:13:23", TIME: (1.0, 2.0, 3.0)},
        {DATE: "2008:10:23", TIME: (24.0, 0.0, 0.0)},
        {DATE: "2008:10:23", TIME: (IFDRational(0, 0), 0.0, 0.0)},
    ],
)
def test_half_a_time_is_none(gps: dict[int, Any]) -> None:
    assert read_gps_time(gps) is None


NUMBERS = st.floats() | st.integers()
JUNK = st.none() | st.text("NSEW0:-. \x00é") | st.binary() | NUMBERS | st.lists(NUMBERS, max_size=4).map(tuple)


@given(st.dictionaries(st.sampled_from([LAT_REF, LAT, LON_REF, LON, ALT_REF, ALT, TIME, DATE]), JUNK))
def test_any_values_give_a_place_on_earth_or_none(gps: dict[int, Any]) -> None:
    found = read_position(gps)
    read_gps_time(gps)
    assert found is None or (abs(found.latitude) <= 90 and abs(found.longitude) <= 180)
