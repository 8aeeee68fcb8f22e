"""Whatever is typed: the grammar answers, in bounded time, and what it says holds together."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizu_core.search import Vocabulary, languages, parse
from kizu_core.search.tokens import fold

KNOWN = Vocabulary(
    places=(("nice", "Nice"), ("new york", "New York")), people=(("a", "Anna"), ("j", "June")), labels=("dog",)
)
WORDS = sorted(
    {word for language in languages().values() for word in language.words}
    | {"2019", "3", "31", "'19", "90s", "99999999", ",", "-", "/", ".", '"', "'", "2020/21", "03/04/2021", "24.12."}
    | {"-x", "before:", "after:2019", "in:nice", "with:anna"}
    | {"dog", "Anna's", "nice", "\x01", "\u202e"}
)
LINES = st.one_of(
    st.text(max_size=600),
    st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
    st.text("0123456789./-' ,", max_size=60),
)
ORDERS = st.sampled_from(["en", "de", "en-US", "de_AT.UTF-8", "C", "", "xx", "\0"])


@settings(max_examples=300, deadline=None)
@given(line=LINES, today=st.dates(), order=ORDERS, southern=st.booleans())
def test_any_line_is_understood_somehow(line: str, today: date, order: str, southern: bool) -> None:
    query = parse(line, KNOWN, today, order, southern=southern)
    assert query == parse(line, KNOWN, today, order, southern=southern)
    for span in query.dates:
        assert span.start is None or span.end is None or span.start <= span.end
        assert (span.start or span.end) is not None
    end = 0
    for one in query.understood:
        assert end <= one.start < one.end <= len(line)
        end = one.end


@settings(max_examples=200, deadline=None)
@given(line=st.text(st.characters(exclude_categories=["N"]), max_size=200))
def test_without_a_word_of_dates_there_is_none(line: str) -> None:
    key = fold(line)
    tables = ("months", "weekdays", "seasons", "feasts", "days", "units", "decades")
    dated = {word for one in languages().values() for name in tables for word in getattr(one, name).words}
    if not any(word in key for word in dated):
        assert parse(line).dates == ()


@pytest.mark.parametrize("words", [10, 20, 40])
@pytest.mark.parametrize(
    "part", ["last ", "june and ", "early ", "first week of ", "day after ", "- ", '"', "1/", "from "]
)
def test_the_work_grows_with_the_line_only(part: str, words: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from kizu_core.search.language import Table

    looks = 0
    real = Table.at

    def counted(self: Table[object], tokens: object, place: int) -> object:
        nonlocal looks
        looks += 1
        return real(self, tokens, place)  # type: ignore[arg-type]

    monkeypatch.setattr(Table, "at", counted)
    parse(part * words)
    assert looks < 3000 * words


def test_what_is_beyond_the_longest_line_is_not_looked_at() -> None:
    assert parse("x" * 508 + " 2019").dates == ()
