"""Covers: fit to be seen, good, and different from each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizu_core.moments.covers import COVERS, NEAR, Covers, choose_covers, spread
from kizu_core.types import Photo
from kizu_support.strategies import photo

GOOD: dict[str, Any] = {
    "width": 4000, "height": 3000, "mime": "image/jpeg", "file_name": "IMG_1.jpg", "bytes": 4_000_000, "camera": "X100",
    "text_length": 0, "face_score": None, "sharpness": None,
}  # fmt: skip


def chosen(
    photos: Sequence[Photo], facts: dict[int, dict[str, Any]] | None = None, vectors: dict[int, Any] | None = None
) -> Covers:
    known = {UUID(int=number): GOOD | more for number, more in (facts or {}).items()}
    embedded = {UUID(int=number): np.asarray(vector, np.float32) for number, vector in (vectors or {}).items()}
    return choose_covers(photos, known, lambda ids: {one: embedded[one] for one in ids if one in embedded})


def numbers(ids: Sequence[UUID]) -> list[int]:
    return [one.int for one in ids]


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        ({"file_name": "Screenshot_2024-01-01.jpg"}, "screenshot"),
        ({"file_name": "Bildschirmfoto 2024-01-01.jpg"}, "screenshot"),
        ({"mime": "image/png", "camera": None}, "screenshot"),
        ({"file_name": "IMG-20240101-WA0007.jpg"}, "messenger copy"),
        ({"file_name": "signal-2024-01-01.jpg"}, "messenger copy"),
        ({"text_length": 900}, "document"),
        ({"width": 320, "height": 240}, "small"),
    ],
)
def test_what_nobody_wants_to_see_is_never_a_cover(fact: dict[str, Any], why: str) -> None:
    photos = [photo(number) for number in range(1, 11)]
    facts = dict.fromkeys(range(1, 8), fact) | {8: {}, 9: {}, 10: {}}
    found = chosen(photos, facts)
    assert set(numbers(found.ids + found.spares)) <= {8, 9, 10}
    assert found.reasons["left_out"][why] == 7
    assert chosen(photos[:7], facts).ids == (), "rather none than one of these"


def test_a_video_is_a_cover_only_among_videos() -> None:
    films = [photo(number, kind="video") for number in (1, 2)]
    assert numbers(chosen([*films, photo(3)]).ids) == [3]
    assert sorted(numbers(chosen(films).ids)) == [1, 2]


def test_of_a_burst_and_of_byte_copies_one_is_left_the_best() -> None:
    start = datetime(2026, 1, 1)  # noqa: DTZ001
    burst = [photo(number, taken=start + timedelta(seconds=number)) for number in range(1, 6)]
    copies = [photo(number) for number in (20, 30, 40)]
    facts: dict[int, dict[str, Any]] = {number: {"sharpness": float(number == 4)} for number in range(1, 6)}
    facts |= {number: {"sha256": "same"} for number in (20, 30, 40)}
    found = chosen([*burst, *copies], facts)
    assert len(found.ids) == 2
    assert 4 in numbers(found.ids)
    assert found.reasons["left_out"] == {"near copy": 6}


def test_quality_comes_first() -> None:
    photos = [photo(number) for number in range(1, 101)]
    facts = {number: {"sharpness": float(number), "bytes": 1000 * number} for number in range(1, 101)}
    found = chosen(photos, facts)
    assert min(numbers(found.ids + found.spares)) > 50
    assert found.reasons["left_out"] == {"others are better": 50}


def test_embeddings_make_them_different() -> None:
    """Three kinds of picture, of which one is rare: each is there before any comes twice."""
    rng = np.random.default_rng(5)
    kinds = np.eye(3, 16)[[0] * 40 + [1] * 15 + [2] * 3] + 0.05 * rng.standard_normal((58, 16))
    unit = kinds / np.linalg.norm(kinds, axis=1, keepdims=True)
    found = chosen([photo(n) for n in range(58)], vectors=dict(enumerate(unit)))
    kind_of = [0] * 40 + [1] * 15 + [2] * 3
    assert {kind_of[number] for number in numbers(found.ids)[:3]} == {0, 1, 2}
    assert found.reasons["spread_by"] == "embeddings"


def test_near_copies_by_what_they_show_are_passed_over() -> None:
    vectors = {number: [1.0, 0.0] for number in range(1, 20)} | {20: [0.0, 1.0]}
    found = chosen([photo(number) for number in range(1, 21)], vectors=vectors)
    assert len(found.ids) == 2


def test_without_embeddings_time_and_place_spread_them() -> None:
    places = {1: (43.7, 7.3), 2: (43.7, 7.3), 3: (-17.8, 179.99), 4: (-17.8, -179.99), 5: (69.6, 18.9)}
    photos = [photo(n, latitude=lat, longitude=lon) for n, (lat, lon) in places.items()] + [photo(300)]
    found = chosen(photos)
    assert found.reasons["spread_by"] == "time and place"
    assert set(numbers(found.ids)) == {1, 2, 3, 4, 5, 300}
    # Both sides of the date line are one place: the second of the two comes last of all.
    assert {numbers(found.ids)[-1], numbers(found.ids)[-2]} & {3, 4}


def test_nothing_known_is_nothing_against() -> None:
    photos = [photo(number, taken=None) for number in range(1, 4)]
    assert len(chosen(photos).ids) == 1, "of photos that nothing tells apart, one is enough"
    assert chosen([]).ids == ()


@given(
    st.lists(
        st.builds(
            photo,
            st.integers(1, 10_000),
            taken=st.none() | st.datetimes(),
            latitude=st.none() | st.floats(-90, 90),
            longitude=st.none() | st.floats(-180, 180),
            kind=st.sampled_from(["image", "video"]),
        ),
        max_size=40,
        unique_by=lambda one: one.asset_id,
    ),
    st.randoms(use_true_random=False),
)
def test_any_photos_give_the_same_covers_in_any_order(photos: list[Photo], random: Any) -> None:
    found = chosen(photos)
    assert len(found.ids) <= COVERS
    assert len(set(found.ids + found.spares)) == len(found.ids + found.spares)
    assert bool(found.ids) == bool(photos)
    random.shuffle(photos)
    assert chosen(photos) == found


def test_spread_picks_what_brute_force_picks() -> None:
    rng = np.random.default_rng(3)
    points = rng.standard_normal((300, 32)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    picks = spread(points, 8, 2 - 2 * NEAR)
    distances = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    assert picks[0] == int(((points - points.mean(axis=0)) ** 2).sum(axis=1).argmin())
    for count in range(1, 8):
        assert picks[count] == int(distances[:, picks[:count]].min(axis=1).argmax())
