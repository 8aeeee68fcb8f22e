"""Dates that are numbers: 2021-06-15, 3 May, May 3rd 2019, 2019, the 90s."""

from __future__ import annotations

import re

from kizu_core.search.cursor import DASHES, Cursor, Needs, Of, Point
from kizu_core.search.spans import Span, a_day, days_between, month_span, year_span

_BIG = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})(?:\2([0-9]{1,2}))?(?!\w|\2[0-9])")
_LITTLE = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?!\w|\2[0-9])")
_MONTH = re.compile(r"([0-9]{1,2})[./-]([0-9]{4})(?!\w|[./-][0-9])")
_DAY = re.compile(r"([0-9]{1,2})\.\s?([0-9]{1,2})\.(?!\s?[0-9])")
_NUMBER_BEFORE = re.compile(r"[0-9][./,:]\Z|(?<![0-9])[0-9]{1,3}-\Z|[$€£¥#]\s?\Z")
_NUMBER_BEHIND = re.compile(r"[./,:][0-9]|-[0-9]{1,3}(?![0-9])|[%€$]")
_UNIT_SIGN = re.compile(r"\s?[%‰€$£¥°×″]")
_BEFORE_NUMBERS = "./-$€£#:"


class Numeric(Cursor):
    """A method that fails leaves `at` anywhere."""

    def _numeric(self) -> Point | None:
        """2021-06-15, 15.6.2021, 6/2021, 24.12."""
        first = self.tokens[self.at]
        if first.bare is None or (first.start and self.text[first.start - 1] in _BEFORE_NUMBERS):
            return None
        for pattern, read in ((_BIG, self._big), (_LITTLE, self._little), (_MONTH, self._month), (_DAY, self._day_of)):
            match = pattern.match(self.text, first.start)
            found = read(match) if match else None
            if match and found:
                self._jump(match.end())
                return found
        return None

    def _big(self, match: re.Match[str]) -> Point | None:
        year, month = int(match[1]), int(match[3])
        if match[4]:
            return when(a_day(year, month, int(match[4])))
        return when(month_span(year, month) if self._plausible(year) and 1 <= month <= 12 else None)

    def _little(self, match: re.Match[str]) -> Point | None:
        first, second, year = int(match[1]), int(match[3]), self._century(match[4])
        order = "day first" if match[2] == "." else self.setting.order
        by_day, by_month = a_day(year, second, first), a_day(year, first, second)
        if order == "either" and by_day and by_month and by_day != by_month:
            return Point(spans=(by_day, by_month))
        return when(by_month or by_day if order == "month first" else by_day or by_month)

    def _month(self, match: re.Match[str]) -> Point | None:
        month, year = int(match[1]), int(match[2])
        return when(month_span(year, month) if self._plausible(year) and 1 <= month <= 12 else None)

    def _day_of(self, match: re.Match[str]) -> Point | None:
        """24.12., as those languages write it that have a dot behind ordinals."""
        day, month = int(match[1]), int(match[2])
        of = None if self.language.month_first else self._day_in(month, day)
        return of and Point(of=of, needs=Needs.EDGES)

    def _day_in(self, month: int, day: int, last: int | None = None) -> Of | None:
        """A day, or several, of each year; None if no year has it."""

        def of(year: int) -> Span | None:
            start, end = a_day(year, month, day), a_day(year, month, last or day)
            return start and end and days_between(start.start, end.end) if (last or day) >= day else None  # type: ignore[arg-type]

        return of if of(2000) else None

    def _year_number(self) -> int | None:
        self.take(self.language.year_nouns)
        short = self.take_sign("'’")
        token = self.peek()
        if token is None or token.bare is None:
            return None
        self.at += 1
        if short:
            return self._century(token.text) if len(token.text) == 2 else None
        if len(token.text) != 4 or self._measures():
            return None
        return token.bare if self._plausible(token.bare) else None

    def _measures(self) -> bool:
        """Whether the number that was just taken is one of units: "2000 km", "2000-piece", "2000 €"."""
        hyphen = self.peek()
        place = self.at + 1 if hyphen is not None and hyphen.text == "-" else self.at
        sign = _UNIT_SIGN.match(self.text, self.tokens[self.at - 1].end)
        return bool(sign or self.language.measures.at(self.tokens, place))

    def _double_year(self, year: int) -> bool:
        """Takes the /20 of 2019/20."""
        sign, token = self.peek(), self.peek(1)
        if sign is None or token is None or token.bare is None or sign.text not in "/-–":
            return False
        if token.bare not in {year + 1, (year + 1) % 100} or len(token.text) not in {2, 4}:
            return False
        if len(token.text) == 4 and sign.text != "/":
            return False
        self.at += 2
        return True

    def _whole_year(self) -> Point | None:
        first, before = self.tokens[self.at], self.at
        year = self._year_number()
        if year is None or first.text in "'’" or self._is_label(before):
            return None
        digits = self.tokens[self.at - 1]
        count = 2 if self._double_year(year) else 1
        if _NUMBER_BEFORE.search(self.text[: digits.start]) or _NUMBER_BEHIND.match(
            self.text, self.tokens[self.at - 1].end
        ):
            return None
        years = tuple(range(year, year + count))
        return Point(spans=(year_span(year, count),), years=years, bare=first is digits)

    def _is_label(self, place: int) -> bool:
        """Whether the number there names something ("route 2000", "no. 1984") or is a part of one that is dialled."""
        end = place - 1 if place and self.tokens[place - 1].text == "." else place
        names = (self.language.numbered.at(self.tokens, start) for start in range(max(0, end - 2), end))
        if any(name and name[1] == end for name in names):
            return True
        before = self.tokens[place - 1] if place else None
        if before and before.bare is not None and before.text.startswith("0") and len(before.text) > 2:
            return True
        behind = self.tokens[place + 1] if place + 1 < len(self.tokens) else None
        return bool(behind and behind.bare is not None and len(behind.text) > 2 and not self._plausible(behind.bare))

    def _decade(self) -> Point | None:
        """The 90s, 1990s, nineties, 90er Jahre."""
        self.take_sign("'’")
        token = self.peek()
        first = self.take(self.language.decades) if token else None
        sure = False
        if first is None and token and token.number is not None and token.suffix in self.language.decade_suffixes:
            sure = len(str(token.number)) == 4
            first = token.number if token.number % 10 == 0 and (sure or token.number < 100) else None
            self.at += 1
        if first is None:
            return None
        self.take(self.language.decade_nouns)
        year = first if sure else 1900 + first if first > self.setting.today.year % 100 else 2000 + first
        if not self._plausible(year):
            return None
        needs = Needs.NOTHING if sure else Needs.NO_NOUN
        return Point(spans=(year_span(year, 10),), years=tuple(range(year, year + 10)), needs=needs)

    def _day_month(self) -> tuple[int, int, int | None] | None:
        days = self._days()
        if days is None:
            return None
        self.take(self.language.links)
        month = self.take(self.language.months)
        return None if month is None else (month, *days)

    def _month_day(self) -> tuple[int, int, int | None] | None:
        month = self.take(self.language.months)
        self.take_sign(".")
        self.take(self.language.day_link)
        days = None if month is None else self._days()
        if month is None or days is None or self.language.units.at(self.tokens, self.at):  # "May 3 weeks later"
            return None
        return (month, *days)

    def _days(self) -> tuple[int, int | None] | None:
        """One day of a month, or the first and the last of some."""
        self.take(self.language.between)
        first = self._ordinal_day()
        if first is None:
            return None
        start = self.at
        if self.take_sign(DASHES) or self.take(self.language.range_to) or self.take(self.language.joins):
            last = self._ordinal_day()
            if last is not None and last > first:
                return first, last
        self.at = start
        return first, None

    def _ordinal_day(self) -> int | None:
        token = self.peek()
        if token is None:
            return None
        if token.number is not None:
            if not 1 <= token.number <= 31 or token.suffix not in {"", *self.language.ordinal_suffixes}:
                return None
            self.at += 1
            dot = self.peek()
            if dot is not None and dot.text == "." and dot.start == token.end:
                self.at += 1
            return token.number
        number = self.take(self.language.ordinals)
        return number if number is not None and number > 0 else None


def when(span: Span | None) -> Point | None:
    return Point(spans=(span,)) if span else None
