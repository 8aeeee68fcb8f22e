"""Handler `image_ai`: a picture's operations, each by the model that is the default of its kind."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from kizu_core.jobs.photo import PhotoHandler, input_orientation
from kizu_core.pipeline.process import ImageRequest, ProcessService
from kizu_core.pipeline.rows import result_of, rows_of
from kizu_core.plugins.protocols import JobContext
from kizu_core.settings import Settings
from kizu_core.types import Job, JobOutcome, OperationResult, ResultRow


class ImageAiHandler(PhotoHandler):
    """Params: `input_orientation`."""

    def __init__(self, settings: Settings) -> None:
        self._max_side = settings.max_image_size

    def work(self, job: Job, asset_id: UUID, source: Path, context: JobContext) -> JobOutcome:
        service = ProcessService(context.models, max_side=self._max_side)
        request = ImageRequest(path=source, operations=job.todo, orientation=input_orientation(job))
        rows: list[ResultRow] = []
        results: list[OperationResult] = []
        loading: dict[str, float] = {}
        for output in service.process_image(request, context.progress, context.cancelled):
            found = rows_of(output, user_id=job.user_id, asset_id=asset_id)
            rows.extend(found)
            results.append(result_of(output, len(found)))
            loading[output.operation] = round(output.load_seconds, 3)
        seconds = {result.operation: round(result.seconds, 3) for result in results}
        result = {"seconds": seconds, "loading": loading}
        return JobOutcome(operations=tuple(results), rows=tuple(rows), result=result)


def build(settings: Settings) -> ImageAiHandler:
    """The handler, as named by the core's plugin module."""
    return ImageAiHandler(settings)
