"""From dates as they stand in a line to the days they come to: whose year is whose, what narrows what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from kizu_core.search.cursor import Point, Setting
from kizu_core.search.dates import Reader, Said, in_years
from kizu_core.search.spans import Span
from kizu_core.search.tokens import Token, tokenize


@dataclass(frozen=True, slots=True)
class Meant:
    """Characters of a line and the days that they mean, said to a person."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Dates:
    """`spans`: any of these, in order; empty if the line has no date. `meant`: where in the line they stand."""

    spans: tuple[Span, ...] = ()
    meant: tuple[Meant, ...] = ()


def read_dates(text: str, tokens: Sequence[Token], setting: Setting, known: Sequence[bool]) -> Dates:
    """The dates that these tokens of a line hold. `known`: which of them are names of the user's people or places."""
    said = Reader(text, tokens, setting, known).read()
    if not said:
        return Dates()
    bound = both([one.bound for one in said if one.bound])
    groups = _resolved([one for one in said if not one.bound], setting.today, bound)
    wanted = [span for group in groups for span in group]
    narrow = [
        one for one in wanted if not any(one is not other and other in one and one not in other for other in wanted)
    ]
    spans = _bounded(dict.fromkeys(narrow), bound) if wanted else [bound] if bound else []
    return Dates(spans=tuple(sorted(spans, key=_place)), meant=tuple(_meant(said, groups)))


def read_bound(kind: str, value: str, setting: Setting) -> Span | None:
    """The days `before` or `after` what the whole value says; None if that is no date."""
    return Reader(value, tokenize(value), setting, ()).bound_of(kind)


def _resolved(said: Sequence[Said], today: date, bound: Span | None) -> list[tuple[Span, ...]]:
    """The days of each. Years that stand alone are the years of what lacks one: "Christmas in Berlin 2019"."""
    lacking = any(not point.spans for one in said for point in one.points)
    alone = [one for one in said if all(point.years for point in one.points)]
    years = sorted({year for one in alone for point in one.points for year in point.years}) if lacking else []
    if bound and bound.end:
        today = min(today, bound.end - timedelta(1))
    return [() if years and one in alone else tuple(_spans(one.points, years, today)) for one in said]


def _spans(points: Sequence[Point], years: Sequence[int], today: date) -> list[Span]:
    found: list[Span] = []
    for point in points:
        if point.spans:
            found += point.spans
        elif years:
            found += in_years(point, years).spans
        elif (latest := point.latest(today)) is not None:
            found.append(latest)
    return found


def both(bounds: Sequence[Span]) -> Span | None:
    """Within all of them; no day at all if they leave none."""
    if not bounds:
        return None
    found = bounds[0]
    for other in bounds[1:]:
        label = f"{found.label}, {other.label}"
        found = replace(found.meet(other) or _no_day(other), label=label)
    return found


def _bounded(spans: Sequence[Span] | dict[Span, None], bound: Span | None) -> list[Span]:
    if bound is None:
        return list(spans)
    met = [both for span in spans if (both := span.meet(bound))]
    return met or [_no_day(bound)]


def _no_day(span: Span) -> Span:
    day = span.start or span.end or date.min
    return Span(day, day, "no day is both")


def _meant(said: Sequence[Said], groups: Sequence[tuple[Span, ...]]) -> list[Meant]:
    """A year that was taken for another's is said with that one."""
    rest = iter(groups)
    found = []
    for one in said:
        spans = (one.bound,) if one.bound else next(rest)
        label = " or ".join(dict.fromkeys(span.label for span in spans))
        found.append(Meant(one.start, one.end, label))
    return found


def _place(span: Span) -> tuple[date, date]:
    return span.start or date.min, span.end or date.max
