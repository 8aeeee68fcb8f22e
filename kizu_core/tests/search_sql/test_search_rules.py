"""What holds for every search, whatever is in the libraries of two users and whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizu_core.database import Database
from kizu_core.database.direct import DirectTransport
from kizu_support.filled import copy_vectors, unrelated
from kizu_support.postgres import KizuDatabase

WORDS = ["harbour", "market", "sunset", "menu"]
PLACES = ["Oslo", "Rome", "Hilo"]
SPACE = "pictures"
DIM = 8
PHOTOS = 120
START = datetime.fromisoformat("2023-12-30")


@dataclass
class Photo:
    id: UUID
    owner: UUID
    taken: datetime | None
    kind: str
    city: str
    word: str
    label: str
    person: int
    unseen: str | None
    vector: np.ndarray[Any, Any]


@dataclass
class Two:
    """Two users with random photos; several have the same time, words and vectors."""

    database: KizuDatabase
    api: Database
    users: tuple[UUID, UUID]
    people: dict[UUID, list[UUID]]
    photos: list[Photo]

    @cached_property
    def owners(self) -> dict[str, UUID]:
        return {str(photo.id): photo.owner for photo in self.photos}

    def pages(self, user: UUID, query: dict[str, Any], size: int, **options: Any) -> list[tuple[str, float]]:
        """Ids and scores of all pages of a size."""
        found: list[tuple[str, float]] = []
        after = None
        while True:
            page = self.api.search(user, query, size, after, **options)
            found += [(hit["asset_id"], hit["score"]) for hit in page["hits"]]
            after = page["next"]
            if after is None:
                return found
            assert len(page["hits"]) == size


@pytest.fixture(scope="module")
def two(shared_database: KizuDatabase) -> Iterator[Two]:
    chance = np.random.default_rng(5)
    users = (uuid4(), uuid4())
    people = {user: [uuid4(), uuid4()] for user in users}
    themes = chance.standard_normal((6, DIM))
    photos = [
        Photo(
            id=uuid4(),
            owner=users[number % 2],
            taken=None if chance.random() < 0.1 else START + timedelta(days=2 + int(chance.integers(40))),
            kind="video" if chance.random() < 0.2 else "image",
            city=str(chance.choice(PLACES)),
            word=str(chance.choice(WORDS)),
            label=str(chance.choice(["dog", "cat"])),
            person=int(chance.integers(3)),
            unseen=[None, None, None, None, "hidden", "missing"][int(chance.integers(6))],
            vector=themes[int(chance.integers(6))] + 0.3 * chance.standard_normal(DIM) * (chance.random() < 0.7),
        )
        for number in range(PHOTOS)
    ]
    store(shared_database, photos, people)
    with closing(Database(DirectTransport(shared_database.api))) as api:
        yield Two(shared_database, api, users, people, photos)


def store(database: KizuDatabase, photos: list[Photo], people: dict[UUID, list[UUID]]) -> None:
    with psycopg.connect(database.owner) as connection:
        cursor = connection.cursor()
        for user, ids in people.items():
            cursor.executemany(
                "insert into face_clusters (id, user_id, name) values (%s, %s, %s)",
                [(one, user, f"person {number}") for number, one in enumerate(ids)],
            )
        cursor.executemany(
            "insert into assets (id, user_id, file_name, taken_local, media_kind, city, hidden, missing_since)"
            " values (%s, %s, 'x', %s, %s, %s, %s, case when %s then now() end)",
            [(p.id, p.owner, p.taken, p.kind, p.city, p.unseen == "hidden", p.unseen == "missing") for p in photos],
        )
        cursor.executemany(
            "insert into extracted_text (user_id, asset_id, text) values (%s, %s, %s)",
            [(photo.owner, photo.id, photo.word) for photo in photos],
        )
        cursor.executemany(
            "insert into detected_objects (user_id, asset_id, label, score) values (%s, %s, %s, 0.5)",
            [(photo.owner, photo.id, photo.label) for photo in photos],
        )
        cursor.executemany(
            "insert into face_embeddings (user_id, asset_id, cluster_id, embedding) values (%s, %s, %s, '[1]')",
            [(p.owner, p.id, people[p.owner][p.person]) for p in photos if p.person < 2],
        )
        for user in people:
            mine = [photo for photo in photos if photo.owner == user]
            vectors = np.array([photo.vector for photo in mine], np.float32)
            copy_vectors(connection, "image_embeddings", user, [photo.id for photo in mine], vectors, SPACE)


def filtered(two: Two, user: UUID, query: dict[str, Any]) -> set[str]:
    """The photos that pass the filters, the slow and plain way."""
    return {
        str(photo.id)
        for photo in two.photos
        if photo.owner == user
        and photo.unseen is None
        and photo.kind == (query.get("type") or photo.kind)
        and photo.word not in query.get("not", [])
        and all(photo.city.lower() in group for group in query.get("places", []))
        and all(photo.person < 2 and str(two.people[user][photo.person]) in group for group in query.get("people", []))
        and any(within(photo.taken, span) for span in query.get("dates") or [[None, None, "or undated"]])
    }


def within(taken: datetime | None, span: list[str | None]) -> bool:
    if taken is None:
        return len(span) == 3
    day = taken.date().isoformat()
    return (span[0] is None or span[0] <= day) and (span[1] is None or day < span[1])


DAYS = st.integers(0, 45).map(lambda day: (START + timedelta(day)).date().isoformat())
SPANS = st.tuples(st.none() | DAYS, st.none() | DAYS).map(
    lambda span: sorted(span) if None not in span else list(span)  # type: ignore[type-var]
)
FILTERS = {
    "dates": st.lists(SPANS, min_size=1, max_size=3),
    "places": st.lists(st.lists(st.sampled_from(PLACES).map(str.lower), min_size=1, max_size=2), max_size=2),
    "type": st.sampled_from(["image", "video", None]),
    "not": st.lists(st.sampled_from(WORDS), max_size=2),
    "people": st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=2), max_size=2),
}
ASKED = {
    "text": st.sampled_from([*WORDS, "harbr", "market or menu", "zzzz", ""]),
    "labels": st.lists(st.sampled_from(["dog", "cat", "car"]), max_size=2),
    "like": st.integers(0, PHOTOS - 1),
    "vector": st.lists(st.floats(-1, 1, width=32), min_size=DIM, max_size=DIM).filter(lambda v: max(v) > 0.01),
}
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def made(two: Two, user: UUID, drawn: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Query and options of what was drawn, with the user's own ids."""
    query, vector = dict(drawn), drawn.get("vector")
    query.pop("vector", None)
    if "people" in query:
        query["people"] = [[str(two.people[user][number]) for number in group] for group in query["people"]]
    if "like" in query:
        mine = [photo for photo in two.photos if photo.owner == user]
        query["like"] = str(mine[query["like"] % len(mine)].id)
    return query, {"space": SPACE} | ({"vector": vector} if vector else {})


@RELAXED
@given(st.integers(0, 1), st.fixed_dictionaries({}, optional={**FILTERS, **ASKED}), st.integers(1, 40))
def test_hits_are_ones_own_pass_the_filters_and_pages_of_any_size_join(
    two: Two, number: int, drawn: dict[str, Any], size: int
) -> None:
    user = two.users[number]
    query, options = made(two, user, drawn)
    whole = two.pages(user, query, 200, **options)
    found = [asset for asset, _ in whole]
    assert {two.owners[asset] for asset in found} <= {user}
    assert set(found) <= filtered(two, user, query) - {query.get("like")}
    assert len(set(found)) == len(found)
    assert [score for _, score in whole] == sorted((score for _, score in whole), reverse=True)
    assert two.pages(user, query, size, **options) == whole


@RELAXED
@given(st.integers(0, 1), st.fixed_dictionaries({}, optional=FILTERS))
def test_filters_alone_list_exactly_what_passes(two: Two, number: int, drawn: dict[str, Any]) -> None:
    user = two.users[number]
    query, options = made(two, user, drawn)
    found = {asset for asset, _ in two.pages(user, query, 200, **options)}
    assert found == (filtered(two, user, query) if any(query.values()) else set())


@RELAXED
@given(st.integers(0, 1), st.sampled_from(WORDS), st.fixed_dictionaries({}, optional=FILTERS))
def test_a_word_is_found_in_every_photo_that_has_it(two: Two, number: int, word: str, drawn: dict[str, Any]) -> None:
    user = two.users[number]
    query, options = made(two, user, drawn)
    having = {str(photo.id) for photo in two.photos if photo.word == word}
    found = {asset for asset, _ in two.pages(user, query | {"text": word}, 50, **options)}
    assert found == filtered(two, user, query) & having


def test_nobodys_people_and_photos_filter_anothers(two: Two) -> None:
    ann, bob = two.users
    theirs = [str(person) for person in two.people[bob]]
    assert two.pages(ann, {"people": [theirs]}, 50) == []


def test_what_means_nothing_finds_nothing(shared_database: KizuDatabase) -> None:
    """Made-up photos of 12 themes and 100 searches for something else: as good as all are told so."""
    chance = np.random.default_rng(3)
    user = uuid4()
    themes = np.array([unrelated(f"theme {number}") for number in range(12)])
    vectors = themes[chance.integers(12, size=2000)] + chance.normal(0, 1.2 / 512**0.5, (2000, 512))
    with psycopg.connect(shared_database.owner) as connection:
        rows = connection.execute(
            "insert into assets (user_id) select %s from generate_series(1, 2000) returning id", (user,)
        )
        assets = [row[0] for row in rows.fetchall()]
        copy_vectors(connection, "image_embeddings", user, assets, vectors.astype(np.float32), SPACE)
    with closing(Database(DirectTransport(shared_database.api))) as api:
        hits = [
            len(api.search(user, {}, 200, vector=unrelated(f"nonsense {n}").tolist(), space=SPACE)["hits"])
            for n in range(100)
        ]
        assert sum(map(bool, hits)) <= 5
        meant = [api.search(user, {}, 20, vector=theme.tolist(), space=SPACE)["hits"] for theme in themes]
        assert all(len(found) == 20 for found in meant)
