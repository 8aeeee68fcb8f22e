"""Search over recognised text: what is found, what is not, and whose."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from kizu_core.errors import DatabaseError
from kizu_support.postgres import call
from kizu_support.shelf import Shelf


@pytest.fixture
def street(shelf: Shelf, ann: UUID) -> Shelf:
    """Ann's photos of a town."""
    shelf.photo(ann, "cafe.jpg", "Café Müller", "Frühstück ab 8 Uhr", taken="2021-05-01 09:00")
    shelf.photo(ann, "station.jpg", "Freiburg Hauptbahnhof", "RE16 TGK", "Gleis 3", taken="2020-05-01 09:00")
    shelf.photo(ann, "menu.jpg", "RESTAURANT BELLA VISTA", "Pizza Margherita 9,50", taken="2022-05-01 09:00")
    shelf.photo(ann, "museum.jpg", "Museum of Modern Art", "Ticket No. 10422", taken="2019-05-01 09:00")
    shelf.photo(ann, "tokyo.jpg", "東京駅中央口")
    shelf.photo(ann, "plain.jpg")
    return shelf


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("café", "cafe.jpg"),
        ("CAFE", "cafe.jpg"),
        ("cafe muller", "cafe.jpg"),
        ("fruhstuck", "cafe.jpg"),
        ("müller uhr", "cafe.jpg"),  # words in different spans
        ("bahnhof", "station.jpg"),  # a part of a word
        ("haupt", "station.jpg"),
        ("re16", "station.jpg"),
        ("RE16 TGK", "station.jpg"),
        ("restaraunt", "menu.jpg"),  # typing errors
        ("margarita", "menu.jpg"),
        ("pizzza", "menu.jpg"),
        ("musem modern", "museum.jpg"),
        ("10422", "museum.jpg"),
        ("1042", "museum.jpg"),
        ("東京", "tokyo.jpg"),
        ("中央", "tokyo.jpg"),
        ({"phrases": ["modern art"]}, "museum.jpg"),
        ({"phrases": ["Hauptbahnhof RE16"]}, "station.jpg"),  # from one span to the next
        ({"text": "ticket", "phrases": ["Modern Art"]}, "museum.jpg"),
        ({"text": "restaurant", "not": ["sushi"]}, "menu.jpg"),
        ("gleis or zugbrücke", "station.jpg"),
    ],
)
def test_what_is_found(street: Shelf, ann: UUID, query: str | dict[str, Any], expected: str) -> None:
    assert street.names(ann, query) == [expected]


@pytest.mark.parametrize(
    "query",
    [
        "xqzvw",
        "blargfoo",
        "cafe station",
        {"phrases": ["art modern"]},
        {"phrases": ["modern"], "text": "gleis"},
        {"phrases": ["!!!"]},
        {"text": "restaurant", "not": ["pizza"]},
        {},
        "",
        "   ",
        "!!! ???",
        "zz",
        "-",
    ],
)
def test_what_is_not_found(street: Shelf, ann: UUID, query: str | dict[str, Any]) -> None:
    assert street.names(ann, query) == []


def test_a_hit_says_why(street: Shelf, ann: UUID) -> None:
    [exact] = street.hits(ann, "müller")
    [similar] = street.hits(ann, "mueller cafe")
    assert exact["reasons"] == [{"kind": "text", "matched": "Café Müller", "how": "words", "score": 1}]
    assert [reason["how"] for reason in similar["reasons"]] == ["words"]
    assert 0 < similar["score"] < exact["score"] == 1
    assert exact["taken_local"] == "2021-05-01T09:00:00"


def test_better_hits_come_first_then_newer_ones(shelf: Shelf, ann: UUID) -> None:
    shelf.photo(ann, "old.jpg", "harbour", taken="2001-01-01 00:00")
    shelf.photo(ann, "part.jpg", "harbourmaster", taken="2024-01-01 00:00")
    shelf.photo(ann, "new.jpg", "Harbour", taken="2021-01-01 00:00")
    shelf.photo(ann, "undated.jpg", "HARBOUR")
    assert shelf.names(ann, "harbour") == ["new.jpg", "old.jpg", "undated.jpg", "part.jpg"]


def test_pages_join_without_gap_or_overlap(shelf: Shelf, ann: UUID) -> None:
    for number in range(23):
        shelf.photo(ann, f"{number}.jpg", "market" if number % 2 else "supermarket")
    found, after = [], None
    while True:
        page = shelf.page(ann, "market", limit=5, after=after)
        found += [hit["file_name"] for hit in page["hits"]]
        after = page["next"]
        if after is None:
            break
    assert sorted(found) == sorted(f"{number}.jpg" for number in range(23))
    assert found == shelf.names(ann, "market")


def test_the_limit_holds(shelf: Shelf, ann: UUID) -> None:
    for number in range(5):
        shelf.photo(ann, f"{number}.jpg", "market")
    assert len(shelf.names(ann, "market", limit=2)) == 2
    assert len(shelf.names(ann, "market", limit=-1)) == 1
    assert len(shelf.names(ann, "market", limit=10_000)) == 5


def test_missing_photos_are_not_found(shelf: Shelf, ann: UUID) -> None:
    shelf.photo(ann, "gone.jpg", "market", missing=True)
    assert shelf.names(ann, "market") == []


def test_nobody_finds_photos_of_others(street: Shelf, ann: UUID, bob: UUID) -> None:
    street.photo(bob, "secret.jpg", "Café Geheim")
    assert street.names(bob, "cafe") == ["secret.jpg"]
    assert street.names(ann, "cafe") == ["cafe.jpg"]
    for query in ("geheim", "geheimm", {"phrases": ["cafe geheim"]}):
        assert street.names(ann, query) == []


HOSTILE = [
    "'; drop table assets; --", "\\", "%", "_", "a%b_c", "*", "),user_id.neq.", "' | 'a", "a:*", "a & b | !c", "<->",
    "((((", '"', '"""', '-"', "\x00cafe", "\ud800", "\ufffe", "🏖️", "a" * 512, "a " * 256, "\u202ecafe", "$$", "{}",
    "\u0301", "कि", "e\u0301" * 100,
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE)
def test_odd_input_is_harmless(street: Shelf, ann: UUID, bob: UUID, query: str) -> None:
    street.photo(bob, "other.jpg", query.replace("\x00", "").encode("utf-8", "replace").decode() + " secret")
    for asked in ({"text": query}, {"phrases": [query]}, {"not": [query]}, {"places": [[query]]}, {"labels": [query]}):
        assert "other.jpg" not in street.names(ann, asked)
        street.hits(bob, asked)


def test_a_search_has_a_longest_length(shelf: Shelf, ann: UUID) -> None:
    with pytest.raises(DatabaseError, match="512"):
        shelf.hits(ann, "a" * 513)


@pytest.mark.parametrize("role", ["anon", "service_role", "kizu_owner"])
def test_search_needs_a_user(shelf: Shelf, role: str) -> None:
    with shelf.database.transaction(role=role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        call(connection, "kizu_search", p_query={"text": "cafe"})
