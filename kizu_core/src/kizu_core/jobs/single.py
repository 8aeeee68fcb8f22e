"""Handlers that do one job after the other: what one job raises is its own result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from kizu_core.errors import KizuError
from kizu_core.plugins.protocols import JobContext
from kizu_core.types import Job, JobOutcome


class SingleHandler(ABC):
    """See `JobHandler`."""

    def run(self, jobs: Sequence[Job], contexts: Sequence[JobContext]) -> Iterator[JobOutcome | KizuError]:
        for job, context in zip(jobs, contexts, strict=True):
            try:
                yield self.one(job, context)
            except KizuError as error:
                yield error

    @abstractmethod
    def one(self, job: Job, context: JobContext) -> JobOutcome:
        """The outcome of one job. Raises `KizuError`."""
