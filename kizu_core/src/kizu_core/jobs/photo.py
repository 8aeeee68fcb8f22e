"""What handlers have in common whose jobs are each about one photo."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from uuid import UUID

from kizu_core.errors import JobError, SourceMissing
from kizu_core.jobs.single import SingleHandler
from kizu_core.plugins.protocols import JobContext
from kizu_core.types import Job, JobOutcome


class PhotoHandler(SingleHandler):
    """Does job after job, each with its photo at hand."""

    def one(self, job: Job, context: JobContext) -> JobOutcome:
        asset_id, source = photo_of(job, context)
        return self.work(job, asset_id, source, context)

    @abstractmethod
    def work(self, job: Job, asset_id: UUID, source: Path, context: JobContext) -> JobOutcome:
        """The outcome of one job with its photo and the original at hand. Raises `KizuError`."""


def photo_of(job: Job, context: JobContext) -> tuple[UUID, Path]:
    """The photo that the job is about, and its original. Raises `JobError`, `SourceMissing` where there is none."""
    if job.asset_id is None:
        raise JobError("The job names no photo.", hint=f"A job of the type {job.job_type} needs an asset_id.")
    if context.source is None:
        raise SourceMissing("The photo has no file here and the job gives no address to fetch it from.")
    return job.asset_id, context.source


def input_orientation(job: Job) -> int | None:
    """The EXIF orientation that the job gives, used only if the file carries none; None for what is no number."""
    given = job.params.get("input_orientation")
    return given if isinstance(given, int) else None
