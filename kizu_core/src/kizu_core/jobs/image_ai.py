"""Handler `image_ai`: pictures' operations, each by the model that is the default of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from kizu_core.errors import KizuError, ModelFailed
from kizu_core.jobs.photo import input_orientation, photo_of
from kizu_core.people.quality import is_usable
from kizu_core.pipeline.calling import Output
from kizu_core.pipeline.process import ProcessService
from kizu_core.pipeline.rows import result_of, rows_of
from kizu_core.pipeline.shots import ImageRequest
from kizu_core.plugins.protocols import JobContext
from kizu_core.settings import Settings
from kizu_core.types import NEXT, Job, JobOutcome, OperationResult, ResultRow


class ImageAiHandler:
    """All jobs of a call at once: each picture is decoded once, and models see several where they gain from it.

    Params: `input_orientation`. Where an entry begins with `next-`, this process is set up for the model to come.
    """

    def __init__(self, settings: Settings) -> None:
        self._max_side = settings.max_image_size
        self._threads = settings.thread_count
        self._service: ProcessService | None = None

    def run(self, jobs: Sequence[Job], contexts: Sequence[JobContext]) -> Iterator[JobOutcome | KizuError]:
        photos = [_photo(job, context) for job, context in zip(jobs, contexts, strict=True)]
        members = [
            one
            for one, photo in zip(zip(jobs, contexts, strict=True), photos, strict=True)
            if isinstance(photo, _Photo)
        ]
        requests = [photo.request for photo in photos if isinstance(photo, _Photo)]
        results = self._processed(requests, _Follower(members), contexts)
        for job, photo in zip(jobs, photos, strict=True):
            if isinstance(photo, KizuError):
                yield photo
                continue
            result = next(results)
            yield (
                result if isinstance(result, KizuError) else _named(_outcome(job.user_id, photo.asset_id, result), job)
            )

    def _processed(
        self, requests: Sequence[ImageRequest], follower: _Follower, contexts: Sequence[JobContext]
    ) -> Iterator[list[Output] | KizuError]:
        if not requests:
            return iter(())
        if self._service is None:
            self._service = ProcessService(contexts[0].models, max_side=self._max_side, threads=self._threads)
        return self._service.process_images(requests, follower)


class _Follower:
    """Passes on to the worker what a ProcessService says of pictures, by their jobs."""

    def __init__(self, members: Sequence[tuple[Job, JobContext]]) -> None:
        self._members = members

    def turn(self, percents: Mapping[int, int], beside: Sequence[int], step: str) -> None:
        ids = [self._members[number][0].id for number in {*percents, *beside}]
        if ids:
            self._members[0][1].together(ids)
        for number, percent in percents.items():
            self._members[number][1].progress(percent, step)

    def cancelled(self, number: int) -> bool:
        return self._members[number][1].cancelled()


@dataclass(frozen=True, slots=True)
class _Photo:
    asset_id: UUID
    request: ImageRequest


def _photo(job: Job, context: JobContext) -> _Photo | KizuError:
    """What to do for a job, or why it can't be done."""
    try:
        asset_id, source = photo_of(job, context)
    except KizuError as error:
        return error
    operations = tuple(entry.removeprefix(NEXT) for entry in job.todo)
    return _Photo(asset_id, ImageRequest(path=source, operations=operations, orientation=input_orientation(job)))


def _named(outcome: JobOutcome, job: Job) -> JobOutcome:
    """With its operations called as the job calls them."""
    asked = {entry.removeprefix(NEXT): entry for entry in job.todo}
    named = tuple(replace(one, operation=asked[one.operation]) for one in outcome.operations)
    return replace(outcome, operations=named)


def _outcome(user_id: UUID, asset_id: UUID, outputs: Sequence[Output]) -> JobOutcome:
    rows: list[ResultRow] = []
    results: list[OperationResult] = []
    for output in outputs:
        found, result = _stored(user_id, asset_id, output)
        rows += found
        results.append(result)
    return JobOutcome(operations=tuple(results), rows=tuple(rows), result=_told(outputs))


def _stored(user_id: UUID, asset_id: UUID, output: Output) -> tuple[Sequence[ResultRow], OperationResult]:
    """Rows and the line of the ledger. What a model gave in a form that has no rows is that model's failure."""
    try:
        rows = _judged(rows_of(output, user_id=user_id, asset_id=asset_id), output)
    except Exception as raised:  # noqa: BLE001 - a plugin may give anything
        text = f"{output.spec.name} gave a result that is none: {type(raised).__name__}: {raised}"
        output, rows = replace(output, value=None, error=ModelFailed(text)), ()
    return rows, result_of(output, len(rows))


def _judged(rows: tuple[ResultRow, ...], output: Output) -> tuple[ResultRow, ...]:
    """Rows of faces say how sharp they are, and whether they are good enough to tell people apart."""
    if output.operation != "faces" or output.error is not None:
        return rows
    return tuple(
        replace(row, values={**row.values, "sharpness": sharp, "usable": is_usable(face, sharp, output.seen_px)})
        for row, face, sharp in zip(rows, output.value, output.sharpness, strict=True)
    )


def _told(outputs: Sequence[Output]) -> Mapping[str, object]:
    """What the job's row tells of how it was done: seconds, versions and runtimes by operation, and the decode."""
    if not outputs:
        return {}
    first = outputs[0]
    return {
        "seconds": {one.operation: round(one.seconds, 3) for one in outputs},
        "loading": {one.operation: round(one.load_seconds, 3) for one in outputs},
        "models": {one.operation: f"{one.spec.name} {one.spec.output_version}" for one in outputs},
        "runtimes": {one.operation: str(one.runtime) for one in outputs if one.runtime is not None},
        "decode": {
            "seconds": round(first.decode_seconds, 3),
            "width_px": first.seen_px[0],
            "height_px": first.seen_px[1],
        },
    }


def build(settings: Settings) -> ImageAiHandler:
    """The handler, as named by the core's plugin module."""
    return ImageAiHandler(settings)
