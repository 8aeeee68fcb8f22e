"""Moment strategies as data, libraries that show what they are given, and moments as jobs store them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from kizu_core.moments.proposals import Strategy
from kizu_core.plugins.specs import MomentStrategySpec
from kizu_core.testing.library import GivenLibrary
from kizu_core.types import MomentCandidate, Photo
from kizu_support.queue import Queue, Row, done

NOW = datetime(2026, 7, 15, 9, 0)  # noqa: DTZ001 - by the clock of the place
USER = UUID(int=7)

Propose = Callable[[Sequence[Photo]], Any]


def strategy(propose: Propose | Iterable[Any], name: str = "trips", **spec: Any) -> Strategy:
    """A strategy that proposes these candidates, or what a function makes of the photos."""

    class _Given:
        def propose(self, photos: Sequence[Photo], *, now: datetime) -> Any:
            return propose(photos) if callable(propose) else list(propose)

    fields: dict[str, Any] = {"grouping_type": name, "summary": f"photos of {name}", "factory": "no:where", **spec}
    return Strategy(spec=MomentStrategySpec(name=name, **fields), plugin="tests", build=_Given)


def photo(number: int, **fields: Any) -> Photo:
    """The n-th photo, taken n hours after a New Year."""
    taken = datetime(2026, 1, 1) + timedelta(hours=number)  # noqa: DTZ001
    return Photo(**{"asset_id": UUID(int=number), "taken": taken, **fields})


def candidate(numbers: Iterable[int], score: float = 0.5, **fields: Any) -> MomentCandidate:
    """A moment of these photos."""
    ids = tuple(UUID(int=number) for number in numbers)
    return MomentCandidate(
        **{"title": f"Photos {ids[0].int} to {ids[-1].int}", "asset_ids": ids, "score": score, **fields}
    )


def library(count: int = 100, *, made: dict[str, Any] | None = None, **given: Any) -> GivenLibrary:
    """Photos 1 to `count`, and what the database knows of moments."""
    shown = [photo(number) for number in range(1, count + 1)]
    return GivenLibrary(**{"shown": shown, "made": {"now": NOW.isoformat(), **(made or {})}, **given})


def existing(row: dict[str, Any], *, day: str | None = None, **fields: Any) -> dict[str, Any]:
    """A moment that was made of a row of the service, as the database tells of it."""
    told = {key: row[key] for key in ("id", "strategy", "title", "asset_ids")}
    return {
        **told,
        "hash": row["asset_hash"],
        "day": day or NOW.date().isoformat(),
        "saved": False,
        "hidden": False,
        **fields,
    }


def moment_row(photos: list[UUID], **values: Any) -> Row:
    """A moment as the service gives it."""
    ids = [str(one) for one in photos]
    return {
        "id": str(uuid4()), "strategy": "trips", "grouping_type": "location", "title": "Adventures in Nice",
        "subtitle": "July", "score": 0.5, "asset_hash": "h1", "asset_ids": ids, "cover_asset_ids": ids[:6],
        "cover_spares": ids[6:12],
        "keep_days": 7, "most_a_day": 5, "grouping_criteria": {"rule": "far from home"}, **values,
    }  # fmt: skip


def store(queue: Queue, user: UUID, *rows: Row) -> str:
    """The whole road: a job asked for, claimed and completed."""
    queue.ask(user, None, job_type="generate_moments")
    (job,) = queue.claim("generate_moments", limit=1)
    return complete(queue, job, *rows)


def complete(queue: Queue, job: Row, *rows: Row) -> str:
    """A claimed job ends with these moments."""
    operation = done("generate_moments", plugin="core")
    return queue.complete(job, operation, rows={"moments": list(rows)}, result={"new": []})
