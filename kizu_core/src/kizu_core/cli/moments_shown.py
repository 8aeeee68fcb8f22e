"""How `kizu moments` shows moments: as lines, and on pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from kizu_core.cli.progress import plural

if TYPE_CHECKING:
    from kizu_core.api import Library

Json = dict[str, Any]

MOST_TILES = 200
"""Photos on the page of one moment."""


def listed(found: Iterable[Json]) -> Iterator[str]:
    """Two lines a moment, the id first, so that it can be copied."""
    for one in found:
        yield f"{one['id'][:8]}  {one['title']}"
        yield f"          {facts(one)}"


def facts(one: Json) -> str:
    """`13 July 2024 to 20 July 2024, 62 photos, kept`."""
    ends = f"until {str(one['expires_at'])[:10]}" if one["expires_at"] else ""
    fate = "hidden" if one["hidden"] else "kept" if one["saved"] else ends
    parts = (days(one["first_day"], one["last_day"]), plural(one["photos"], "photo"), fate)
    return ", ".join(part for part in parts if part)


def days(first: str | None, last: str | None) -> str:
    """A range of local dates for people; empty if nobody knows them."""
    if first is None or last is None:
        return ""
    return _day(first) if first == last else f"{_day(first)} to {_day(last)}"


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:  # a year that calendars of programs end before
        return text
    return f"{day.day} {day:%B} {day.year}"


def describe(one: Json) -> Iterator[str]:
    """A moment in full, with its reasons."""
    yield from (one["title"], one["subtitle"] or "", facts(one)) if one["subtitle"] else (one["title"], facts(one))
    yield from (f"    {line}" for line in reasons(one["reasons"] or {}))
    for photo in one["photo_list"]:
        taken = (photo["taken_local"] or "").replace("T", " ")[:16]
        yield f"{taken:<16}  {photo['path'] or photo['file_name']}"


def reasons(told: Mapping[str, Any]) -> Iterator[str]:
    """Why a moment was made: the rule, what it found, which covers, and what gave way to it."""
    if told.get("rule"):
        yield f"Rule: {told['rule']}"
    found = dict(told.get("found") or {})
    limits = found.pop("thresholds", {})
    found.pop("rule", None)
    if found:
        yield f"Found: {_plain(found)}"
    if limits:
        yield f"Limits: {_plain(limits)}"
    covers = told.get("covers") or {}
    left = ", ".join(f"{count:,} {why}" for why, count in covers.get("left_out", {}).items())
    if covers:
        spread = f"different in {'what they show' if covers['spread_by'] == 'embeddings' else 'time and place'}"
        yield f"Covers: {spread}{f'; not taken: {left}' if left else ''}"
    for other in told.get("instead_of", ()):
        yield f"Instead of: {other['title']} ({plural(other['photos'], 'photo')}, {other['in_common']:.0%} in common)"


def _plain(value: Any) -> str:
    """JSON in words: names lose their underscores."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def why_none(state: Json) -> Iterator[str]:
    """Why there is nothing to show, and the next step."""
    last = state["last"]
    if last is None:
        yield "No moments yet: nobody has looked for any. Look now: kizu moments generate"
    elif last["status"] in ("pending", "processing"):
        yield "Moments are asked for; a worker looks for them. At once: kizu moments generate"
    elif last["status"] == "failed":
        yield f"No moments today: looking for them failed. {last['error'] or ''}".rstrip()
        yield "Try again: kizu moments generate"
    else:
        yield from why_nothing_new(last["result"] or {})
    if state["moments"]:
        yield f"There are {state['moments']:,} of other days: kizu moments list"


def why_nothing_new(result: Json) -> Iterator[str]:
    """What a run said of itself where it made nothing."""
    yield f"No moments today. {result.get('why') or 'Those that were made are gone: hidden, or without photos.'}"
    if result.get("hint"):
        yield result["hint"]
    yield from faults_of(result)


def faults_of(result: Json) -> Iterator[str]:
    """A sentence for each strategy that is broken, and each setting that could not be used."""
    for name, told in (result.get("strategies") or {}).items():
        for fault in told.get("faults", ()):
            yield f"{name} of the plugin {told['plugin']} is broken: {fault}"
    yield from result.get("notes") or ()


def of_block(block: Json) -> str:
    """What is blocked, in a sentence."""
    if block["place"]:
        return f"the place “{block['place']}”"
    if block["first_day"]:
        return days(block["first_day"], block["last_day"])
    return str((block["person"] or {}).get("name") or "a person")


def settings_lines(found: Json) -> Iterator[str]:
    """All settings, and what changes them."""
    yield f"Moments are {'on' if found['on'] else 'off'}."
    yield f"New ones come at {found['time']} ({found['time_zone'] or 'UTC'}), at most {found['most_a_day']} a day."
    yield f"Those that nobody saves go after {plural(found['keep_days'], 'day')}."
    for key, is_on in sorted(found["kinds"].items()):
        yield f"    {key}: {'on' if is_on else 'off'}"
    yield from found["notes"]


def open_moments(library: Library, title: str, found: Iterable[Json]) -> None:
    """A page with the covers of several moments."""
    from kizu_core.cli.sheet import Section, open_sheet, photo_tile, write_sheet

    blobs = library.settings.blobs_dir
    sections = [
        Section(
            one["title"],
            note=facts(one),
            commands=_commands(one),
            tiles=[photo_tile(blobs, cover, cover["file_name"] or "") for cover in one["covers"]],
        )
        for one in found
    ]
    open_sheet(write_sheet(library.settings.paths.sheets, title, sections))


def open_moment(library: Library, one: Json) -> None:
    """A page with the photos of one moment, and why it was made."""
    from kizu_core.cli.sheet import Section, open_sheet, photo_tile, write_sheet

    blobs, photos = library.settings.blobs_dir, one["photo_list"][:MOST_TILES]
    tiles = [photo_tile(blobs, photo, photo["file_name"] or "") for photo in photos]
    more = f", the first {MOST_TILES} of them here" if len(one["photo_list"]) > MOST_TILES else ""
    section = Section(
        f"{facts(one)}{more}", note=" · ".join(reasons(one["reasons"] or {})), commands=_commands(one), tiles=tiles
    )
    open_sheet(write_sheet(library.settings.paths.sheets, one["title"], [section], note=one["subtitle"] or ""))


def _commands(one: Json) -> dict[str, str]:
    verbs = {"Keep it": "save", "Never again": "hide", "Why, and all photos": "show"}
    return {what: f"kizu moments {verb} {one['id'][:8]}" for what, verb in verbs.items()}
