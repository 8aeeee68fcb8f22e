"""Search by a query's vector: what looks like it, beside the words, and whose. What is no vector is refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

from kizu_core.errors import DatabaseError
from kizu_support.shelf import Shelf

RED, GREEN, BLUE = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]


def meant(shelf: Shelf, user: UUID, vector: Any, query: str = "", **options: Any) -> list[str]:
    """File names of the hits."""
    return shelf.names(user, query, vector=vector, **{"space": "pictures", **options})


@pytest.fixture
def colours(shelf: Shelf, ann: UUID) -> Shelf:
    """Ann's photos of colours, each a little different; and some words."""
    for name, base in (("red", RED), ("green", GREEN), ("blue", BLUE)):
        for number in range(3):
            photo = shelf.photo(ann, f"{name}{number}", taken=f"202{number}-01-01")
            shelf.vector(ann, photo, [x + 0.1 * (number + 1) * y for x, y in zip(base, (0.5, 0.3, 0.4), strict=True)])
    return shelf


def test_what_looks_like_it_is_found_and_nothing_else(colours: Shelf, ann: UUID) -> None:
    assert meant(colours, ann, RED) == ["red0", "red1", "red2"]
    assert meant(colours, ann, BLUE, limit=1) == ["blue0"]


def test_a_hit_says_why(colours: Shelf, ann: UUID) -> None:
    [best, *_] = colours.hits(ann, "red", vector=GREEN, space="pictures")
    [reason] = best["reasons"]
    assert (best["file_name"], reason["kind"], reason["how"]) == ("green0", "meaning", "looks")
    assert 0.99 < reason["score"] <= 1


def test_the_length_of_a_vector_does_not_matter(colours: Shelf, ann: UUID) -> None:
    for factor in (1e-30, 1e30):
        assert meant(colours, ann, (np.array(RED) * factor).tolist()) == ["red0", "red1", "red2"]


def test_words_are_not_pushed_out(colours: Shelf, ann: UUID) -> None:
    sign = colours.photo(ann, "sign", "red wine")
    colours.vector(ann, sign, BLUE)
    assert meant(colours, ann, RED, "red", limit=4) == ["sign", "red0", "red1", "red2"]
    assert [reason["kind"] for reason in colours.hits(ann, "red", vector=RED, space="pictures")[0]["reasons"]] == [
        "text"
    ]


def test_both_reasons_are_better_than_one(colours: Shelf, ann: UUID) -> None:
    colours.photo(ann, "menu", "red", taken="2024-01-01")
    label = colours.photo(ann, "label", "red", taken="2001-01-01")
    colours.vector(ann, label, [1, 0.5, 0])
    [first, *_] = colours.hits(ann, "red", vector=RED, space="pictures")
    assert (first["file_name"], [reason["kind"] for reason in first["reasons"]]) == ("label", ["text", "meaning"])


def test_words_alone_are_found_as_before(colours: Shelf, ann: UUID) -> None:
    colours.photo(ann, "sign", "red")
    before = colours.page(ann, "red")
    assert [hit["score"] for hit in before["hits"]] == [1]
    assert colours.page(ann, "red", vector=None, space="pictures") == before


def test_pages_join_without_gap_or_overlap(shelf: Shelf, ann: UUID) -> None:
    chance = np.random.default_rng(1)
    for number in range(30):
        photo = shelf.photo(ann, f"{number}", *["market"] * (number % 3 == 0), taken=f"20{number % 7:02}-01-01")
        shelf.vector(ann, photo, [1, *chance.normal(0, 0.2 if number % 2 else 3, 3)])
    whole = meant(shelf, ann, [1, 0, 0, 0], "market")
    found, after = [], None
    while True:
        page = shelf.page(ann, "market", limit=4, after=after, vector=[1, 0, 0, 0], space="pictures")
        found += [hit["file_name"] for hit in page["hits"]]
        after = page["next"]
        if after is None:
            break
    assert found == whole
    assert len(set(found)) == len(found) >= 20


def test_spaces_are_never_compared(colours: Shelf, ann: UUID) -> None:
    other = colours.photo(ann, "other")
    colours.vector(ann, other, RED, space="other")
    assert "other" not in meant(colours, ann, RED)
    assert meant(colours, ann, RED, space="other") == ["other"]
    assert meant(colours, ann, RED, space="none of mine") == []


def test_rows_of_another_length_or_of_nothing_are_passed_over(colours: Shelf, ann: UUID) -> None:
    for name, values in (("longer", [1, 0, 0, 0]), ("zero", [0, 0, 0])):
        colours.vector(ann, colours.photo(ann, name), values)
    assert meant(colours, ann, RED) == ["red0", "red1", "red2"]


def test_a_video_counts_by_its_best_frame(colours: Shelf, ann: UUID) -> None:
    film = colours.photo(ann, "film", kind="video")
    for second, values in enumerate((GREEN, RED, BLUE)):
        colours.vector(ann, film, values, frame_ms=1000 * second)
    assert meant(colours, ann, RED)[0] == "film"
    assert meant(colours, ann, RED).count("film") == 1


def test_a_large_library_that_was_filled_just_now(shelf: Shelf, ann: UUID) -> None:
    """The planner knows nothing of it yet; a plan that is quadratic would run into the statement's time limit."""
    with shelf.database.transaction() as connection:
        connection.execute(
            """with made as (
                 insert into assets (user_id, file_name) select %s, n::text from generate_series(1, 30000) n
                 returning user_id, id, file_name)
               insert into image_embeddings (user_id, asset_id, embedding, dim, space)
               select user_id, id, array[1, file_name::real, 0]::real[]::extensions.halfvec, 3, 'pictures' from made""",
            (ann,),
        )
    assert meant(shelf, ann, RED) == ["1"]


def test_missing_photos_are_not_found(colours: Shelf, ann: UUID) -> None:
    colours.vector(ann, colours.photo(ann, "gone", missing=True), RED)
    assert "gone" not in meant(colours, ann, RED)


def test_nobody_finds_photos_of_others(colours: Shelf, ann: UUID, bob: UUID) -> None:
    secret = colours.photo(bob, "secret", "red")
    colours.vector(bob, secret, RED)
    assert meant(colours, bob, RED, "red") == ["secret"]
    assert "secret" not in meant(colours, ann, RED, "red")
    assert (colours.api.spaces(ann), colours.api.spaces(bob)) == (["pictures"], ["pictures"])


def test_a_row_about_anothers_photo_shows_nothing_of_it(colours: Shelf, ann: UUID, bob: UUID) -> None:
    """As only somebody who can write past every rule could make it."""
    colours.vector(ann, colours.photo(bob, "secret"), RED, space="forged")
    assert meant(colours, ann, RED, space="forged") == []


BAD = [
    ["NaN", 0, 0], ["Infinity", 0, 0], ["-Infinity", 0, 0], [None, 0, 0], [], [0, 0, 0], [1, 0], [1, 0, 0, 0],
    [[1, 0, 0]], [1] * 16_001, [1] * 300_000, ["x", 0, 0], {"a": 1}, "'; drop table assets; --", [1e300, 0, 0],
    [[], []],
]  # fmt: skip


@pytest.mark.parametrize("vector", BAD, ids=lambda value: str(value)[:20])
def test_what_is_no_vector_is_refused(colours: Shelf, ann: UUID, vector: Any) -> None:
    with pytest.raises(DatabaseError) as caught:
        meant(colours, ann, vector)
    assert len(str(caught.value)) < 500
    assert meant(colours, ann, RED) == ["red0", "red1", "red2"]


def test_a_vector_of_no_space_is_refused(colours: Shelf, ann: UUID) -> None:
    with pytest.raises(DatabaseError, match="name of their space"):
        colours.page(ann, "red", vector=RED)


@pytest.mark.parametrize("space", ["'; drop table assets; --", "x" * 100_000, "\0", "\ud800", "%"])
def test_an_odd_space_is_one_without_photos(colours: Shelf, ann: UUID, space: str) -> None:
    assert meant(colours, ann, RED, space=space) == []


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_search_needs_a_user(shelf: Shelf, role: str) -> None:
    with shelf.database.transaction(role=role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select kizu_search('{}', p_vector => '{1,0,0}', p_space => 'pictures')")


@pytest.mark.parametrize(
    "call_it",
    [
        "kizu.match_vector(%s, '[1,0,0]'::extensions.halfvec, 'pictures', null, '{}')",
        "kizu.query_vector(%s, '{1}', 'pictures')",
    ],
)
def test_nobody_searches_for_a_user_of_their_choice(colours: Shelf, ann: UUID, bob: UUID, call_it: str) -> None:
    with colours.database.transaction(bob) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"select {call_it}".encode(), (ann,))
