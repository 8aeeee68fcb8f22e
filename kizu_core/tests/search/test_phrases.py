"""The grammar on phrases that somebody else wrote without having seen it (see README.md there)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kizu_core.search import parse

FILES = ("phrases", "phrases_second")
PHRASES = {
    name: [json.loads(line) for line in (Path(__file__).parent / f"{name}.jsonl").read_text("utf-8").splitlines()]
    for name in FILES
}

Days = tuple[str | None, str | None]


def merged(ranges: Sequence[Sequence[str | None]]) -> list[Days]:
    """The same days in as few ranges as can be: two months in a row are one range or two."""
    found: list[Days] = []
    for start, end in sorted(ranges, key=lambda one: (one[0] or "", one[1] or "9999")):
        if found and (found[-1][1] is None or found[-1][1] >= (start or "")):
            last = found.pop()
            found.append((last[0], None if end is None or last[1] is None else max(last[1], end)))
        else:
            found.append((start, end))
    return found


def understood(phrase: dict[str, Any]) -> list[Days]:
    query = parse(phrase["query"], today=date.fromisoformat(phrase["today"]), order=phrase["language"])
    return merged(query.as_json()["dates"])


def wrong(phrases: Sequence[dict[str, Any]]) -> Iterator[str]:
    for phrase in phrases:
        found, expected = understood(phrase), merged(phrase["ranges"])
        if found != expected:
            yield f"{phrase['today']} {phrase['query']!r}: {found}, not {expected}"


# The goal is 0.05 everywhere. The second set is not there yet: its shares are those found when it was first measured.
# They may only fall, and not by words or numbers taken from its phrases.
@pytest.mark.parametrize(
    ("name", "language", "false_alarms"),
    [
        ("phrases", "en", 0.05),
        ("phrases", "de", 0.05),
        ("phrases_second", "en", 3 / 25),
        ("phrases_second", "de", 1 / 6),
    ],
)
def test_dates_are_exact_and_there_are_few_false_alarms(name: str, language: str, false_alarms: float) -> None:
    spoken = [phrase for phrase in PHRASES[name] if phrase["language"] == language]
    dated, traps = [one for one in spoken if one["ranges"]], [one for one in spoken if not one["ranges"]]
    missed, alarms = list(wrong(dated)), list(wrong(traps))
    assert len(missed) <= 0.1 * len(dated), missed
    assert len(alarms) <= false_alarms * len(traps), alarms
