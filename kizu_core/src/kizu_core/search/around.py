"""What stands around a date, and what it makes of the words: a name, a thing, a number or a date after all."""

from __future__ import annotations

from collections.abc import Sequence

from kizu_core.search.cursor import Setting
from kizu_core.search.points import Points
from kizu_core.search.tokens import Token

_LONG = 5
"""Letters from which on an event is known at the end of a compound: "Skiurlaub"."""


class Around(Points):
    """`known`: which tokens are names of the user's people or places."""

    def __init__(self, text: str, tokens: Sequence[Token], setting: Setting, known: Sequence[bool]) -> None:
        super().__init__(text, tokens, setting)
        self._known = known

    def _somebody(self, start: int, begin: int, *, led: bool) -> bool:
        """Whether the words around make a name of "April" or "June" rather than a month."""
        owner = self.language.owner_leads
        if led:
            return bool(owner.at(self.tokens, start))
        before, after = self.tokens[start - 1] if start else None, self.peek()
        if (before and (owner.get(before.key) or self.language.titles.get(before.key))) or self._noun_follows():
            return True
        if self._byname_follows():
            return True
        if self.tokens[self.at - 1].key not in self.language.months.words:  # "summer with grandma" is a summer
            return False
        company = after and (self.language.joins.get(after.key) or self.language.people_leads.get(after.key))
        return bool(company) and not (self.at + 1 < len(self.tokens) and self._known[self.at + 1])

    def _byname_follows(self) -> bool:
        """ "der Starke" behind "August", "of Teck" behind "May"."""
        found = self.language.bynames.at(self.tokens, self.at)
        return found is not None and self._is_noun(found[1])

    def _is_name(self) -> bool:
        """Whether the word just read is in a name of the user's: the "Easter" of "Easter Island"."""
        return self._known[self.at - 1]

    def _noun_follows(self) -> bool:
        """Whether a word comes next that could make one name with this: "Christmas tree"."""
        return self._is_noun(self.at)

    def _is_noun(self, place: int) -> bool:
        if not 0 <= place < len(self.tokens) or self._known[place]:
            return False
        token, language = self.tokens[place], self.language
        if place < self.at and language.numbers.get(token.key):  # "a Sunday" is any
            return True
        tables = (
            language.small, language.fillers, language.bounds, language.which, language.videos, language.between,
            language.range_from, language.range_to, language.leads, language.day_leads, language.shells, language.parts,
        )  # fmt: skip
        return token.is_word and token.number is None and not any(table.at(self.tokens, place) for table in tables)

    def _stands_as_year(self, start: int) -> bool:
        """Whether a number from `start` is a year by its place: at an edge of the line, set off by a sign, or beside a
        name of the user's or an event. Amid other words it is a number: "bus 2012 at the stop".
        """
        linked = start and self.language.links.get(self.tokens[start - 1].key)
        if linked or self._is_part(start - 1) or self._is_part(self.at):
            return True
        begins = not any(map(self._is_noun, range(self._asked(), start)))
        ends = not any(map(self._is_noun, range(self.at, len(self.tokens))))
        return begins or ends or self._set_off(start)

    def _asked(self) -> int:
        """The place behind "show me", 0 if the line does not begin so."""
        place = 0
        while found := self.language.requests.at(self.tokens, place):
            place = found[1]
        return place

    def _counts(self, start: int) -> bool:
        """Whether a number from `start` is one of things: "2000 guests", but not in "wedding 2019 guests"."""
        return self.language.counted.at(self.tokens, self.at) is not None and not self._is_part(start - 1)

    def _is_part(self, place: int) -> bool:
        """Whether the word there is understood as something that has a year."""
        if not 0 <= place < len(self.tokens):
            return False
        key, events = self.tokens[place].key, self.language.events
        return bool(
            self._known[place]
            or events.get(key)
            or any(key.endswith(event) for event in events.words if len(event) >= _LONG)
        )

    def _set_off(self, start: int) -> bool:
        """ "(2019)", "Rome, 2019" and "2019, Rome"."""
        before, after = self.tokens[start - 1] if start else None, self.peek()
        return bool((before and before.text in "(,") or (after and after.text in "),"))
