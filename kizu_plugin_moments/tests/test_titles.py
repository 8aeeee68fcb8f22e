"""What places and spans of time are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from kizu_core import Photo
from kizu_plugin_moments.titles import span, spot, where

pytest.importorskip("kizu_support.diary", reason="the repository's test support is not here")

from kizu_support.diary import at

BAY: Mapping[str, Any] = {"state": "California", "country": "United States"}


def photos(*counted: tuple[int, Mapping[str, Any]]) -> list[Photo]:
    kinds = [fields for count, fields in counted for _ in range(count)]
    return [Photo(asset_id=UUID(int=number), **fields) for number, fields in enumerate(kinds)]


@pytest.mark.parametrize(
    ("counted", "wanted"),
    [
        ([(9, {"city": "San Francisco", **BAY}), (1, {"city": "Oakland", **BAY})], "San Francisco"),
        ([(5, {"city": "Kyoto", "country": "Japan"}), (9, {"city": "Tokyo", "country": "Japan"})], "Kyoto and Tokyo"),
        (
            [(2, {"city": str(n), "county": "City and County of San Francisco", **BAY}) for n in range(5)],
            "San Francisco",
        ),
        ([(2, {"city": str(n), "county": f"c{n}", **BAY}) for n in range(5)], "California"),
        ([(3, {"city": str(n), "country": "Fiji" if n < 3 else "Samoa"}) for n in range(5)], "Fiji and Samoa"),
        ([(6, {"city": "Nadi", "country": "Fiji"}), (2, {"city": "Apia", "country": "Samoa"})], "Nadi and Apia"),
        (
            [(6, {"city": "Nadi", "country": "Fiji"})] + [(1, {"city": str(n), "country": "Samoa"}) for n in range(4)],
            "Fiji and Samoa",
        ),
        ([(2, {"city": str(n), "country": "ABCDEF"[n]}) for n in range(3)], "A, B and C"),
        ([(9, {"city": "Roma", "county": None, "country": None})], "Roma"),
        ([(9, {"latitude": 1.0, "longitude": 2.0})], None),
        ([], None),
    ],
)
def test_the_level_that_fits(counted: list[tuple[int, Mapping[str, Any]]], wanted: str | None) -> None:
    assert where(photos(*counted)) == wanted


def test_a_spot_is_named_if_a_quarter_of_the_photos_name_it() -> None:
    town = {"city": "New York", "country": "United States"}
    assert spot(photos((1, {**town, "place": "Central Park"}), (3, town))) == "at Central Park"
    assert spot(photos((1, {**town, "place": "Central Park"}), (4, town))) == "in New York"
    assert spot(photos((4, {}))) is None


@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [
        ("2024-07-03", "2024-07-03", "3 July 2024"),
        ("2024-07-03", "2024-07-09", "3 to 9 July 2024"),
        ("2024-07-30", "2024-08-02", "30 July to 2 August 2024"),
        ("2024-12-28", "2025-01-03", "28 December 2024 to 3 January 2025"),
    ],
)
def test_spans_as_people_write_them(first: str, last: str, wanted: str) -> None:
    assert span(at(first), at(last)) == wanted
