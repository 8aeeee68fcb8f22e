"""What a worker tells while it works, and its sum at the end. Plain frozen data: displays and NDJSON use it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID

from kizu_core.privacy.guard import Ledger
from kizu_core.types import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events."""

    def as_dict(self) -> dict[str, Any]:
        """JSON form: `event` is the class in snake case, ids are text."""
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {"event": name} | {key: str(v) if isinstance(v, UUID) else v for key, v in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent(Event):
    """About one job. `photo`: file name of its picture, if it has one; `todo`: the operations claimed."""

    job_id: UUID
    job_type: str
    asset_id: UUID | None
    photo: str | None
    todo: tuple[str, ...]

    @staticmethod
    def about(job: Job, asset: Mapping[str, Any]) -> dict[str, Any]:
        """The fields above."""
        return {
            "job_id": job.id,
            "job_type": job.job_type,
            "asset_id": job.asset_id,
            "photo": asset.get("file_name"),
            "todo": job.todo,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted(JobEvent):
    """The child works on it. `attempt` counts from 1."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress(JobEvent):
    """`percent` 0 to 100 within the job; `step` names what is being done."""

    percent: int
    step: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDone(JobEvent):
    """Its results are stored. `seconds` and `found` by operation; `errors` of operations that failed for good."""

    seconds: Mapping[str, float]
    found: Mapping[str, int]
    errors: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed(JobEvent):
    """This attempt failed. `error` as `KizuError.as_dict`; `final`: it will not be tried again."""

    error: Mapping[str, Any]
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReturned(JobEvent):
    """Given back as if it had not been claimed (`reason`), or taken over by another worker."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Event):
    """The worker can't go on for a while; `message` is one sentence for a person."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Event):
    """What `Waiting` told of is over."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OffersChanged(Event):
    """Weights came or went: operations that can be done from now on, and that can't be any more."""

    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRestarted(Event):
    """A model process was replaced; `reason` completes the sentence "the model process ..."."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerOff(Event):
    """A handler can't be built in this environment; its jobs are left for other workers."""

    handler: str
    error: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNotice(Event):
    """A model runs elsewhere than it was meant to: on the CPU because the GPU has no memory left, say."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSwitched(Event):
    """The space of the model that was to come is full, and answers from now on."""

    kind: str
    space: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressRefused(Event):
    """Code in a model process wanted something outside it, for the first time; see `guard.Attempt` for the fields."""

    caller: str
    via: str
    action: str
    target: str


@dataclass(slots=True)
class Tally:
    """What became of one operation: counts of photos, seconds of work."""

    done: int = 0
    failed: int = 0
    retried: int = 0
    found: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Summary:
    """Sum of a worker's run. `operations`: name -> tally; `refused`: what its children were refused; `notices`: what
    they told of their models, once each; `seconds`: wall time.
    """

    operations: dict[str, Tally] = field(default_factory=dict)
    jobs: int = 0
    restarts: int = 0
    refused: Ledger = field(default_factory=Ledger)
    notices: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def tally(self, operation: str) -> Tally:
        return self.operations.setdefault(operation, Tally())

    @property
    def failed(self) -> int:
        """Operations that failed for good."""
        return sum(tally.failed for tally in self.operations.values())

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        operations = {
            name: {
                "done": one.done,
                "failed": one.failed,
                "retried": one.retried,
                "found": one.found,
                "seconds": round(one.seconds, 3),
            }
            for name, one in sorted(self.operations.items())
        }
        totals = {"jobs": self.jobs, "restarts": self.restarts, "seconds": round(self.seconds, 3)}
        return {"event": "summary", "operations": operations, "notices": self.notices, **totals}
