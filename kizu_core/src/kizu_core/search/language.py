"""What words mean in a language: one TOML file each in `languages/`. A new language is one more file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

from kizu_core.search.tokens import Token

Value = TypeVar("Value", covariant=True)


class Table(Generic[Value]):
    """Entries of one or more words, found in a row of tokens, the longest first."""

    def __init__(self, entries: Mapping[str, Value]) -> None:
        self._entries = {tuple(entry.split()): value for entry, value in entries.items()}
        self._longest = max(map(len, self._entries), default=0)

    def at(self, tokens: Sequence[Token], place: int) -> tuple[Value, int] | None:
        """The value of the longest entry that begins at `place`, and the place behind it."""
        words = tuple(token.key for token in tokens[place : place + self._longest])
        for length in range(len(words), 0, -1):
            value = self._entries.get(words[:length])
            if value is not None:
                return value, place + length
        return None

    @property
    def words(self) -> frozenset[str]:
        """All that occur in entries."""
        return frozenset(word for entry in self._entries for word in entry)

    def get(self, word: str) -> Value | None:
        """The value of an entry of one word."""
        return self._entries.get((word,))


def _table(value: object) -> object:
    """A list is a table of what is in it."""
    if isinstance(value, list):
        return Table(dict.fromkeys(value, True))
    return Table(value) if isinstance(value, dict) else value


def _grouped(value: object) -> object:
    """Meanings with the words for each: a table of these words."""
    if not isinstance(value, dict):
        return value
    return Table({word: meaning for meaning, words in value.items() for word in words})


Words = Annotated[Table[bool], BeforeValidator(_table)]
Numbers = Annotated[Table[int], BeforeValidator(_table)]
Names = Annotated[Table[str], BeforeValidator(_table)]
Groups = Annotated[Table[str], BeforeValidator(_grouped)]
Order = Literal["day first", "month first", "either"]


class Language(BaseModel):
    """The tables of one language. Keys are as `word_key` writes words.

    `month_first`: countries of the language that write the month before the day.

    Dates: `months`, `weekdays` (Monday is 0), `seasons`, `feasts` (names in `feasts.toml`), `decades` (their first
    year within a century), `days` (from today), `units`, `numbers`, `ordinals` (-1: the last). `which`: last -1, this
    0, next 1, and so on. `bounds`: before, after, since, until, older (older than). `rolling`: "past" of "the past 3
    weeks", `rolling_alone` of "the past week". `parts`: a third of something, early 0 to late 2. `ago` stands behind,
    `ago_first` before, "3 years". `leads` make a date of what could be something else, `day_leads` of weekdays;
    `doubtful` is what needs one. `companions` go with feasts and seasons ("holidays").
    `given_names` may be somebody's; behind `owner_leads` or `titles` and before `bynames` ("the" of "August the
    Strong") they are. A number that could be a year is none before `measures` ("pieces") and what is `counted`
    ("guests"), nor behind what is `numbered` ("route"); beside `events` ("trip") it is one. `otherwise` is what a feast
    gives its name to though it is of other days ("market").

    The rest: `fillers` and `requests` are what nobody looks for, `shells` neither unless a noun follows ("picture
    frame"); `small` the little words of the language; `people_leads`, `place_leads` stand before names; `everyday` are
    words that are names as well; `videos` films; `objects` other words for what detectors call things.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    code: str
    month_first: tuple[str, ...]
    ordinal_suffixes: tuple[str, ...]
    decade_suffixes: tuple[str, ...]
    decade_nouns: Words
    determiners: Words
    links: Words
    joins: Words
    either: Words
    range_from: Words
    range_to: Words
    between: Words
    onwards: Words
    around: Words
    ago: Words
    ago_first: Words
    before_last: Words
    year_nouns: Words
    week_nouns: Words
    day_link: Words
    leads: Words
    day_leads: Words
    doubtful: Words
    given_names: Words
    owner_leads: Words
    titles: Words
    bynames: Words
    measures: Words
    counted: Words
    numbered: Words
    events: Words
    otherwise: Words
    companions: Words
    rolling: Words
    rolling_alone: Words
    fillers: Words
    shells: Words
    requests: Words
    small: Words
    people_leads: Words
    place_leads: Words
    videos: Words
    everyday: Words
    bounds: Names
    which: Numbers
    days: Numbers
    units: Groups
    numbers: Numbers
    ordinals: Numbers
    parts: Numbers
    months: Numbers
    weekdays: Numbers
    seasons: Names
    decades: Numbers
    feasts: Names
    objects: Groups

    @cached_property
    def words(self) -> frozenset[str]:
        """All words of all tables."""
        tables = (getattr(self, name) for name in type(self).model_fields)
        return frozenset().union(*(table.words for table in tables if isinstance(table, Table)))

    def order(self, region: str) -> Order:
        """Of 03/04/2021 where `region` writes it: a country's code. "either" if none is said and countries differ."""
        if region in self.month_first:
            return "month first"
        return "day first" if region or not self.month_first else "either"


@cache
def languages() -> Mapping[str, Language]:
    """All there are, by code; English first."""
    folder = files("kizu_core.search") / "languages"
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    read: list[dict[str, Any]] = [tomllib.loads((folder / name).read_text(encoding="utf-8")) for name in found]
    return {language.code: language for language in map(Language.model_validate, read)}
