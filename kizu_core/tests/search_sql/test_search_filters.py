"""What a search is limited to, in what order, and how each hit says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from kizu_core.errors import DatabaseError
from kizu_support.shelf import Shelf

BEACH, SNOW = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]


@dataclass(frozen=True)
class Album:
    """Ann's photos: by name, and the people in them."""

    shelf: Shelf
    user: UUID
    photos: dict[str, UUID]
    anna: UUID
    ben: UUID

    def names(self, **query: Any) -> list[str]:
        return self.shelf.names(self.user, query)

    def hit(self, **query: Any) -> dict[str, Any]:
        return self.shelf.hits(self.user, query, limit=1)[0]


@pytest.fixture
def album(shelf: Shelf, ann: UUID) -> Album:
    photos = {
        name: shelf.photo(ann, name, *texts, taken=taken, kind=kind)
        for name, taken, kind, texts in [
            ("maui", "2024-07-05 18:00", "image", ["ALOHA Café"]),
            ("hilo", "2024-08-31 23:59:59", "video", ()),
            ("oslo", "2024-12-24 17:00", "image", ["God jul"]),
            ("home", "2023-07-01 00:00", "image", ["boarding pass"]),
            ("undated", None, "image", ()),
        ]
    }
    with shelf.database.transaction() as connection:
        for name, city, state, country in [
            ("maui", "Kīhei", "Hawaii", "United States"),
            ("hilo", "Hilo", "Hawaii", "United States"),
            ("oslo", "Oslo", None, "Norway"),
        ]:
            connection.execute(
                "update assets set city = %s, state = %s, country = %s where id = %s",
                (city, state, country, photos[name]),
            )
    for name, vector in (("maui", BEACH), ("hilo", [0.9, 0.1, 0.0]), ("oslo", SNOW), ("home", [0.0, 0.0, 1.0])):
        shelf.vector(ann, photos[name], vector)
    for name, label, score in (("maui", "dog", 0.9), ("oslo", "dog", 0.4), ("oslo", "cat", 0.8)):
        shelf.add("detected_objects", user_id=ann, asset_id=photos[name], label=label, score=score)
    shelf.add("image_descriptions", user_id=ann, asset_id=photos["hilo"], description="A sunset over the sea.")
    anna = shelf.person(ann, "Anna", photos["maui"], photos["oslo"])
    ben = shelf.person(ann, "Ben", photos["maui"], photos["home"])
    return Album(shelf, ann, photos, anna, ben)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ([["2024-06-01", "2024-09-01"]], ["hilo", "maui"]),
        ([["2024-07-05", "2024-07-06"]], ["maui"]),
        ([["2024-06-01", "2024-08-31"]], ["maui"]),
        ([[None, "2024-01-01"]], ["home"]),
        ([["2024-08-01", None]], ["oslo", "hilo"]),
        ([["2023-07-01", "2023-07-02"], ["2024-12-24", "2024-12-25"]], ["oslo", "home"]),
        ([["1990-01-01", "2000-01-01"]], []),
        ([[None, None]], ["oslo", "hilo", "maui", "home"]),
    ],
)
def test_days_are_local_and_half_open(album: Album, dates: list[list[str | None]], expected: list[str]) -> None:
    assert album.names(dates=dates) == expected


def test_every_group_of_places_and_people_must_be_there_by_any_of_its_names(album: Album) -> None:
    anna, ben = str(album.anna), str(album.ben)
    assert album.names(places=[["hawaii", "norway"]]) == ["oslo", "hilo", "maui"]
    assert album.names(places=[["hawaii"], ["kihei"]]) == ["maui"]
    assert album.names(people=[[anna, ben]]) == ["oslo", "maui", "home"]
    assert album.names(people=[[anna], [ben]]) == ["maui"]
    assert album.names(people=[[str(uuid4())]]) == album.names(places=[["nowhere"]]) == []


def test_filters_hold_together(album: Album) -> None:
    whole = {"text": "aloha", "places": [["hawaii"]], "people": [[str(album.anna)]], "type": "image"}
    assert album.names(**whole, dates=[["2024-01-01", "2025-01-01"]]) == ["maui"]
    assert album.names(**whole, dates=[["2023-01-01", "2024-01-01"]]) == []
    assert album.names(type="video") == ["hilo"]
    assert album.names(text="sunset", type="image") == []


@pytest.mark.parametrize("word", ["dog", "aloha", "sunset", "anna", "hawaii", "pass"])
def test_without_leaves_out_what_has_it_in_any_way(album: Album, word: str) -> None:
    having = {
        "dog": {"maui", "oslo"},
        "aloha": {"maui"},
        "sunset": {"hilo"},
        "anna": {"maui", "oslo"},
        "hawaii": {"maui", "hilo"},
        "pass": {"home"},
    }[word]
    left = album.names(**{"not": [word]})
    assert set(left) == set(album.photos) - having
    assert left[-1] == "undated"


def test_objects_order_and_do_not_filter(album: Album) -> None:
    assert album.names(labels=["dog"]) == ["maui", "oslo"]
    assert album.names(labels=["dog", "cat"]) == ["oslo", "maui"], "both are better than one"
    assert album.names(text="aloha", labels=["cat"]) == ["maui", "oslo"]


def test_captions_and_file_names_are_words_too(album: Album) -> None:
    assert album.names(text="sunset") == album.names(text="sunst sea") == ["hilo"]
    assert album.names(text="undated") == ["undated"]


def test_a_photo_like_another_is_not_that_one(album: Album) -> None:
    like = str(album.photos["maui"])
    assert album.shelf.names(album.user, {"like": like}, space="pictures") == ["hilo"]
    [hit] = album.shelf.hits(album.user, {"like": like}, space="pictures")
    assert [(reason["kind"], reason["how"]) for reason in hit["reasons"]] == [("like", "looks")]


def test_a_photo_of_another_is_like_nothing(album: Album, bob: UUID) -> None:
    secret = album.shelf.photo(bob, "secret")
    album.shelf.vector(bob, secret, BEACH)
    for photo in (secret, uuid4(), album.photos["undated"]):
        with pytest.raises(DatabaseError, match="not known"):
            album.shelf.page(album.user, {"like": str(photo)}, space="pictures")


def test_hidden_and_missing_photos_are_in_no_search(album: Album) -> None:
    with album.shelf.database.transaction() as connection:
        connection.execute("update assets set hidden = true where id = %s", (album.photos["maui"],))
        connection.execute("update assets set missing_since = now() where id = %s", (album.photos["oslo"],))
    gone = {"maui", "oslo"}
    for query in ({"text": "aloha"}, {"labels": ["dog"]}, {"people": [[str(album.anna)]]}, {"not": ["cat"]},
                  {"phrases": ["god jul"]}, {"places": [["hawaii", "norway"]]}):  # fmt: skip
        assert not gone & set(album.names(**query)), query
    assert album.shelf.names(album.user, {}, vector=BEACH, space="pictures") == ["hilo"]


def test_each_hit_says_why(album: Album) -> None:
    query = {
        "text": "cafe aloha",
        "labels": ["dog"],
        "places": [["hawaii"]],
        "people": [[str(album.anna), str(album.ben)]],
        "dates": [["2024-01-01", "2025-01-01"]],
    }
    [hit] = album.shelf.hits(album.user, query, vector=BEACH, space="pictures")
    told = [(reason["kind"], reason.get("matched"), reason["how"]) for reason in hit["reasons"]]
    assert told == [
        ("text", "ALOHA Café", "words"),
        ("meaning", None, "looks"),
        ("object", "dog", "seen"),
        ("date", "2024-07-05", "filter"),
        ("person", "Anna", "filter"),
        ("person", "Ben", "filter"),
        ("place", "Hawaii", "filter"),
    ]
    assert all(0 < reason["score"] <= 1 for reason in hit["reasons"])


def test_explained_on_request(album: Album) -> None:
    query = {"text": "aloha", "type": "image", "explain": True}
    told = album.shelf.page(album.user, query)["explain"]
    assert (told["among"], told["words"], told["found"]) == (4, ["aloha"], {"text": 1})
    assert "explain" not in album.shelf.page(album.user, {"text": "aloha"})


def test_the_vocabulary_is_the_users_own(album: Album, bob: UUID) -> None:
    found = album.shelf.api.vocabulary(album.user)
    assert found["labels"] == ["cat", "dog"]
    assert [(one["name"], one["folded"]) for one in found["people"]] == [("Anna", "anna"), ("Ben", "ben")]
    assert ["hawaii", "Hawaii"] in found["places"]
    assert ["kihei", "Kīhei"] in found["places"]
    assert album.shelf.api.vocabulary(bob) == {"places": [], "people": [], "labels": []}


BAD: list[Any] = [
    {"dates": [["2024-13-01", None]]}, {"dates": ["2024"]}, {"dates": [["2025-01-01", "2024-01-01"]]}, {"dates": {}},
    {"people": [["no id"]]}, {"people": ["x"]}, {"places": "hawaii"}, {"places": [{"a": 1}]}, {"type": "audio"},
    {"like": "x"}, {"text": ["a"]}, {"text": {"a": 1}}, {"phrases": "x"}, {"labels": 7}, {"explain": "yes"},
    {"phrases": ["x" * 30_000]}, [], "text", 7,
]  # fmt: skip


@pytest.mark.parametrize("query", BAD, ids=lambda value: str(value)[:40])
def test_what_is_no_query_is_refused_in_a_sentence(album: Album, query: Any) -> None:
    with pytest.raises(DatabaseError, match="not a search"):
        album.shelf.api._call_as(album.user, "search", query=query)
