"""Names in a line: of the user's own places and people, and of what detectors have found in their photos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kizu_core.search.language import Language
from kizu_core.search.query import Vocabulary
from kizu_core.search.tokens import Token, fold, tokenize

MOST_WORDS = 8
"""Of a name; longer ones are not looked for."""

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """`values`: any of them is meant: folded names of a place, or ids of people who have this name."""

    kind: Literal["place", "person"]
    shown: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A name among the tokens, `first` to `last` (not included), with the word that leads to it."""

    name: Name
    first: int
    last: int
    led_from: int


class Names:
    """The names that a user's words can be, by their words."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._entries: dict[Keys, dict[str, Name]] = {}
        for folded, shown in vocabulary.places:
            self._add(folded, Name("place", shown, (folded,)))
        for identity, name in vocabulary.people:
            whole = _keys(name)
            for part in {whole, whole[:1]}:
                self._add(part, Name("person", name, (identity,)))

    def _add(self, key: str | Keys, name: Name) -> None:
        keys = _keys(key) if isinstance(key, str) else key
        if not 1 <= len(keys) <= MOST_WORDS:
            return
        here = self._entries.setdefault(keys, {})
        known = here.get(name.kind)
        values = dict.fromkeys((*(known.values if known else ()), *name.values))
        shown = known.shown if known and name.kind == "place" else name.shown
        if len(values) > 1 and name.kind == "person":
            shown = keys[0].capitalize()
        here[name.kind] = Name(name.kind, shown, tuple(values))

    def people_words(self) -> frozenset[str]:
        """Single words that are names of people."""
        return frozenset(keys[0] for keys, found in self._entries.items() if len(keys) == 1 and "person" in found)

    def get(self, words: str, kind: str) -> Name | None:
        """The place or person of exactly this name."""
        return self._entries.get(_keys(words), {}).get(kind)

    def candidates(self, tokens: Sequence[Token], place: int) -> Iterator[tuple[Mapping[str, Name], int, bool]]:
        """What begins at `place`, the longest first: names by kind, the place behind, whether in the possessive."""
        window = tokens[place : place + MOST_WORDS]
        for length in range(len(window), 0, -1):
            keys = tuple(token.key for token in window[:length])
            owner = window[length - 1].owner
            found = self._entries.get(keys)
            if found:
                yield found, place + length, False
            if owner and (owned := self._entries.get((*keys[:-1], fold(owner)))):
                yield owned, place + length, True


def find_names(
    names: Names, tokens: Sequence[Token], taken: Sequence[bool], languages: Sequence[Language]
) -> list[Match]:
    """The names among the tokens that are not `taken`, from left to right, the longest first where several begin."""
    finder = _Finder(names, tokens, taken, languages)
    found: list[Match] = []
    place = 0
    while place < len(tokens):
        match = None if taken[place] else finder.at(place, found)
        if match:
            found.append(match)
        place = match.last if match else place + 1
    return found


class _Finder:
    def __init__(self, names: Names, tokens: Sequence[Token], taken: Sequence[bool], languages: Sequence[Language]):
        self._names = names
        self._tokens = tokens
        self._taken = taken
        self._languages = languages

    def at(self, place: int, before: Sequence[Match]) -> Match | None:
        for found, last, possessive in self._names.candidates(self._tokens, place):
            if any(self._taken[place:last]):
                continue
            name = self._chosen(found, place, last, before, possessive=possessive)
            if name is not None:
                led = self._led(place, name.kind, before)
                return Match(name, place, last, place - 1 if led else place)
        return None

    def _chosen(
        self, found: Mapping[str, Name], place: int, last: int, before: Sequence[Match], *, possessive: bool
    ) -> Name | None:
        """Which of them the words are, None if they are rather words of every day."""
        leads = {kind: self._led(place, kind, before) for kind in found}
        kind = "person" if "person" in found and (possessive or leads["person"] or not leads.get("place")) else "place"
        name = found.get(kind)
        if name is None or not self._everyday(place, last):
            return name
        if possessive and kind == "person":
            return name
        capital = self._tokens[place].text[:1].isupper()
        sure = leads[kind] and (capital or not self._noun(last))
        begins = place > 0 or (kind == "person" and not self._noun(last))  # every line may begin with a capital
        return name if sure or (capital and begins) or self._alone(place, last) else None

    def _led(self, place: int, kind: str, before: Sequence[Match]) -> bool:
        """Whether a word stands before that leads to such a name: "with", "in"; "and" only behind another one."""
        if place == 0 or self._taken[place - 1]:
            return False
        key = self._tokens[place - 1].key
        for language in self._languages:
            if language.joins.get(key):
                return bool(before) and before[-1].last == place - 1 and before[-1].name.kind == kind
            if (language.people_leads if kind == "person" else language.place_leads).get(key):
                return True
        return False

    def _everyday(self, place: int, last: int) -> bool:
        key = self._tokens[place].key
        if last - place > 1:
            return False
        return any(one.everyday.get(key) or one.small.get(key) or one.doubtful.get(key) for one in self._languages)

    def _alone(self, place: int, last: int) -> bool:
        rest = [one for one in range(len(self._tokens)) if not (place <= one < last or self._taken[one])]
        return not any(self._noun(one) for one in rest)

    def _noun(self, place: int) -> bool:
        if not 0 <= place < len(self._tokens) or self._taken[place]:
            return False
        token = self._tokens[place]
        shells = any(
            one.small.get(token.key) or one.fillers.get(token.key) or one.shells.get(token.key)
            for one in self._languages
        )
        return token.is_word and not shells


def find_labels(
    labels: Sequence[str], tokens: Sequence[Token], languages: Sequence[Language]
) -> list[tuple[str, int, int]]:
    """Classes of objects that the tokens name, in singular or plural: (label, first token, the one behind)."""
    known = {_keys(label): label for label in labels}
    others = {label.lower(): label for label in labels}
    found, place = [], 0
    while place < len(tokens):
        hit = next(_labels_at(known, others, tokens, place, languages), None)
        if hit:
            found.append((hit[0], place, hit[1]))
        place = hit[1] if hit else place + 1
    return found


def _labels_at(
    known: Mapping[Keys, str],
    others: Mapping[str, str],
    tokens: Sequence[Token],
    place: int,
    languages: Sequence[Language],
) -> Iterator[tuple[str, int]]:
    for length in range(min(3, len(tokens) - place), 0, -1):
        *head, last = (token.key for token in tokens[place : place + length])
        for one in _singulars(last):
            if (*head, one) in known:
                yield known[(*head, one)], place + length
    for language in languages:
        other = language.objects.at(tokens, place)
        if other and other[0] in others:
            yield others[other[0]], other[1]


def _singulars(word: str) -> Iterator[str]:
    """The word, and what it may be the plural of."""
    yield word
    for plural, singular in (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", "")):
        if word.endswith(plural) and len(word) > len(plural) + 1:
            yield word.removesuffix(plural) + singular


def _keys(name: str) -> Keys:
    return tuple(token.key for token in tokenize(name))
