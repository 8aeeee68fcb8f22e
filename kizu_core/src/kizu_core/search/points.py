"""Times as people say them: "last summer", "3 weeks ago", "June" of a year that somebody else says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from kizu_core.search.cursor import DASHES, Needs, Of, Point
from kizu_core.search.numeric import Numeric, when
from kizu_core.search.spans import (
    Span,
    back,
    day_span,
    days_between,
    feast_span,
    month_span,
    nth,
    said,
    season_span,
    third,
    unit_span,
    week_of_year,
)
from kizu_core.search.tokens import Token

_QUARTER = re.compile(r"q([1-4])")


DEEPEST = 3
"""Points inside points: "the day after the first week of early June"; keeps the time linear."""


class Points(Numeric):
    """Reads points from a row of tokens."""

    _depth = 0

    def point(self) -> Point | None:
        """The point that begins here, if one does."""
        if self._depth > DEEPEST:
            return None
        self._depth += 1
        try:
            return self._first_that_fits()
        finally:
            self._depth -= 1

    def _first_that_fits(self) -> Point | None:
        start = self.at
        for production in self._productions():
            self.at = start
            try:
                found = production()
            except OverflowError:  # so long ago that the calendar has no day for it
                found = None
            if found is not None:
                return found
        self.at = start
        return None

    def _productions(self) -> Iterator[Callable[[], Point | None]]:
        if self.at >= len(self.tokens):
            return
        yield from (self._numeric, self._dated, self._day, self._part, self._nth, self._beside)
        yield from (self._ago, self._rolling, self._which, self._yearly, self._decade, self._whole_year, self._weekday)

    def _dated(self) -> Point | None:
        """3 May 2019, May 3rd, "the third of May", 3-5 May, also behind a weekday."""
        if self.take(self.language.weekdays) is not None:
            self.take_sign(",.")
            self.take(self.language.determiners)
        start = self.at
        found = self._day_month()
        if found is None:
            self.at = start
            found = self._month_day()
        if found is None:
            return None
        month, day, last = found
        of = self._day_in(month, day, last)
        return of and self._of_year(Point(of=of))

    def _day(self) -> Point | None:
        offset = self.take(self.language.days)
        return None if offset is None else when(unit_span(self.setting.today, "day", offset))

    def _weekday(self) -> Point | None:
        token = self.tokens[self.at]
        weekday = self.take(self.language.weekdays)
        if weekday is None:
            return None
        latest = self._weekdays(weekday, 0, over=False)
        needs = Needs.LEAD if self.language.doubtful.get(token.key) else Needs.EDGES
        return Point(spans=(latest,), needs=needs, kind="weekday")

    def _weekdays(self, weekday: int, offset: int, *, over: bool) -> Span:
        """The latest such day, today included unless it has to be `over`; `offset`: so many weeks from it."""
        today = self.setting.today
        ago = (today.weekday() - weekday) % 7 or (7 if over else 0)
        return unit_span(today, "day", 7 * offset - ago)

    def _part(self) -> Point | None:
        """ "early June", "mid-2019", "the end of last summer"."""
        part = self.take(self.language.parts)
        if part is None:
            return None
        self.take_sign(DASHES)
        self.take(self.language.determiners)
        inner = self.point()
        if inner is None or inner.kind == "weekday":
            return None
        return self._mapped(inner, lambda span: third(span, part))

    def _nth(self) -> Point | None:
        """ "first week of June", "last Saturday in May 2019", "2nd half of 2020"."""
        number = self._ordinal_day() if (self.tokens[self.at].number) else self.take(self.language.ordinals)
        if number is None:
            return None
        unit = self.take(self.language.units) or self.take(self.language.weekdays)
        if unit is None or not (self.take(self.language.links) or unit in {"quarter", "half"}):
            return None
        self.take(self.language.determiners)
        inner = self.point()
        return inner and self._mapped(inner, lambda span: nth(span, unit, number))

    def _beside(self) -> Point | None:
        """ "the day after Christmas", "the weekend before Easter 2019", "the week of June 5"."""
        unit = self.take(self.language.units)
        side = unit and (self.take(self.language.bounds) or ("of" if self.take(self.language.links) else None))
        if not unit or side not in {"before", "after", "of"}:
            return None
        self.take(self.language.determiners)
        inner = self.point()
        return inner and self._mapped(inner, lambda span: _neighbour(span, unit, str(side)))

    def _mapped(self, point: Point, change: Callable[[Span], Span | None]) -> Point | None:
        """The point changed, in each year if it has none yet; None if nothing is left. It is doubtful no more."""
        if point.spans:
            spans = tuple(changed for span in point.spans if (changed := change(span)))
            return Point(spans=spans) if spans else None
        of = point.of

        def changed_of(year: int) -> Span | None:
            span = of(year) if of else None
            return change(span) if span else None

        mapped = Point(of=changed_of)
        return mapped if mapped.latest(self.setting.today) else None

    def _ago(self) -> Point | None:
        """ "3 weeks ago", "two summers ago": the calendar's week, month, ... of that distance."""
        first = self.take(self.language.ago_first)
        self.take(self.language.around)
        count = self._count()
        if count is None:
            return None
        unit = self.take(self.language.units)
        seasonal = None if unit else self._one_of_several()
        if not first and not self.take(self.language.ago):
            return None
        if unit:
            span = unit_span(self.setting.today, unit, -count)
            years = (span.start.year,) if unit == "year" and span.start else ()
            return Point(spans=(span,), years=years)
        return seasonal and when(seasonal.latest(self.setting.today, over=True, skip=count - 1) if count < 99 else None)

    def _one_of_several(self) -> Point | None:
        """A month, season or feast, also in the plural: "summers"."""
        token = self.peek()
        if token is None:
            return None
        for key in (token.key, token.key.removesuffix("s"), token.key.removesuffix("es")):
            of = self._of(key)
            if of is not None:
                self.at += 1
                return Point(of=of)
        return None

    def _of(self, key: str) -> Of | None:
        month, season = self.language.months.get(key), self.language.seasons.get(key)
        if month:
            return lambda year: month_span(year, month)
        if season:
            return lambda year: season_span(season, year, southern=self.setting.southern)
        feast = self.language.feasts.get(key)
        return (lambda year: feast_span(feast, year)) if feast else None

    def _rolling(self) -> Point | None:
        """ "the past 3 months", "last 7 days": from that day on, today included."""
        alone = self.language.rolling_alone.at(self.tokens, self.at)
        if not self.take(self.language.rolling):
            return None
        count = self._count()
        unit = self.take(self.language.units)
        if unit is None or (count is None and not alone):
            return None
        today = self.setting.today
        start = back(today, unit, count or 1)
        return when(replace(days_between(start, today), end=day_span(today).end, label=f"since {said(start)}"))

    def _which(self) -> Point | None:
        """ "last week", "this summer", "the year before last", "last Monday"."""
        offset = self.take(self.language.which)
        start = self.at
        unit = self.take(self.language.units)
        if offset is None and unit and self.take(self.language.before_last):
            offset = -2
        if offset is None:
            return self._before_last()
        if unit:
            return None if unit == "day" and offset else self._unit(unit, offset)
        self.at = start
        weekday = self.take(self.language.weekdays)
        if weekday is not None:
            return when(self._weekdays(weekday, offset + 1 if offset < 0 else offset, over=offset < 0))
        found = self._yearly_word()
        if found is None:
            return None
        self.take(self.language.companions)
        return self._relative(found, offset)

    def _before_last(self) -> Point | None:
        """ "the summer before last"."""
        found = self._yearly_word()
        return self._relative(found, -2) if found and self.take(self.language.before_last) else None

    def _unit(self, unit: str, offset: int) -> Point | None:
        today = self.setting.today
        span = unit_span(today, unit, offset)
        if unit == "weekend" and offset <= 0:  # "this weekend" on a Tuesday: photos are of the one that was
            begun = 0 if today.weekday() >= 5 else -1
            span = unit_span(today, unit, begun if offset == 0 else offset)
        years = (span.start.year,) if unit == "year" and span.start else ()
        return Point(spans=(span,), years=years)

    def _relative(self, point: Point, offset: int) -> Point | None:
        today = self.setting.today
        if offset > 0:
            spans = (point.of(year) if point.of else None for year in range(today.year, today.year + 9))
            return when(next((span for span in spans if span and span.start and span.start > today), None))
        return when(point.latest(today, over=offset < 0, skip=max(0, -offset - 1)))

    def _yearly(self) -> Point | None:
        found = self._yearly_word()
        if found is None:
            return None
        start = self.at
        self.take(self.language.companions)
        with_year = self._of_year(found)
        if not with_year.spans:
            self.at = start
            self.take(self.language.companions)
        return with_year

    def _yearly_word(self) -> Point | None:
        """A month, season, feast, quarter or week of the calendar."""
        token = self.peek()
        previous = self.peek(-1)
        if token is None:
            return None
        doubtful = bool(self.language.doubtful.get(token.key))
        if doubtful and previous is not None and previous.owner:  # "women's march"
            return None
        named = token.key in self.setting.names or (previous is not None and self._leads_to_people(previous))
        feast = self.take(self.language.feasts)
        if feast:
            return Point(of=lambda year: feast_span(feast, year), needs=Needs.NO_NOUN)
        of = self._of(token.key)
        if of is None:
            return self._numbered()
        self.at += 1
        self.take_sign(".") if doubtful else None
        month = bool(self.language.months.get(token.key))
        free = Needs.NOTHING if month else Needs.EDGES
        return Point(
            of=of,
            needs=Needs.LEAD if doubtful or named else free,
            kind="month" if month else "",
            name=bool(self.language.given_names.get(token.key)),
        )

    def _leads_to_people(self, token: Token) -> bool:
        return bool(self.language.people_leads.get(token.key) and not self.language.joins.get(token.key))

    def _numbered(self) -> Point | None:
        """Q3, week 23."""
        token = self.tokens[self.at]
        quarter = _QUARTER.fullmatch(token.key)
        if quarter:
            self.at += 1
            month = int(quarter[1]) * 3 - 2
            return Point(of=lambda year: month_span(year, month, 3), needs=Needs.LEAD)
        if self.take(self.language.week_nouns):
            number = self.peek()
            if number is not None and number.bare is not None and 1 <= number.bare <= 53:
                self.at += 1
                week = number.bare
                return Point(of=lambda year: week_of_year(year, week), needs=Needs.LEAD)
        return None

    def _of_year(self, point: Point) -> Point:
        """The point in the year that is said behind it, if one is."""
        start = self.at
        self.take(self.language.links) or self.take_sign(",")
        years = self._years()
        spans = tuple(span for year in years if point.of and (span := point.of(year)))
        if not spans:
            self.at = start
            return point
        return replace(point, spans=spans, said=years, needs=Needs.NOTHING, name=False)

    def _years(self) -> tuple[int, ...]:
        """The year said here: 2019, '19, 2019/20 (a winter), "last year", "3 years ago"."""
        start = self.at
        number = self._year_number()
        if number is not None:
            self._double_year(number)
            return (number,)
        for production in (self._which, self._ago):
            self.at = start
            found = production()
            if found and found.years:
                return found.years
        self.at = start
        return ()


def _neighbour(span: Span, unit: str, side: str) -> Span | None:
    """The unit before, after or of something."""
    if span.start is None or span.end is None:
        return None
    last = unit_span(span.end, "day", -1).start or span.end
    if side == "of":
        around = unit_span(span.start, unit, 0)
        return around if span in around else span  # "a weekend in June" is any of them
    if unit == "day":
        return unit_span(span.start, unit, -1) if side == "before" else unit_span(last, unit, 1)
    if unit == "week":
        return (
            days_between(back(span.start, "week", 1), span.start)
            if side == "before"
            else days_between(span.end, back(span.end, "week", -1))
        )
    if unit == "weekend":
        offsets = (0, -1) if side == "before" else (0, 1)
        for offset in offsets:
            found = unit_span(span.start if side == "before" else last, unit, offset)
            if found.start and found.end and (found.end <= span.start if side == "before" else found.start >= span.end):
                return found
        return None
    return unit_span(span.start, unit, -1) if side == "before" else unit_span(last, unit, 1)
