"""Handler `image_ai`: a picture's operations, each by the model that is the default of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kizu_core.errors import JobError, KizuError, SourceMissing
from kizu_core.pipeline.process import ImageRequest, ProcessService
from kizu_core.pipeline.rows import result_of, rows_of
from kizu_core.plugins.protocols import JobContext
from kizu_core.settings import Settings
from kizu_core.types import Job, JobOutcome, OperationResult, ResultRow


class ImageAiHandler:
    """See `kizu_core.plugins.protocols.JobHandler`."""

    def __init__(self, settings: Settings) -> None:
        self._max_side = settings.max_image_size

    def run(self, jobs: Sequence[Job], contexts: Sequence[JobContext]) -> Iterator[JobOutcome | KizuError]:
        for job, context in zip(jobs, contexts, strict=True):
            try:
                yield self._one(job, context)
            except KizuError as error:
                yield error

    def _one(self, job: Job, context: JobContext) -> JobOutcome:
        if job.asset_id is None:
            raise JobError("The job names no photo.", hint="An image_ai job needs an asset_id.")
        if context.source is None:
            raise SourceMissing("The photo has no file here and the job gives no address to fetch it from.")
        service = ProcessService(context.models, max_side=self._max_side)
        request = ImageRequest(
            path=context.source, operations=job.todo, orientation=job.params.get("input_orientation")
        )
        rows: list[ResultRow] = []
        results: list[OperationResult] = []
        for output in service.process_image(request, context.progress, context.cancelled):
            found = rows_of(output, user_id=job.user_id, asset_id=job.asset_id)
            rows.extend(found)
            results.append(result_of(output, len(found)))
        seconds = {result.operation: round(result.seconds, 3) for result in results}
        return JobOutcome(operations=tuple(results), rows=tuple(rows), result={"seconds": seconds})


def build(settings: Settings) -> ImageAiHandler:
    """The handler, as named by the core's plugin module."""
    return ImageAiHandler(settings)
