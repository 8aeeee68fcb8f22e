"""Face clusterers, and moment strategies."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np

from kizu_core import FaceClustererSpec, MomentCandidate, MomentStrategySpec, Photo, hookimpl
from kizu_support.conformance.fakes import Fake, all_of, by, call_home, declared

PROPOSES = "test_it_proposes_moments_of_the_given_photos"
NUMBERS = "test_there_is_a_cluster_number_or_none_for_each_face"


class GoodClusterer(Fake):
    """Each face joins the first one that it is like."""

    like = 0.5

    def cluster(self, vectors: Any, photos: Sequence[int]) -> Any:
        return [int(np.flatnonzero(vectors @ one > self.like)[0]) for one in vectors]


class AllAlone(GoodClusterer):
    breaks = by("test_people_are_told_apart", "one person")
    like = 0.9999


class AllOne(GoodClusterer):
    breaks = by("test_people_are_told_apart", "different persons")
    like = -2.0


class NumpyNumbers(GoodClusterer):
    breaks = by(NUMBERS, "a plain Python int")

    def cluster(self, vectors: Any, photos: Sequence[int]) -> Any:
        return np.array(super().cluster(vectors, photos))


class LosesOne(GoodClusterer):
    breaks = by(NUMBERS, "24 faces give 24 entries")

    def cluster(self, vectors: Any, photos: Sequence[int]) -> Any:
        return super().cluster(vectors, photos)[:-1]


class NeedsFaces(GoodClusterer):
    breaks = by("test_no_faces_give_no_clusters", "IndexError")

    def cluster(self, vectors: Any, photos: Sequence[int]) -> Any:
        return [vectors[0] is not None and number for number in super().cluster(vectors, photos)] or [vectors[0]]


class NeedsMany(GoodClusterer):
    breaks = by("test_few_and_equal_faces_do_no_harm", "not enough faces")

    def cluster(self, vectors: Any, photos: Sequence[int]) -> Any:
        if len(vectors) == 1:
            raise ValueError("not enough faces")
        return super().cluster(vectors, photos)


class Dicing(GoodClusterer):
    breaks = by("test_the_same_faces_give_the_same_clusters", "at every call")

    def cluster(self, vectors: Any, photos: Sequence[int]) -> Any:
        start = random.randrange(10**9)
        return [start + number for number in super().cluster(vectors, photos)]


class WritesVectors(GoodClusterer):
    breaks = by("test_vectors_are_left_as_they_are", "never writes into")

    def cluster(self, vectors: Any, photos: Sequence[int]) -> Any:
        found = super().cluster(vectors, photos)
        vectors *= 2
        return found


class ThreadOfItsOwn(GoodClusterer):
    breaks = by("test_it_can_be_used_from_another_thread", "only the thread that made me")

    def cluster(self, vectors: Any, photos: Sequence[int]) -> Any:
        self.stay()
        return super().cluster(vectors, photos)


class ShutsOnce(GoodClusterer):
    breaks = by("test_closing_twice_does_no_harm", "AttributeError")

    def close(self) -> None:
        del self.thread


class GoodStrategy(Fake):
    """Photos of one day."""

    title = "a day"
    key, score = "", 0.5
    criteria: Any = MappingProxyType({"rule": "day"})

    def propose(self, photos: Any, *, now: datetime) -> Any:
        days: dict[date, list[UUID]] = defaultdict(list)
        for photo in sorted(photos, key=lambda photo: photo.asset_id):
            if photo.taken:
                days[photo.taken.date()].append(photo.asset_id)
        return [self.moment(assets) for _, assets in sorted(days.items()) if len(assets) > 3]

    def moment(self, assets: list[UUID]) -> Any:
        said = {"title": self.title, "key": self.key, "score": self.score, "criteria": self.criteria}
        return MomentCandidate(asset_ids=tuple(assets), **said)


class Untitled(GoodStrategy):
    breaks = by(PROPOSES, "A title is one line")
    title = " "


class UnstorableReason(GoodStrategy):
    breaks = by(PROPOSES, "plain Python values that JSON has")
    criteria = MappingProxyType({"day": date(2026, 1, 1)})


class Enthusiastic(GoodStrategy):
    breaks = by(PROPOSES, "from 0 to 1, not 100")
    score = 100.0


class OneForAll(GoodStrategy):
    breaks = by(PROPOSES, "these to several: day")
    key = "day"


class OwnMoment(GoodStrategy):
    breaks = by(PROPOSES, "a MomentCandidate, not a tuple")

    def moment(self, assets: list[UUID]) -> Any:
        return ("a day", assets)


class EmptyMoment(GoodStrategy):
    breaks = by(PROPOSES, "A moment has photos")

    def moment(self, assets: list[UUID]) -> Any:
        return super().moment([])


class Inventing(GoodStrategy):
    breaks = by(PROPOSES, "photos that the strategy was given")

    def moment(self, assets: list[UUID]) -> Any:
        return super().moment([*assets, UUID(int=99_999)])


class Repeating(GoodStrategy):
    breaks = by(PROPOSES, "no photo twice")

    def moment(self, assets: list[UUID]) -> Any:
        return super().moment([*assets, assets[0]])


class Unimpressed(GoodStrategy):
    breaks = by(PROPOSES, "return from it photos")

    def propose(self, photos: Any, *, now: datetime) -> Any:
        return []


class Inexhaustible(GoodStrategy):
    breaks = by("test_no_photos_give_no_moments", "No photos give no moments")

    def propose(self, photos: Any, *, now: datetime) -> Any:
        return super().propose(photos, now=now) or [self.moment([])]


class ComparesTwo(GoodStrategy):
    breaks = by("test_one_photo_does_no_harm", "IndexError")

    def propose(self, photos: Any, *, now: datetime) -> Any:
        return super().propose(photos, now=now) if not photos or photos[1] else []


class TrustsClocks(GoodStrategy):
    breaks = by("test_odd_photos_do_no_harm", "NoneType")

    def propose(self, photos: Sequence[Photo], *, now: datetime) -> Any:
        return super().propose([photo for photo in photos if photo.taken <= now], now=now)  # type: ignore[operator]


class MoodyStrategy(GoodStrategy):
    breaks = by("test_the_same_photos_give_the_same_moments", "the photos and `now` alone")

    def moment(self, assets: list[UUID]) -> Any:
        return MomentCandidate(title=str(random.random()), asset_ids=tuple(assets))


class FirstCome(GoodStrategy):
    breaks = by("test_the_order_of_the_photos_does_not_matter", "no particular order")

    def propose(self, photos: Any, *, now: datetime) -> Any:
        return super().propose(photos[: len(photos) // 2], now=now)


class SortsInPlace(GoodStrategy):
    breaks = by("test_photos_are_left_as_they_are", "never changes the list")

    def propose(self, photos: Any, *, now: datetime) -> Any:
        found = super().propose(photos, now=now)
        if isinstance(photos, list):
            photos.reverse()
        return found


class AsksTheWeather(GoodStrategy):
    breaks = by("test_it_never_looks_for_the_network", "192.0.2.1")

    def propose(self, photos: Any, *, now: datetime) -> Any:
        call_home()
        return super().propose(photos, now=now)


@hookimpl
def kizu_face_clusterers() -> Iterable[FaceClustererSpec]:
    return [FaceClustererSpec(**{"output_version": "1", **declared(fake)}) for fake in all_of(GoodClusterer)]


@hookimpl
def kizu_moment_strategies() -> Iterable[MomentStrategySpec]:
    return [MomentStrategySpec(**{"grouping_type": "day", **declared(fake)}) for fake in all_of(GoodStrategy)]
