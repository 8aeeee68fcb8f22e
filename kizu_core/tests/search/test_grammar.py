"""What one line asks for: dates, places, people, things, operators, and the words that are left."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from kizu_core.search import Query, Vocabulary, foreign, parse

TODAY = date(2026, 11, 23)
"""A Monday."""

FAMILY = Vocabulary(
    places=(
        ("hawaii", "Hawaii"), ("nice", "Nice"), ("reading", "Reading"), ("new york", "New York"),
        ("york", "York"), ("berlin", "Berlin"), ("hamburg", "Hamburg"), ("sao paulo", "São Paulo"),
    ),
    people=(("a1", "Anna Schmidt"), ("a2", "Anna Meier"), ("b1", "Ben"), ("j1", "June"), ("w1", "Will"), ("m1", "May")),
    labels=("dog", "bus", "person", "sports ball", "knife"),
)  # fmt: skip


def asked(line: str, vocabulary: Vocabulary = FAMILY, **options: Any) -> dict[str, Any]:
    """The parts of the query that say something."""
    return {key: value for key, value in parse(line, vocabulary, TODAY, **options).as_json().items() if value}


def days(line: str, **options: Any) -> list[list[str | None]]:
    found: list[list[str | None]] = parse(line, Vocabulary(), TODAY, **options).as_json()["dates"]
    return found


@pytest.mark.parametrize(
    ("line", "start", "end"),
    [
        ("the summer before last", "2025-06-01", "2025-09-01"),
        ("two summers ago", "2025-06-01", "2025-09-01"),
        ("mid-july 2021", "2021-07-11", "2021-07-21"),
        ("early 90s", "1990-01-01", "1994-01-01"),
        ("first week of june 2019", "2019-06-01", "2019-06-08"),
        ("last weekend of july", "2026-07-25", "2026-07-27"),
        ("last year in june", "2025-06-01", "2025-07-01"),
        ("christmas in Berlin 2019", "2019-12-24", "2019-12-27"),
        ("november to february 2020", "2019-11-01", "2020-03-01"),
        ("the day after christmas", "2025-12-27", "2025-12-28"),
        ("weekend before easter 2019", "2019-04-13", "2019-04-15"),
        ("Saturday, 3 May 2019", "2019-05-03", "2019-05-04"),
        ("3-5 May 2020", "2020-05-03", "2020-05-06"),
        ("feb 29", "2024-02-29", "2024-03-01"),
        ("summer of '69", "1969-06-01", "1969-09-01"),
        ("older than 2 years", None, "2024-11-23"),
        ("after 2015 before 2018", "2016-01-01", "2018-01-01"),
        ("a saturday in june 2019 before 3 june 2019", "2019-06-01", "2019-06-03"),
        ("week 23 2020", "2020-06-01", "2020-06-08"),
        ("a weekend in june 2020", "2020-06-01", "2020-07-01"),
        ("week of June 5", "2026-06-01", "2026-06-08"),
        ("summer vacation with grandma", "2026-06-01", "2026-09-01"),
        ("im Juni letzten Jahres", "2025-06-01", "2025-07-01"),
        ("Anfang Juni 2020", "2020-06-01", "2020-06-11"),
        ("KW 23 2020", "2020-06-01", "2020-06-08"),
        ("vor drei Jahren", "2023-01-01", "2024-01-01"),
        ("vor 2010", None, "2010-01-01"),
    ],
)
def test_dates(line: str, start: str | None, end: str) -> None:
    assert days(line) == [[start, end]]


@pytest.mark.parametrize(
    "line",
    ["sun and sea", "sat on a bench", "reading a book", "march of the penguins", "may day parade",
     "second birthday",
     "christmas tree", "winter coat", "90s party", "blade runner 2049", "RE16", "pizza saturday", "on a sunday",
     "every summer", "10422",
     "1,999 steps",      "before breakfast", "last photo", "hot spring",
     "2 year old", "mon ami", "so schön", "mo und di", "2019-13-45",
     "99/99/2019", "the first of", "since", "between", "q3", "week 80"],
)  # fmt: skip
def test_what_is_no_date(line: str) -> None:
    assert days(line) == []


def test_which_number_is_the_month_is_up_to_the_country() -> None:
    third_of_april, fourth_of_march = ["2021-04-03", "2021-04-04"], ["2021-03-04", "2021-03-05"]
    assert days("03/04/2021", order="en-US") == [fourth_of_march]
    assert days("03/04/2021", order="en-GB") == days("03/04/2021", order="de_DE.UTF-8") == [third_of_april]
    assert days("03/04/2021", order="en") == [fourth_of_march, third_of_april]
    assert days("03.04.2021", order="en-US") == [third_of_april]
    assert days("25/04/2021", order="en-US") == [["2021-04-25", "2021-04-26"]]


def test_summer_in_the_south_is_over_new_year_and_says_so() -> None:
    query = parse("last summer", today=TODAY, southern=True)
    assert query.as_json()["dates"] == [["2025-12-01", "2026-03-01"]]
    assert query.summary(by_looks=True) == "Summer 2025/26 (southern)"


def test_a_contradiction_is_no_day() -> None:
    [[start, end]] = days("june 2019 before 2015")
    assert start == end


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("photos from Nice", {"places": [["nice"]]}),
        ("nice", {"places": [["nice"]]}),
        ("nice dog", {"text": "nice dog", "labels": ["dog"]}),
        ("in nice weather", {"text": "in nice weather"}),
        ("reading a book in Nice", {"text": "reading a book", "places": [["nice"]]}),
        ("new york", {"places": [["new york"]]}),
        ("Sao Paulo", {"places": [["sao paulo"]]}),
        ("in Berlin or Hamburg", {"places": [["berlin", "hamburg"]]}),
        ("in:Nice", {"places": [["nice"]]}),
        ('in:"Bora Bora"', {"places": [["bora bora"]]}),
    ],
)
def test_places_are_those_of_the_user(line: str, expected: dict[str, Any]) -> None:
    assert asked(line) == expected
    assert "places" not in asked(line, Vocabulary()) or line.startswith("in:")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("with Anna Schmidt and Ben", {"people": [["a1"], ["b1"]]}),
        ("Anna’s birthday", {"text": "birthday", "people": [["a1", "a2"]]}),
        ("Ben or anna meier", {"people": [["b1", "a2"]]}),
        ("june at the beach", {"text": "beach", "people": [["j1"]]}),
        ("in june", {"dates": [["2026-06-01", "2026-07-01"]]}),
        ("with june in june 2019", {"dates": [["2019-06-01", "2019-07-01"]], "people": [["j1"]]}),
        ("will you marry me", {"text": "will you marry me"}),
        ("Ben with will", {"people": [["b1"], ["w1"]]}),
        ("with:Zoe", {"people": [["00000000-0000-0000-0000-000000000000"]]}),
    ],
)
def test_people_are_those_of_the_user(line: str, expected: dict[str, Any]) -> None:
    assert asked(line) == expected


@pytest.mark.parametrize(
    ("line", "labels"),
    [("dogs", ["dog"]), ("two buses", ["bus"]), ("Knives", ["knife"]),
     ("people with sports balls", ["person", "sports ball"]),
     ("Hunde im Schnee", ["dog"]), ("hotdog", [])],
)  # fmt: skip
def test_objects_are_those_that_detectors_found(line: str, labels: list[str]) -> None:
    query = parse(line, FAMILY, TODAY)
    assert list(query.labels) == labels
    assert query.text == line


def test_operators() -> None:
    line = '“boarding pass” -dog -"hot dog" before:2019 after:2015-06 in:"New York" with:Ben type:video like:IMG_1.jpg'
    assert asked(line) == {
        "phrases": ["boarding pass"], "not": ["dog", "hot dog"], "dates": [["2015-07-01", "2019-01-01"]],
        "places": [["new york"]], "people": [["b1"]], "type": "video", "like": "IMG_1.jpg",
    }  # fmt: skip
    assert parse(line).words_only
    assert not parse("hot-dog in:Rome 12:30").words_only


@pytest.mark.parametrize(
    "line", ["foo:bar", "before:breakfast", "type:cake", '""', "-", "e-mail", "http://x.org", "in:"]
)
def test_what_is_no_operator_is_text(line: str) -> None:
    assert asked(line) == {"text": line}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("show me all photos of the two dogs from last summer", "two dogs"),
        ("sunset photos from Hawaii", "sunset"),
        ("a red circle", "a red circle"),
        ("picture frame", "picture frame"),
        ("dog on the beach in 2019", "dog on the beach"),
        ("photos of", "photos of"),
        ("photos from last summer", ""),
        ("zeig mir Bilder von Hunden", "Hunden"),
        ("videos of the beach", "beach"),
        ("gleis or zugbrücke", "gleis or zugbrücke"),
    ],
)
def test_the_words_that_are_left(line: str, text: str) -> None:
    assert parse(line, FAMILY, TODAY).text == text


def test_the_summary_says_what_was_understood() -> None:
    query = parse("sunset photos from Hawaii with Anna Schmidt last summer", FAMILY, TODAY)
    assert query.summary(by_looks=True) == "Summer 2026 · Hawaii · with Anna Schmidt · looks like: sunset"
    relaxed: Query = query.without("dates")
    assert relaxed.summary(by_looks=True) == "Hawaii · with Anna Schmidt · looks like: sunset"
    assert (query.filters, relaxed.filters) == (("dates", "places", "people"), ("places", "people"))


@pytest.mark.parametrize(
    ("line", "language"),
    [("собака на пляже", "ru"), ("犬", "zh"), ("いぬ", "ja"), ("ein Hund im Schnee", "de"), ("the dog", None),
     ("Sonnenuntergang", None), ("Tokio", None), ("im letzten Sommer", None)],
)  # fmt: skip
def test_words_that_an_english_model_does_not_know_are_told(line: str, language: str | None) -> None:
    assert foreign(parse(line, today=TODAY), ("en",)) == language
    assert foreign(parse(line, today=TODAY), ("en", "de", "ru", "zh", "ja")) is None
    assert foreign(parse(line, today=TODAY), ()) is None
