"""The suite of moment strategies, and a drawn year of photos for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from pkgutil import resolve_name
from typing import Any
from uuid import UUID

import pytest

from kizu_core.plugins.specs import MomentStrategySpec
from kizu_core.settings import load_settings
from kizu_core.testing.expect import expect, is_share, watched_network
from kizu_core.testing.plugin import PluginConformance, specs_of
from kizu_core.types import MomentCandidate, Photo

NOW = datetime(2026, 7, 15, 9, 30)  # noqa: DTZ001 - as `Photo.taken`, by the clock of the place

HOME = {"latitude": 52.52, "longitude": 13.40, "city": "Berlin", "state": "State of Berlin", "country": "Germany"}
SEA = {"latitude": 43.70, "longitude": 7.27, "city": "Nice", "state": "Provence-Alpes-Côte d'Azur", "country": "France"}
PARK = {**HOME, "place": "Tiergarten"}


def drawn_year() -> list[Photo]:
    """A year and more: everyday photos at home, a week at the sea, a party, the same week a year ago."""
    year = timedelta(days=365)
    plan: list[tuple[datetime, Mapping[str, Any], tuple[str, ...], tuple[str, ...]]] = [
        *((NOW - timedelta(days=11 * n, hours=n), HOME, (), ("cat",)) for n in range(40)),
        *((NOW - timedelta(days=40, hours=3 * n), SEA, ("Anna",), ("boat", "umbrella")) for n in range(48)),
        *((NOW - timedelta(days=3, minutes=5 * n), PARK, ("Anna", "Ben"), ("cake",)) for n in range(12)),
        *((NOW - year + timedelta(hours=4 * n), HOME, ("Ben",), ()) for n in range(10)),
    ]
    return [
        Photo(
            asset_id=UUID(int=n),
            taken=taken,
            people=people,
            labels=labels,
            kind="video" if n % 9 == 0 else "image",
            **spot,
        )
        for n, (taken, spot, people, labels) in enumerate(plan, 1)
    ]


def odd_photos() -> list[Photo]:
    """What nobody knows anything of, wrong clocks, and places at the edge of the map."""
    times = [None, datetime(1, 1, 1), datetime(1970, 1, 1), datetime(2024, 2, 29, 12), datetime(9999, 12, 31)]  # noqa: DTZ001
    spots: list[tuple[float, float] | None] = [None, (0.0, 0.0), (90.0, 180.0), (-90.0, -180.0), (66.6, 179.999)]
    return [
        Photo(
            asset_id=UUID(int=1000 + number),
            taken=taken,
            trusted=trusted,
            latitude=spot and spot[0],
            longitude=spot and spot[1],
        )
        for number, (taken, spot, trusted) in enumerate(product(times, spots, (True, False)))
    ]


class MomentStrategyConformance(PluginConformance):
    """What Kizu asks of a moment strategy. See `kizu_core.MomentStrategy`.

    `strategy`: its name, needed only if the plugin brings several. Give your own `photos` if the drawn ones hold
    nothing that it looks for.
    """

    strategy: str | None = None

    @classmethod
    def photos(cls) -> list[Photo]:
        """One user's photos, new ones at every call."""
        return drawn_year()

    @pytest.fixture
    def build(self, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Any]:
        """Makes the strategy as a worker does."""
        specs = [one for one in specs_of(self.plugin) if isinstance(one, MomentStrategySpec)]
        found = [one for one in specs if self.strategy in (None, one.name)]
        names = ", ".join(one.name for one in specs) or "none"
        expect(len(found) == 1, f"`strategy` names one of the plugin's moment strategies: {names}.")
        settings = load_settings({"home": tmp_path_factory.mktemp("kizu")}, environ={})
        return lambda: resolve_name(found[0].factory)(settings)

    def test_it_proposes_moments_of_the_given_photos(self, build: Callable[[], Any]) -> None:
        found = build().propose(self.photos(), now=NOW)
        expect(len(found) > 0, "It proposes something for `photos`: return from it photos in which there is a moment.")
        check_candidates(found, self.photos())

    def test_no_photos_give_no_moments(self, build: Callable[[], Any]) -> None:
        expect(len(build().propose([], now=NOW)) == 0, "No photos give no moments.")

    def test_one_photo_does_no_harm(self, build: Callable[[], Any]) -> None:
        check_candidates(build().propose(self.photos()[:1], now=NOW), self.photos()[:1])

    def test_odd_photos_do_no_harm(self, build: Callable[[], Any]) -> None:
        photos = odd_photos() + self.photos()
        check_candidates(build().propose(photos, now=NOW), photos)

    def test_the_same_photos_give_the_same_moments(self, build: Callable[[], Any]) -> None:
        first, second = (build().propose(self.photos(), now=NOW) for _ in range(2))
        expect(list(first) == list(second), "What is proposed follows from the photos and `now` alone.")

    def test_the_order_of_the_photos_does_not_matter(self, build: Callable[[], Any]) -> None:
        ahead = build().propose(self.photos(), now=NOW)
        back = build().propose(self.photos()[::-1], now=NOW)
        expect(_contents(ahead) == _contents(back), "Photos come in no particular order, which changes no proposal.")

    def test_photos_are_left_as_they_are(self, build: Callable[[], Any]) -> None:
        photos = self.photos()
        build().propose(photos, now=NOW)
        expect(photos == self.photos(), "A strategy never changes the list that it is given.")

    def test_it_never_looks_for_the_network(self, build: Callable[[], Any]) -> None:
        with watched_network() as tried:
            build().propose(self.photos(), now=NOW)
        expect(not tried, f"A strategy neither connects nor looks up names; this one tried: {'; '.join(tried)}.")


def check_candidates(found: Any, photos: Sequence[Photo]) -> None:
    """Moments that can be stored and shown."""
    known = {photo.asset_id for photo in photos}
    for one in found:
        expect(isinstance(one, MomentCandidate), f"A proposal is a MomentCandidate, not a {type(one).__name__}.")
        expect(is_share(one.score), f"A score is a plain number from 0 to 1, not {one.score!r}.")
        expect(one.asset_ids, "A moment has photos.")
        expect(known.issuperset(one.asset_ids), "A moment holds photos that the strategy was given, and no others.")
        expect(len(set(one.asset_ids)) == len(one.asset_ids), "A moment holds no photo twice.")
        expect(
            one.title.strip() and "\n" not in one.title + one.subtitle, f"A title is one line of text: {one.title!r}."
        )
        try:
            json.dumps(dict(one.criteria), allow_nan=False)
        except (TypeError, ValueError) as error:
            pytest.fail(f"`criteria` holds plain Python values that JSON has: {error}.", pytrace=False)
    keys = [one.key for one in found if one.key]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    expect(not twice, f"A key belongs to one moment of a strategy, these to several: {', '.join(twice)}.")


def _contents(found: Sequence[MomentCandidate]) -> set[tuple[str, str, frozenset[UUID]]]:
    return {(one.key, one.title, frozenset(one.asset_ids)) for one in found}
