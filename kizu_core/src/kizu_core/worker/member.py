"""One job of a batch, as the batch keeps track of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from kizu_core.worker.events import JobEvent, JobProgress, JobStarted
from kizu_core.worker.leases import Held
from kizu_core.worker.messages import Task
from kizu_core.worker.scratch import remove_folder

MOST_CRASHES, MOST_TIMEOUTS = 2, 1
"""As often an operation of a photo may end the process, or take too long, before it is given up."""

MOST_STEP = 40
"""Characters of a step's name, as many as its column keeps."""


@dataclass(slots=True, eq=False)
class Member:
    """`spent`: seconds that the child worked on it before it last turned to another job of the batch.
    `unwanted_since`: monotonic time at which the child was told that nobody wants it any more.
    """

    held: Held
    workdir: Path
    source: Path | None = None
    spent: float = 0.0
    started: bool = False
    unwanted_since: float | None = None

    @property
    def id(self) -> UUID:
        return self.held.job.id

    def close(self) -> None:
        """Removes its folder."""
        remove_folder(self.workdir)

    def task(self) -> Task:
        """What the child gets: no token, no address. What the row says besides its parameters joins them."""
        claim = self.held.claim
        params = {**claim.job.params, "needs_web_version": claim.needs_web_version}
        if claim.orientation is not None:
            params["input_orientation"] = claim.orientation
        return Task(job=replace(claim.job, params=params), source=self.source, workdir=self.workdir)

    def is_deaf(self, now: float, here: float, patience: float) -> bool:
        """Whether its handler has gone on for `patience` seconds with what nobody wants."""
        return self.unwanted_since is not None and min(now - self.unwanted_since, here) > patience

    def culprit(self, *, crashed: bool) -> str | None:
        """The operation to be given up, with the others of the photo kept, for what has just happened; None if the
        job is to be tried again, or has no others.
        """
        claim, step = self.held.claim, self.held.step
        if step not in claim.job.todo or len(claim.job.todo) < 2:
            return None
        often = claim.crash_count >= MOST_CRASHES if crashed else claim.attempt > MOST_TIMEOUTS
        return step if often or claim.attempt >= claim.max_attempts else None

    def start(self) -> JobStarted | None:
        """What to tell when the child turns to it for the first time."""
        first, self.started = not self.started, True
        about = JobEvent.about(self.held.job, self.held.claim.asset)
        return JobStarted(**about, attempt=self.held.claim.attempt) if first else None

    def advance(self, percent: int, step: str | None) -> JobProgress:
        """Notes progress, whatever number the child says, and gives what to tell."""
        self.held.advance(max(0, min(100, percent)), step and step[:MOST_STEP])
        about = JobEvent.about(self.held.job, self.held.claim.asset)
        return JobProgress(**about, percent=self.held.progress, step=self.held.step)
