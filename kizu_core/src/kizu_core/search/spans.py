"""Days of the calendar: half-open spans of local dates, and the arithmetic of weeks, months, seasons and feasts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                 "November", "December")  # fmt: skip
FIRST_YEAR: Final = 1826
"""Of the oldest photo that is known."""

_SEASONS: Final = ("spring", "summer", "autumn", "winter")


@dataclass(frozen=True, slots=True)
class Span:
    """The days from `start` up to, not including, `end`; None is an open end. `label` says it to a person."""

    start: date | None
    end: date | None
    label: str

    def __contains__(self, other: Span) -> bool:
        return (self.start or date.min) <= (other.start or date.min) and (other.end or date.max) <= (
            self.end or date.max
        )

    def meet(self, other: Span) -> Span | None:
        """The days of both, under this one's label; None if there are none."""
        start = max(self.start or date.min, other.start or date.min)
        end = min(self.end or date.max, other.end or date.max)
        if start >= end:
            return None
        return Span(None if start == date.min else start, None if end == date.max else end, self.label)


def day_span(day: date) -> Span:
    return Span(day, day + timedelta(1), said(day))


def said(day: date) -> str:
    """3 May 2019."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def days_between(start: date, end: date) -> Span:
    """From `start` up to `end`, labelled by what that happens to be: years, months, a day or some days."""
    last = end - timedelta(1)
    if start.day == end.day == 1 and start < end:
        if start.month == end.month == 1:
            return Span(start, end, _from_to(str(start.year), str(last.year)))
        return Span(start, end, _from_to(_month_of(start, last), f"{MONTHS[last.month - 1]} {last.year}"))
    day = str(start.day) if (start.year, start.month) == (last.year, last.month) else said(start)
    return Span(start, end, said(start) if start == last else _from_to(day, said(last)))


def _month_of(day: date, last: date) -> str:
    month = MONTHS[day.month - 1]
    return month if day.year == last.year and day.month != last.month else f"{month} {day.year}"


def _from_to(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def year_span(year: int, years: int = 1) -> Span:
    last = year + years - 1
    label = str(year) if years == 1 else f"{year}s" if years == 10 and year % 10 == 0 else f"{year} to {last}"
    return Span(date(year, 1, 1), date(year + years, 1, 1), label)


def month_span(year: int, month: int, months: int = 1) -> Span:
    return days_between(date(year, month, 1), add_months(date(year, month, 1), months))


def add_months(day: date, months: int) -> date:
    """The same day of another month, or its last one. Raises `OverflowError` outside the calendar."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= years < date.max.year:
        raise OverflowError
    first = date(years, month + 1, 1)
    following = date(years + (month == 11), (month + 1) % 12 + 1, 1)
    return first.replace(day=min(day.day, (following - first).days))


def unit_span(today: date, unit: str, offset: int) -> Span:
    """The calendar's day, week, ... that is `offset` from today's. Weeks begin on Monday. Raises `OverflowError`."""
    monday = today - timedelta(today.weekday())
    match unit:
        case "day":
            return day_span(today + timedelta(offset))
        case "week":
            return days_between(monday + timedelta(7 * offset), monday + timedelta(7 * offset + 7))
        case "weekend":
            saturday = monday + timedelta(7 * offset + 5)
            return days_between(saturday, saturday + timedelta(2))
        case "year":
            return year_span(_year(today.year + offset))
        case "decade":
            return year_span(_year(today.year // 10 * 10 + 10 * offset), 10)
    months = {"month": 1, "quarter": 3, "half": 6}[unit]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    start = add_months(first, months * offset)
    return days_between(start, add_months(start, months))


def back(today: date, unit: str, count: int) -> date:
    """The day that many units before today. Raises `OverflowError`."""
    days = {"day": 1, "week": 7, "weekend": 7}.get(unit)
    if days:
        return today - timedelta(days * count)
    return add_months(today, -count * {"month": 1, "quarter": 3, "half": 6, "year": 12, "decade": 120}[unit])


def season_span(name: str, year: int, *, southern: bool) -> Span:
    """A season of whole months, as weather services count; the one over New Year belongs to the year it begins in."""
    month = (3 + 3 * _SEASONS.index(name) + (6 if southern else 0) - 1) % 12 + 1
    start = date(year, month, 1)
    label = f"{name.capitalize()} {year}" + (f"/{(year + 1) % 100:02}" if month == 12 else "")
    return Span(start, add_months(start, 3), label + (" (southern)" if southern else ""))


def third(span: Span, part: int) -> Span:
    """The early (0), middle (1) or late (2) third of something closed."""
    if span.start is None or span.end is None:
        return span
    months = (span.end.year - span.start.year) * 12 + span.end.month - span.start.month
    label = f"{('early', 'mid', 'late')[part]} {span.label}"
    if months == 120:  # people count years of a decade: 1990 to 1993 are the early ones
        cuts = [span.start.replace(year=span.start.year + years) for years in (0, 4, 7, 10)]
    elif span.start.day == span.end.day == 1 and months % 3 == 0:
        cuts = [add_months(span.start, months // 3 * cut) for cut in range(4)]
    elif months == 1 and span.start.day == 1:
        cuts = [span.start, span.start + timedelta(10), span.start + timedelta(20), span.end]
    else:
        cuts = [span.start + timedelta((span.end - span.start).days * cut // 3) for cut in range(4)]
    return Span(cuts[part], cuts[part + 1], label) if cuts[part] < cuts[part + 1] else span


def nth(span: Span, unit: str | int, number: int) -> Span | None:
    """The nth (-1: last) week, weekend, month, ... or weekday (an int) inside something closed."""
    if span.start is None or span.end is None:
        return None
    found = []
    if unit == "half":
        months = (span.end.year - span.start.year) * 12 + span.end.month - span.start.month
        middle = add_months(span.start, months // 2) if months % 2 == 0 else span.start + (span.end - span.start) / 2
        found = [days_between(span.start, middle), days_between(middle, span.end)] if middle > span.start else []
    elif unit == "week":
        if number == -1:
            return days_between(max(span.end - timedelta(7), span.start), span.end)
        start = span.start + timedelta(7 * (number - 1))
        return days_between(start, min(start + timedelta(7), span.end)) if start < span.end else None
    elif isinstance(unit, int) or unit in {"day", "weekend"}:
        found = _days_inside(span.start, span.end, unit)
    else:
        offset = 0
        while (one := unit_span(span.start, unit, offset)).end is not None and one.end <= span.end and offset < 120:
            found.append(one)
            offset += 1
    place = number - 1 if number > 0 else len(found) + number
    return found[place] if 0 <= place < len(found) else None


def _days_inside(start: date, end: date, unit: str | int) -> list[Span]:
    first = start if unit == "day" else start + timedelta((_weekday(unit) - start.weekday()) % 7)
    step, length = (1, 1) if unit == "day" else (7, 2 if unit == "weekend" else 1)
    number = min(max(-((first - end).days // step), 0), 400)
    days = (first + timedelta(step * one) for one in range(number))
    return [days_between(day, day + timedelta(length)) for day in days]


def _weekday(unit: str | int) -> int:
    return unit if isinstance(unit, int) else 5


def easter(year: int) -> date:
    """Easter Sunday of the western churches (the rule of Meeus, Jones and Butcher for the Gregorian calendar)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    leaps, skipped = century // 4, (century + 8) // 25
    moon = (19 * golden + century - leaps - (century - skipped + 1) // 3 + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (golden + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


@cache
def _feasts() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads((files("kizu_core.search") / "feasts.toml").read_text(encoding="utf-8"))


def feast_span(name: str, year: int) -> Span:
    """A feast of `feasts.toml` in a year."""
    rule = _feasts()[name]
    if "easter" in rule:
        start = easter(year) + timedelta(rule["easter"])
    elif "weekday" in rule:
        found = nth(month_span(year, rule["month"]), rule["weekday"], rule["nth"])
        start = found.start if found and found.start else date(year, rule["month"], 1)
    else:
        start = date(year, rule["month"], rule["day"])
    start -= timedelta(rule.get("back", 0))
    return Span(start, start + timedelta(rule.get("days", 1)), f"{rule['name']} {year}")


def week_of_year(year: int, week: int) -> Span | None:
    """ISO week of a year, None if the year has none of that number."""
    try:
        start = date.fromisocalendar(year, week, 1)
    except ValueError:
        return None
    return replace(days_between(start, start + timedelta(7)), label=f"week {week} of {year}")


def a_day(year: int, month: int, day: int) -> Span | None:
    """A day; None for one that is none."""
    try:
        return day_span(date(year, month, day)) if FIRST_YEAR <= year < date.max.year else None
    except ValueError:
        return None


def _year(year: int) -> int:
    if not 1 <= year < date.max.year - 10:
        raise OverflowError
    return year
