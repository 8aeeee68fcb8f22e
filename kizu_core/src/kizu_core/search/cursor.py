"""What is read, and how: a point of time, what a date depends on, and a place in a row of tokens that moves on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from typing import Literal, TypeVar

from kizu_core.search.language import Language, Order, Table
from kizu_core.search.spans import FIRST_YEAR, Span
from kizu_core.search.tokens import Token

Value = TypeVar("Value")
Of = Callable[[int], Span | None]
"""Year -> what it was in that year; None if there was none (29 February, week 53)."""

DASHES = "-–—"


class Needs(Enum):
    """What a word needs beside it to be taken for a date."""

    NOTHING = auto()
    NO_NOUN = auto()  # "Christmas", but not in "Christmas tree"
    EDGES = auto()  # "spring", but not in "spring flowers" or "hot spring"
    LEAD = auto()  # "may", "march", "sun": only "in may"


@dataclass(frozen=True, slots=True)
class Point:
    """`spans`: when it is, empty while nobody has said the year; `of`: what it is in each year, `said` the years that
    were; `years`: it is nothing but these years, so they may be another's; `name`: the word may be somebody's; `bare`:
    nothing but its four digits says that it is a year.
    """

    spans: tuple[Span, ...] = ()
    of: Of | None = None
    said: tuple[int, ...] = ()
    years: tuple[int, ...] = ()
    needs: Needs = Needs.NOTHING
    kind: Literal["", "month", "weekday"] = ""
    name: bool = False
    bare: bool = False

    def latest(self, today: date, *, over: bool = False, skip: int = 0) -> Span | None:
        """The latest that has begun (`over`: ended), leaving out `skip` of them: photos have no future."""
        for year in range(today.year + 1, today.year - 12 - 4 * skip, -1):
            span = self.of(year) if self.of else None
            if span is None or span.start is None or span.end is None:
                continue
            if (span.end if over else span.start) <= today:
                if not skip:
                    return span
                skip -= 1
        return None


@dataclass(frozen=True, slots=True)
class Setting:
    """What a date depends on beside its words. `names`: keys of words that are names of people the user knows."""

    language: Language
    today: date
    order: Order = "either"
    southern: bool = False
    names: Collection[str] = ()


class Cursor:
    """`at` is the place reached among the tokens. Each method takes what it names, or says that it is not there."""

    def __init__(self, text: str, tokens: Sequence[Token], setting: Setting) -> None:
        self.text = text
        self.tokens = tokens
        self.setting = setting
        self.language = setting.language
        self.at = 0

    def peek(self, ahead: int = 0) -> Token | None:
        place = self.at + ahead
        return self.tokens[place] if 0 <= place < len(self.tokens) else None

    def take(self, table: Table[Value]) -> Value | None:
        found = table.at(self.tokens, self.at)
        if found is None:
            return None
        value, self.at = found
        return value

    def take_sign(self, signs: str) -> bool:
        token = self.peek()
        if token is None or token.text not in signs:
            return False
        self.at += 1
        return True

    def _count(self) -> int | None:
        """A number of units: "3", "three", "a"."""
        token = self.peek()
        if token is not None and token.bare is not None and token.bare < 1000:
            self.at += 1
            return token.bare
        return self.take(self.language.numbers)

    def _jump(self, end: int) -> None:
        """On behind the character `end`."""
        while (token := self.peek()) is not None and token.start < end:
            self.at += 1

    def _plausible(self, year: int) -> bool:
        return FIRST_YEAR <= year <= self.setting.today.year + 1

    def _century(self, digits: str) -> int:
        year = int(digits)
        if len(digits) == 4:
            return year
        return 2000 + year if year <= self.setting.today.year % 100 + 1 else 1900 + year
