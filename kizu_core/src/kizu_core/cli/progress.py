"""How far the work is: counts from the database, a rate from how they change. Shared by every display."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

STAGES: Mapping[str, str] = {
    "optimize": "thumbnails",
    "embedding": "search by content",
    "faces": "people",
    "objects": "objects",
    "ocr": "text",
    "describe": "captions",
    "next-embedding": "search by the next model",
    "next-faces": "people by the next model",
}
"""What people call each operation, in the order of display."""

WHOLE: Mapping[str, str] = {
    "recluster": "grouping faces into people",
    "generate_moments": "making moments",
}
"""The same of work that is for a library as a whole and counts no photos."""

WINDOW_S = 60.0
"""Rates are taken over the last minute, so that they follow a change of load but do not flicker."""


@dataclass(slots=True)
class Stage:
    """Counts of one operation: photos waiting (running ones included), retrying, done, failed."""

    operation: str
    waiting: int = 0
    retrying: int = 0
    done: int = 0
    failed: int = 0
    _history: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def title(self) -> str:
        return title_of(self.operation)

    @property
    def total(self) -> int:
        return self.left + self.done + self.failed

    @property
    def left(self) -> int:
        return self.waiting + self.retrying

    def update(self, counts: Mapping[str, int], now: float) -> None:
        """Takes new counts as `kizu_status` gives them, at monotonic time `now`."""
        self.waiting = counts.get("waiting", 0) + counts.get("running", 0)
        self.retrying = counts.get("retrying", 0)
        self.done, self.failed = counts.get("done", 0), counts.get("failed", 0)
        if all(before == self.done + self.failed for _, before in self._history):
            self._history.clear()  # the time in which it stood in line says nothing of its rate
        self._history.append((now, self.done + self.failed))
        while len(self._history) > 2 and now - self._history[0][0] > WINDOW_S:
            self._history.popleft()

    @property
    def per_second(self) -> float:
        """Photos a second over the last minute; 0 before there are two looks."""
        if len(self._history) < 2:
            return 0.0
        (start, before), (end, after) = self._history[0], self._history[-1]
        return max(after - before, 0) / (end - start) if end > start else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time to the end at the present rate; None while there is none."""
        return self.left / self.per_second if self.per_second > 0 else None


def title_of(operation: str) -> str:
    """What people call an operation."""
    return STAGES.get(operation) or WHOLE.get(operation) or operation.replace("_", " ")


class Progress:
    """All stages that have something to show."""

    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}

    def update(self, jobs: Mapping[str, Mapping[str, int]], now: float | None = None) -> None:
        """Takes the `jobs` part of a status."""
        now = time.monotonic() if now is None else now
        for operation, counts in jobs.items():
            self._stages.setdefault(operation, Stage(operation)).update(counts, now)

    @property
    def stages(self) -> list[Stage]:
        order = list(STAGES)
        shown = [stage for stage in self._stages.values() if stage.total]
        return sorted(shown, key=lambda s: order.index(s.operation) if s.operation in STAGES else len(order))


def duration(seconds: float) -> str:
    """`75` -> `1 min 15 s`; two units at most, as people say it."""
    whole = round(seconds)
    if whole < 1:
        return "under a second"
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "min"), (second, "s")]
    named = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(named[:2])


def plural(count: int, noun: str) -> str:
    """`1, photo` -> `1 photo`; `2000, photo` -> `2,000 photos`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
