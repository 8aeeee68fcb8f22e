"""All strategies on whole made-up lives, whose truth is known: what `benchmarks/moments.py` measures, in small."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

from kizu_core import Photo
from kizu_plugin_moments import location
from kizu_plugin_moments.plugin import kizu_moment_strategies

pytest.importorskip("kizu_support.made", reason="the repository's test support is not here")

from kizu_support.made import Made, made, photos_of

NOW = datetime.fromisoformat("2026-01-01T09:00")

BUILDS: dict[str, Callable[[object], Any]] = {
    spec.name: resolve_name(spec.factory) for spec in kizu_moment_strategies()
}


@pytest.fixture(scope="module")
def life(shared: Path) -> Made:
    return made(8000, 20, shared, years=4)


@pytest.fixture(scope="module")
def photos(life: Made) -> list[Photo]:
    return photos_of(life)


@pytest.mark.parametrize("strategy", BUILDS)
def test_the_same_photos_in_any_order_give_the_same_moments(strategy: str, photos: list[Photo]) -> None:
    mixed = random.Random(3).sample(photos, len(photos))
    found, again = (BUILDS[strategy](None).propose(some, now=NOW) for some in (photos, mixed))
    assert found
    assert list(found) == list(again)


@pytest.mark.parametrize("strategy", BUILDS)
def test_scores_keys_and_reasons(strategy: str, photos: list[Photo]) -> None:
    found = BUILDS[strategy](None).propose(photos, now=NOW)
    assert all(0 < one.score <= 1 for one in found)
    assert len({one.key for one in found}) == len(found)
    assert all({"rule", "thresholds"} <= set(one.criteria) for one in found)


def test_trips_are_found_and_home_is_none(life: Made, photos: list[Photo]) -> None:
    trip = {asset: truth["trip"] for asset, truth in life.truth.items()}
    located = Counter(trip[one.asset_id] for one in photos if one.latitude)
    found = set()
    for one in location.build(None).propose(photos, now=NOW):
        name, count = Counter(trip[asset] for asset in one.asset_ids).most_common(1)[0]
        assert count >= 0.8 * len(one.asset_ids)
        found.add(name)
    true = {name for name, count in located.items() if name and count >= 4}
    assert None not in found
    assert len(found & true) >= 0.9 * len(true) > 10


def test_the_trips_of_the_generator_have_their_names(photos: list[Photo]) -> None:
    titles = [one.title for one in location.build(None).propose(photos, now=NOW)]
    assert {"Adventures in Tromsø and Longyearbyen", "Adventures in Hamburg", "Adventures in Amsterdam"} <= set(titles)


def test_what_is_seen_holds_no_truth_but_names_and_labels(life: Made, photos: list[Photo]) -> None:
    assert len(photos) == 8000
    assert all("truth" not in row for row in life.assets)
    undated = {one.asset_id for one in photos if not one.trusted}
    assert len(undated) == sum(row["taken_at"] is None for row in life.assets)
    nowhere = [one for one in photos if one.latitude is None or (one.latitude, one.longitude) == (0, 0)]
    assert nowhere
    assert all(one.city is None and one.country is None for one in nowhere)
