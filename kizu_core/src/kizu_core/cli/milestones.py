"""What is worth a line of its own while a run works: how long a stage will take, and what can be searched by now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from kizu_core.cli.progress import Progress, Stage, duration, plural

MEASURED = 50
"""Photos of a stage after which its rate says something."""

LONG_S = 60.0
"""A stage that ends sooner needs no forecast."""


@dataclass(frozen=True, slots=True)
class Note:
    """The same for scripts and for people."""

    event: dict[str, Any]
    sentence: str


class Milestones:
    """Looks at progress, and tells each thing once."""

    def __init__(self, searched: Sequence[str]) -> None:
        """`searched`: the operations whose results a search looks at, the quickest first."""
        self._searched = searched
        self._begun: dict[str, int] = {}
        self._forecast: set[str] = set()
        self._searchable: int | None = None

    def notes(self, progress: Progress) -> Iterator[Note]:
        """What is new since the last look."""
        for stage in progress.stages:
            begun = self._begun.setdefault(stage.operation, stage.done)
            if stage.operation not in self._forecast and stage.done - begun >= MEASURED:
                self._forecast.add(stage.operation)
                yield from _forecast(stage)
        yield from self._search(progress.stages)

    def _search(self, stages: list[Stage]) -> Iterator[Note]:
        """Told when the number of photos that a search looks at passes 100, 1,000, ... and when it is complete."""
        stage = next((one for name in self._searched for one in stages if one.operation == name), None)
        if stage is None:
            return
        others = [one.title for one in stages if one.left and one is not stage]
        reached = stage.done if not stage.left and others else _milestone(stage.done)
        before, self._searchable = self._searchable, max(reached, self._searchable or 0)
        if before is None or reached <= before:
            return
        open_ = [f"{stage.title} of {stage.left:,} more"] if stage.left else []
        rest = " and ".join([*open_, *others])
        yield Note(
            {"event": "searchable", "photos": reached, "left": stage.left},
            f"{plural(reached, 'photo')} can be searched now; still to come: {rest}.",
        )


def _forecast(stage: Stage) -> Iterator[Note]:
    left = stage.seconds_left
    if left is None or left < LONG_S:
        return
    event = {"event": "estimate", "operation": stage.operation, "photos": stage.left, "seconds": round(left, 1)}
    event["per_second"] = round(stage.per_second, 2)
    yield Note(event, f"{stage.title.capitalize()}: {plural(stage.left, 'photo')} to go, about {duration(left)}.")


def _milestone(photos: int) -> int:
    """The largest of 100, 1,000, 10,000, ... that is reached; 0 below."""
    reached = 0
    for power in count(2):
        if photos < 10**power:
            return reached
        reached = 10**power
    return reached
