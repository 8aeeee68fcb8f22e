"""The dates in a line: points joined to lists and intervals, or bounded on one side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from kizu_core.search.around import Around
from kizu_core.search.cursor import Needs, Point, Setting
from kizu_core.search.spans import Span, back, days_between
from kizu_core.search.tokens import Token


@dataclass(frozen=True, slots=True)
class Said:
    """One date as it stands in the line. `start`, `end`: its characters; `bound`: what it does to all others;
    `doubtful`: a number that is a year only if something else in the line is in want of one.
    """

    start: int
    end: int
    points: tuple[Point, ...]
    bound: Span | None = None
    doubtful: bool = False


class Reader(Around):
    """Finds them from left to right, each token looked at by a fixed number of rules."""

    def __init__(self, text: str, tokens: Sequence[Token], setting: Setting, known: Sequence[bool]) -> None:
        super().__init__(text, tokens, setting, known)
        self._lent: list[tuple[Point, bool]] = []  # feasts that give a thing its name; whether it is of their days

    def read(self) -> list[Said]:
        found = []
        while self.at < len(self.tokens):
            start = self.at
            said = self._said(start)
            if said is not None:
                found.append(said)
            else:
                self.at = start + 1
        return self._settled(found)

    def _settled(self, found: Sequence[Said]) -> list[Said]:
        """Without the numbers that are no years. The year of "Halloween costumes 2016" is that of the feast."""
        lacking = any(not point.spans for one in found for point in one.points)
        kept = [one for one in found if lacking or self._lent or not one.doubtful]
        feasts = [point for point, of_its_time in self._lent if of_its_time]
        if lacking or not feasts:
            return kept
        return [replace(one, points=tuple(_feasts_of(point, feasts) for point in one.points)) for one in kept]

    def bound_of(self, kind: str) -> Span | None:
        """All tokens as one point, which bounds the days before or after it."""
        point = self.point()
        span = self._one(point) if point and self.at == len(self.tokens) else None
        return span and _bound(kind, span)

    def _said(self, start: int) -> Said | None:
        for production in (self._bounded, self._interval, self._list):
            self.at = start
            found = production()
            if found is not None and self.at > start:
                points, bound = found
                doubtful = bound is None and self._doubtful(points, start)
                return Said(self.tokens[start].start, self.tokens[self.at - 1].end, points, bound, doubtful)
        return None

    def _doubtful(self, points: Sequence[Point], start: int) -> bool:
        """Whether it is a bare number that nothing around makes a year."""
        if len(points) != 1 or not points[0].bare:
            return False
        led = self.language.leads.at(self.tokens, start) or self.language.day_leads.at(self.tokens, start)
        return self._counts(start) or not (led or self._stands_as_year(start))

    # Before, after, since, until.

    def _bounded(self) -> tuple[tuple[Point, ...], Span | None] | None:
        kind = self.take(self.language.bounds)
        if kind is None:
            return None
        start = self.at
        span = self._distance() if kind in {"older", "since"} else None
        if span is None and kind != "older":
            self.at = start
            self.take(self.language.determiners)
            point = self.point()
            if point is None or not self._after_bound(point):
                return None
            span = self._one(point)
        bound = span and _bound("before" if kind == "older" else kind, span)
        return ((), bound) if bound else None

    def _distance(self) -> Span | None:
        """ "2 years" of "older than 2 years": the day so long ago."""
        count = self._count()
        unit = self.take(self.language.units)
        if count is None or unit is None:
            return None
        self.take(self.language.ago)
        try:
            day = back(self.setting.today, unit, count)
            return days_between(day, back(day, "day", -1))
        except OverflowError:
            return None

    def _after_bound(self, point: Point) -> bool:
        if point.needs is Needs.LEAD:
            return point.kind != "weekday"
        return point.needs is Needs.NOTHING or not self._noun_follows()

    def _one(self, point: Point) -> Span | None:
        if point.spans:
            return point.spans[0]
        return point.latest(self.setting.today)

    # From one to another.

    def _interval(self) -> tuple[tuple[Point, ...], Span | None] | None:
        between = self.take(self.language.between)
        opened = between or self.take(self.language.range_from)
        first = self._loose_point()
        if first is None:
            return None
        if opened and self.take(self.language.onwards) and not self._noun_follows():
            span = self._one(first)
            return ((), _bound("since", span)) if span else None
        joined = self.take(self.language.joins) if between else self.take(self.language.range_to)
        if not joined and not self.take_sign("-–—"):
            return None
        second = self._loose_point()
        if second is None or not (opened or Needs.NOTHING in {first.needs, second.needs}):
            return None
        span = self._from_to(first, second)
        years = tuple(range(first.years[0], second.years[-1] + 1)) if first.years and second.years else ()
        return ((Point(spans=(span,), years=years),), None) if span else None

    def _loose_point(self) -> Point | None:
        self.take(self.language.leads)
        self.take(self.language.determiners)
        return self.point()

    def _from_to(self, first: Point, second: Point) -> Span | None:
        """From the start of one to the end of the other; whose year is not said takes it from the other."""
        today = self.setting.today
        start = first.spans[0] if first.spans else None
        end = second.spans[-1] if second.spans else None
        if start is None and end is not None and end.start:
            limit = end.start
            start = _near(first, limit.year, lambda begin: begin < limit, -1)
        start = start or first.latest(today)
        if end is None and start and start.start:
            opened = start.start
            end = _near(second, opened.year, lambda begin: begin > opened, 1)
        if start is None or end is None or start.start is None or end.end is None or start.start >= end.end:
            return None
        return days_between(start.start, end.end)

    # One or several.

    def _list(self) -> tuple[tuple[Point, ...], Span | None] | None:
        start = self.at
        leads = {"weekday": self.language.day_leads.at(self.tokens, start)}
        other = self.language.leads.at(self.tokens, start)
        for begin in sorted({start, *(found[1] for found in (*leads.values(), other) if found)}, reverse=True):
            self.at = begin
            determined = bool(self.take(self.language.determiners))
            points = self._points()
            if not points:
                continue
            lead = leads.get(points[0].kind, other)
            led = lead is not None and lead[1] == begin
            if points[0].name and len(points) == 1 and self._somebody(start, begin, led=led):
                continue
            sure = len(points) > 1 and any(point.needs is Needs.NOTHING for point in points)
            if sure or self._admitted(points[0], start, led, determined=determined):
                return points, None
            if points[0].of and points[0].needs is Needs.NO_NOUN:
                of_its_time = not (self._is_name() or self.language.otherwise.at(self.tokens, self.at))
                self._lent.append((points[0], of_its_time))
        return None

    def _points(self) -> tuple[Point, ...]:
        first = self.point()
        if first is None:
            return ()
        points = [first]
        while True:
            place = self.at
            if not self._joint():
                break
            self.take(self.language.leads)
            self.take(self.language.determiners)
            point = self.point()
            if point is None or (point.kind == "weekday" and point.needs is Needs.LEAD):
                self.at = place
                break
            points.append(_same(points[-1], point))
        return _with_years(points)

    def _joint(self) -> bool:
        """ "and", a comma, or both."""
        sign = self.take_sign(",&/")
        return bool(self.take(self.language.joins)) or sign

    def _admitted(self, point: Point, start: int, lead: bool, *, determined: bool) -> bool:
        match point.needs:
            case Needs.NOTHING:
                return True
            case Needs.NO_NOUN:
                return (lead and not determined) or not (self._noun_follows() or self._is_name())
            case Needs.EDGES:
                return lead or not (self._noun_follows() or self._is_noun(start - 1))
        if point.kind == "month":  # "in may", but not "on the march"
            return lead and not determined
        return lead and not self._noun_follows()


def _bound(kind: str, span: Span) -> Span | None:
    """All days before, after, since or until something."""
    start, end = {
        "before": (None, span.start),
        "until": (None, span.end),
        "since": (span.start, None),
        "after": (span.end, None),
    }[kind]
    return Span(start, end, f"{kind} {span.label}") if start or end else None


def _near(point: Point, year: int, fits: Callable[[date], bool], step: int) -> Span | None:
    """The point in that year if it fits there, else in the year beside it."""
    spans = (point.of(one) if point.of else None for one in (year, year + step))
    return next((span for span in spans if span and span.start and fits(span.start)), None)


def _same(previous: Point, point: Point) -> Point:
    """The 2020 of "summer 2019 and 2020" is a summer too."""
    if not (previous.of and previous.said and point.years):
        return point
    spans = tuple(span for year in point.years if (span := previous.of(year)))
    return replace(previous, spans=spans, said=point.years)


def _with_years(points: Sequence[Point]) -> tuple[Point, ...]:
    """The 2023 of "June and July 2023" is said for both."""
    found: list[Point] = []
    years: tuple[int, ...] = ()
    for point in reversed(points):
        years = point.said or years
        found.append(in_years(point, years) if years and not point.spans else point)
    return tuple(reversed(found))


def in_years(point: Point, years: Sequence[int]) -> Point:
    """What every year has, in these years."""
    spans = tuple(span for year in years if point.of and (span := point.of(year)))
    return replace(point, spans=spans, said=tuple(years))


def _feasts_of(point: Point, feasts: Sequence[Point]) -> Point:
    """The feasts in the years that the point is nothing but."""
    spans = tuple(span for feast in feasts for span in in_years(feast, point.years).spans)
    return replace(point, spans=spans) if spans else point
