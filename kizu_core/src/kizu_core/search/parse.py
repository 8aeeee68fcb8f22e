"""From one line to a query: operators first, then dates, names, and what is left over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from kizu_core.search.cursor import Setting
from kizu_core.search.language import Language, languages
from kizu_core.search.names import Match, Names, find_labels, find_names
from kizu_core.search.operators import GAP, TYPES, Operator, blanked, operators
from kizu_core.search.query import NOBODY, Query, Understood, Vocabulary, ordered
from kizu_core.search.resolve import Dates, both, read_bound, read_dates
from kizu_core.search.spans import Span
from kizu_core.search.tokens import Token, fold, tokenize

MOST_CHARACTERS = 512
"""As many as `kizu_search` takes; what a line has beyond them is not looked at."""


_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")


def parse(
    text: str,
    vocabulary: Vocabulary | None = None,
    today: date | None = None,
    order: str = "en",
    *,
    southern: bool = False,
) -> Query:
    """What the line asks for. Never raises, and the same for the same arguments.

    `today`: by the user's clock. `order`: the language of the tables that win where several fit, with a country where
    it matters how that writes days: "en", "de", "en-US". A date that can be read in two ways, 03/04/2021 in a language
    whose countries differ, means both days. `southern`: summer is in December. Photos have no future, so what comes
    every year is the latest that has begun, unless a year is said.
    """
    line = _CONTROLS.sub(" ", text[:MOST_CHARACTERS])
    return _Parser(line, vocabulary or Vocabulary(), today or date.today(), order, southern=southern).query()  # noqa: DTZ011


@dataclass(slots=True)
class _Draft:
    """What was found so far."""

    understood: list[Understood] = field(default_factory=list)
    bounds: list[Span] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=lambda: {"phrases": (), "excluded": (), "places": (), "people": ()})

    def add(self, name: str, *values: Any) -> None:
        self.fields[name] = (*self.fields[name], *values)


class _Parser:
    def __init__(self, line: str, vocabulary: Vocabulary, today: date, order: str, *, southern: bool) -> None:
        self._line = line
        self._vocabulary = vocabulary
        self._names = Names(vocabulary)
        self._languages = _preferred(order)
        region = order.replace("_", "-").partition("-")[2].partition(".")[0].lower()
        limit = timedelta(366 * 20)  # keeps the arithmetic inside the calendar
        today = min(max(today, date.min + limit), date.max - limit)
        self._settings = [
            Setting(one, today, one.order(region), southern, self._names.people_words()) for one in self._languages
        ]
        self._draft = _Draft()

    def query(self) -> Query:
        free = self._without_operators()
        tokens = tokenize(free)
        taken = [token.text == GAP for token in tokens]
        setting = self._setting(tokens)
        dates = self._dates(setting, free, tokens)
        _take(taken, tokens, dates)
        self._take_names(tokens, taken)
        self._take_type(tokens, taken)
        words = _left(free, tokens, taken, self._languages)
        labels = self._labels(tokens, taken)
        spans = dates.spans
        bound = both(self._draft.bounds)
        if bound:
            spans = tuple(met for span in spans if (met := span.meet(bound))) if spans else (bound,)
        understood = self._draft.understood + [Understood("date", one.start, one.end, one.label) for one in dates.meant]
        return Query(
            raw=self._line, text=words, dates=spans, labels=labels, language=setting.language.code,
            understood=ordered(understood), **self._draft.fields,
        )  # fmt: skip

    def _without_operators(self) -> str:
        """The line without those that make sense; the others stay words."""
        found = [one for one in operators(self._line) if self._apply(one)]
        return blanked(self._line, found)

    def _apply(self, one: Operator) -> bool:
        meaning = getattr(self, f"_apply_{one.key}")(one)
        if meaning:
            kind = {"before": "date", "after": "date", "in": "place", "with": "person"}.get(one.key, one.key)
            self._draft.understood.append(Understood(kind, one.start, one.end, meaning))  # type: ignore[arg-type]
        return bool(meaning)

    def _apply_phrase(self, one: Operator) -> str:
        self._draft.add("phrases", one.value)
        return f"“{one.value}”"

    def _apply_not(self, one: Operator) -> str:
        self._draft.add("excluded", one.value)
        return f"without “{one.value}”"

    def _apply_before(self, one: Operator) -> str:
        for setting in self._settings:
            bound = read_bound(one.key, one.value, setting)
            if bound:
                self._draft.bounds.append(bound)
                return bound.label
        return ""

    _apply_after = _apply_before

    def _apply_in(self, one: Operator) -> str:
        place = self._names.get(one.value, "place")
        self._draft.add("places", place.values if place else (fold(one.value),))
        return place.shown if place else f"{one.value} (no place of your photos)"

    def _apply_with(self, one: Operator) -> str:
        person = self._names.get(one.value, "person")
        self._draft.add("people", person.values if person else (NOBODY,))
        return f"with {person.shown}" if person else f"with {one.value} (nobody of that name)"

    def _apply_type(self, one: Operator) -> str:
        media = TYPES.get(one.value.lower())
        if media:
            self._draft.fields["media"] = media
        return f"{media}s only" if media else ""

    def _apply_like(self, one: Operator) -> str:
        self._draft.fields["like"] = one.value
        return f"like {one.value}"

    def _setting(self, tokens: Sequence[Token]) -> Setting:
        """Of the language that knows most of the words; of the wanted one, if it knows as many as another."""
        return max(self._settings, key=lambda one: sum(token.key in one.language.words for token in tokens))

    def _dates(self, setting: Setting, free: str, tokens: Sequence[Token]) -> Dates:
        known = [token.text == GAP for token in tokens]
        for match in find_names(self._names, tokens, known, self._languages):
            known[match.first : match.last] = [True] * (match.last - match.first)
        return read_dates(free, tokens, setting, known)

    def _take_names(self, tokens: Sequence[Token], taken: list[bool]) -> None:
        groups: list[tuple[Match, tuple[str, ...]]] = []
        for match in find_names(self._names, tokens, tuple(taken), self._languages):
            led = match.led_from < match.first and not self._joins(tokens[match.led_from])
            if groups and self._one_group(groups[-1][0], match, tokens):
                groups[-1] = (match, (*groups[-1][1], *match.name.values))
                taken[groups[-1][0].first - 1] = True
            else:
                groups.append((match, match.name.values))
            first = match.led_from if led or (groups[:-1] and match.led_from < match.first) else match.first
            taken[first : match.last] = [True] * (match.last - first)
            meaning = f"with {match.name.shown}" if match.name.kind == "person" else match.name.shown
            start = tokens[first].start
            self._draft.understood.append(Understood(match.name.kind, start, tokens[match.last - 1].end, meaning))
        for match, values in groups:
            self._draft.add("people" if match.name.kind == "person" else "places", tuple(dict.fromkeys(values)))

    def _one_group(self, before: Match, match: Match, tokens: Sequence[Token]) -> bool:
        """ "Anna or Ben": either will do; a photo can't be in two towns, so neither need "Rome and Paris" both be."""
        if before.name.kind != match.name.kind or match.first - before.last != 1:
            return False
        joint = tokens[before.last].key
        if match.name.kind == "person":
            return any(one.either.get(joint) for one in self._languages)
        return self._joins(tokens[before.last])

    def _joins(self, token: Token) -> bool:
        return any(one.joins.get(token.key) for one in self._languages)

    def _take_type(self, tokens: Sequence[Token], taken: list[bool]) -> None:
        """ "videos of the beach" are videos; a "video game" is none."""
        for place, token in enumerate(tokens):
            if taken[place] or not any(one.videos.get(token.key) for one in self._languages):
                continue
            if place + 1 == len(tokens) or taken[place + 1] or _small(tokens[place + 1], self._languages):
                taken[place] = True
                self._draft.fields.setdefault("media", "video")
                self._draft.understood.append(Understood("type", token.start, token.end, "videos only"))
                return

    def _labels(self, tokens: Sequence[Token], taken: Sequence[bool]) -> tuple[str, ...]:
        free = [token for token, used in zip(tokens, taken, strict=True) if not used]
        found = find_labels(self._vocabulary.labels, free, self._languages)
        for label, first, last in found:
            if all(
                after.start > before.start
                for before, after in zip(free[first:last], free[first + 1 : last], strict=False)
            ):
                self._draft.understood.append(Understood("object", free[first].start, free[last - 1].end, label))
        return tuple(dict.fromkeys(label for label, _, _ in found))


def _preferred(order: str) -> list[Language]:
    """All languages, the wanted one first."""
    code = order.replace("_", "-").partition("-")[0].lower()
    return sorted(languages().values(), key=lambda one: (one.code != code, one.code != "en"))


def _take(taken: list[bool], tokens: Sequence[Token], dates: Dates) -> None:
    for place, token in enumerate(tokens):
        taken[place] = taken[place] or any(one.start <= token.start < one.end for one in dates.meant)


def _small(token: Token, known: Sequence[Language]) -> bool:
    return not token.is_word or any(one.small.get(token.key) for one in known)


def _left(free: str, tokens: Sequence[Token], taken: list[bool], known: Sequence[Language]) -> str:
    """The words that nothing else was made of, without the shell of a request ("show me photos of"), in their order.

    Where that leaves nothing of a line of which nothing was understood, all of it is looked for.
    """
    gone = list(taken)
    place = 0
    while (end := _shell(tokens, place, known, gone)) is not None:
        gone[place:end] = [True] * (end - place)
        place = end
    for place in range(len(tokens)):
        end = None if gone[place] else _filler(tokens, place, known, gone)
        if end:
            gone[place:end] = [True] * (end - place)
    runs = [_trimmed(run, tokens, gone, known) for run in _runs(gone)]
    words = " ".join(free[tokens[run[0]].start : tokens[run[-1]].end] for run in runs if run)
    if words or any(taken):
        return words
    return " ".join(free.split())


def _shell(tokens: Sequence[Token], place: int, known: Sequence[Language], gone: Sequence[bool]) -> int | None:
    """The end of a request that begins here: "show me all"."""
    if place >= len(tokens) or gone[place]:
        return None
    ends = [found[1] for one in known if (found := one.requests.at(tokens, place) or one.fillers.at(tokens, place))]
    return max(ends, default=None)


def _filler(tokens: Sequence[Token], place: int, known: Sequence[Language], gone: Sequence[bool]) -> int | None:
    """The end of "photos", or of "photo" where it names nothing else."""
    for one in known:
        found = one.fillers.at(tokens, place)
        if found:
            return found[1]
        if one.shells.get(tokens[place].key):
            following = place + 1
            if following == len(tokens) or gone[following] or _small(tokens[following], known):
                return following
    return None


def _runs(gone: Sequence[bool]) -> list[list[int]]:
    """Places of what is left, in stretches."""
    runs: list[list[int]] = [[]]
    for place, used in enumerate(gone):
        if not used:
            runs[-1].append(place)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _trimmed(run: list[int], tokens: Sequence[Token], gone: Sequence[bool], known: Sequence[Language]) -> list[int]:
    """Without the little words that held on to what is gone: "of the", "from"."""
    if run[0] > 0:
        while run and _small(tokens[run[0]], known):
            run = run[1:]
    if run and run[-1] + 1 < len(gone):
        while run and _small(tokens[run[-1]], known):
            run = run[:-1]
    return run
