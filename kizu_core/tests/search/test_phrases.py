"""The grammar on phrases that somebody else wrote without having seen it (see README.md there)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kizu_core.search import parse

FILES = ("phrases", "phrases_second", "phrases_third")
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


# When the second set was first measured, false alarms were 3 of 25 (en) and 1 of 6 (de). The classes that they belong
# to were mended since, so it holds the grammar where it is, but is no measure of what nobody has seen.
@pytest.mark.parametrize("name", FILES[:2])
@pytest.mark.parametrize("language", ["en", "de"])
def test_dates_are_exact_and_there_are_few_false_alarms(name: str, language: str) -> None:
    spoken = [phrase for phrase in PHRASES[name] if phrase["language"] == language]
    dated, traps = [one for one in spoken if one["ranges"]], [one for one in spoken if not one["ranges"]]
    missed, alarms = list(wrong(dated)), list(wrong(traps))
    assert len(missed) <= 0.02 * len(dated), missed
    assert len(alarms) <= 0.05 * len(traps), alarms


def test_a_set_that_nothing_was_mended_after() -> None:
    """Written when the grammar was as it is, and measured once: 39 of 40 exact, 1 of 40 a false alarm."""
    spoken = PHRASES["phrases_third"]
    dated, traps = [one for one in spoken if one["ranges"]], [one for one in spoken if not one["ranges"]]
    missed, alarms = list(wrong(dated)), list(wrong(traps))
    assert len(missed) <= 0.1 * len(dated), missed
    assert len(alarms) <= 0.05 * len(traps), alarms
