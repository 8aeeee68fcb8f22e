"""Four digits and nothing else: a year or a number. And names of feasts and months in what is none."""

from __future__ import annotations

from datetime import date

import pytest

from kizu_core.search import Vocabulary, parse

TODAY = date(2026, 11, 23)
FAMILY = Vocabulary(places=(("lisbon", "Lisbon"), ("easter island", "Easter Island")), people=(("a1", "Anna Schmidt"),))


def days(line: str, order: str = "en") -> list[list[str | None]]:
    found: list[list[str | None]] = parse(line, FAMILY, TODAY, order).as_json()["dates"]
    return found


@pytest.mark.parametrize(
    "line",
    ["iceland 2019", "2019 iceland trip", "show me 2019 hikes", "summer holiday italy 2019", "christmas market 2019",
     "birthday 2019", "kittens, 2019", "beach (2019) with the dog", "lisbon 2019 on a yellow tram",
     "anna 2019 blowing bubbles", "wedding 2019 guests on the lawn", "garden 2019 with Anna", "best of 2019 and more",
     "brandenburg gate 2019", "finish line 2019", "boeing 747 2019", "easter island 2019",
     "Urlaub 2019 an der Ostsee", "Skiurlaub 2019 mit Schlitten", "Weihnachtsmarkt 2019", "August der Starke 2019"],
)  # fmt: skip
def test_a_year(line: str) -> None:
    assert days(line) == [["2019-01-01", "2020-01-01"]]


@pytest.mark.parametrize(
    "line",
    ["tram 1955 beside the river", "fiat 1900 on a hill", "windows 2000 screenshot", "flight 1951 to oslo",
     "the cat on locker 1987 with a ball",
     "2000-piece puzzle", "puzzle with 2000 pieces", "1990 calories", "in 2000 m height", "after 2000 steps",
     "for 2000 people", "2000 guests", "around 1950 metres", "more than 2000 euro", "2000 € note", "€ 2000", "$1999",
     "1920 x 1080", "1080 x 1920", "2010 rpm on the dial", "1999 hours",
     "route 2000", "no. 1984", "bus line 2012", "pin 1987", "grandpa, born 1950", "0171 2015 334", "call 2015 334",
     "train at 20:15", "route 66", "apollo 13", "blade runner 2049", "final 3:2", "55 inch screen", "flat 12",
     "easter island", "2000 Teile", "um 2015 Uhr", "1950 Höhenmeter", "Linie 2012 am Bahnhof",
     "Baujahr 1998", "Schrank 1980 am Fenster"],
)  # fmt: skip
def test_a_number(line: str) -> None:
    assert days(line) == []


@pytest.mark.parametrize(
    ("line", "start", "end"),
    [
        ("thanksgiving turkey 2018", "2018-11-22", "2018-11-23"),
        ("2017 halloween pumpkins", "2017-10-31", "2017-11-01"),
        ("halloween masks at the neighbours in 2017", "2017-10-31", "2017-11-01"),
        ("easter eggs 2021 in a basket", "2021-04-02", "2021-04-06"),
        ("skiing 2019 in january", "2019-01-01", "2019-02-01"),
        ("italy 2019 summer holiday in the hills", "2019-06-01", "2019-09-01"),
    ],
)
def test_a_year_is_that_of_the_feast_or_season_in_the_line(line: str, start: str, end: str) -> None:
    assert days(line) == [[start, end]]


def test_what_a_feast_gives_its_name_to_is_still_looked_for() -> None:
    query = parse("halloween pumpkins 2017", today=TODAY)
    assert (query.text, query.summary(by_looks=True)) == (
        "halloween pumpkins",
        "Halloween 2017 · looks like: halloween pumpkins",
    )


@pytest.mark.parametrize(
    "line",
    ["statue of august the strong", "august the strong", "uncle august", "Prince August", "June of Arrol", "August II",
     "Kaiser August", "August von Sachsen", "Bild August dem Starken", "Onkel August"],
)  # fmt: skip
def test_a_month_with_a_byname_or_a_title_is_somebody(line: str) -> None:
    assert days(line) == []


@pytest.mark.parametrize("line", ["in august the kids", "im August die Kinder", "august of last year", "August"])
def test_a_month_is_one_all_the_same(line: str) -> None:
    year = "2025" if "last" in line else "2026"
    assert days(line) == [[f"{year}-08-01", f"{year}-09-01"]]
