"""Job handlers that measure a photo's file."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from kizu_core import (
    Job,
    JobContext,
    JobHandlerSpec,
    JobOutcome,
    JobTable,
    KizuError,
    OperationResult,
    ResultRow,
    SourceMissing,
    UnreadablePicture,
    hookimpl,
)
from kizu_support.conformance.fakes import Fake, all_of, but, by, call_home, declared, name_of

STORED = "test_each_job_has_an_outcome_that_can_be_stored"
ORDER = "test_results_are_in_the_order_of_the_jobs"


class GoodHandler(Fake):
    def run(self, jobs: Sequence[Job], contexts: Sequence[JobContext]) -> Iterator[JobOutcome | KizuError]:
        for job, context in zip(jobs, contexts, strict=True):
            try:
                yield self.one(job, context)
            except KizuError as error:
                yield error

    def one(self, job: Job, context: JobContext) -> JobOutcome:
        if context.source is None:
            raise SourceMissing("There is no photo.")
        self.report(context)
        content = context.source.read_bytes()
        if len(content) < 100:
            raise UnreadablePicture("It is damaged.")
        return self.outcome(job, context, len(content))

    def report(self, context: JobContext) -> None:
        for percent in (10, 90):
            context.progress(percent, "measure")

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        done = OperationResult(operation=job.todo[0], plugin="fake", version="1", found=1)
        return JobOutcome(operations=(done,), result={"size": size})


class Unversioned(GoodHandler):
    breaks = by("test_offers_have_versions_and_are_asked_for", "`versions` gives the output version")
    declares = but(versions={})


class NeverAsked(GoodHandler):
    breaks = by("test_offers_have_versions_and_are_asked_for", "asks for that: offer it")
    declares = but(offers=("another",), versions={"another": "1"})


class Stranger(GoodHandler):
    breaks = by(STORED, "a row that is not of its own photo")

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        row = ResultRow(table="extracted_text", user_id=UUID(int=9), asset_id=UUID(int=9), values={"text": "x"})
        return JobOutcome(rows=(row,))


class Smuggler(GoodHandler):
    breaks = by(STORED, "not in its own folder")

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        return JobOutcome(files={f"{job.user_id}/processed/{job.asset_id}/x": Path("/etc/hostname")})


class Overeager(GoodHandler):
    breaks = by(STORED, "which it was not asked for")

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        return JobOutcome(operations=(OperationResult(operation="ocr", plugin="fake", version="1"),))


class Outdated(GoodHandler):
    breaks = by(STORED, "the version that the spec declares")

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        return JobOutcome(operations=(OperationResult(operation=job.todo[0], plugin="fake", version="0"),))


class Anonymous(GoodHandler):
    breaks = by(STORED, "reported with the plugin")

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        return JobOutcome(operations=(OperationResult(operation=job.todo[0], plugin="", version="1"),))


class Unspeakable(GoodHandler):
    breaks = by(STORED, "can't cross the process boundary")

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        return JobOutcome(result={"sizes": {size}})


class NotJson(GoodHandler):
    breaks = by(STORED, "plain Python values that JSON has")

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        return JobOutcome(result={"size": float("nan")})


class Choosy(GoodHandler):
    breaks = by(STORED, "with an ordinary photo gives a JobOutcome")

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        raise UnreadablePicture("Not to my taste.")


class Backwards(GoodHandler):
    breaks = by(ORDER, "in the order of the jobs")

    def run(self, jobs: Sequence[Job], contexts: Sequence[JobContext]) -> Iterator[JobOutcome | KizuError]:
        yield from reversed(list(super().run(jobs, contexts)))


class Quitter(GoodHandler):
    breaks = by(STORED, "3 jobs give 3 results, not 1")

    def run(self, jobs: Sequence[Job], contexts: Sequence[JobContext]) -> Iterator[JobOutcome | KizuError]:
        yield from super().run(jobs[:1], contexts[:1])


class Counting(GoodHandler):
    breaks = by("test_the_same_job_gives_the_same_outcome", "gives the same outcome")
    numbers: ClassVar[Iterator[int]] = itertools.count()

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        return JobOutcome(result={"number": next(self.numbers)})


class NeedsJobs(GoodHandler):
    breaks = by("test_no_jobs_give_no_results", "IndexError")

    def run(self, jobs: Sequence[Job], contexts: Sequence[JobContext]) -> Iterator[JobOutcome | KizuError]:
        return super().run([jobs[0], *jobs[1:]], contexts)


class Raising(GoodHandler):
    breaks = by("test_a_damaged_photo_harms_no_other_job", "is *yielded* as a KizuError, not raised")

    def run(self, jobs: Sequence[Job], contexts: Sequence[JobContext]) -> Iterator[JobOutcome | KizuError]:
        return (self.one(job, context) for job, context in zip(jobs, contexts, strict=True))


class Silent(GoodHandler):
    breaks = by("test_a_damaged_photo_harms_no_other_job", "a JobOutcome or a KizuError: None")

    def run(self, jobs: Sequence[Job], contexts: Sequence[JobContext]) -> Any:
        for result in super().run(jobs, contexts):
            yield None if isinstance(result, KizuError) else result


class Sulking(GoodHandler):
    breaks = by("test_a_damaged_photo_harms_no_other_job", "The job after a bad one is done")

    def run(self, jobs: Sequence[Job], contexts: Sequence[JobContext]) -> Iterator[JobOutcome | KizuError]:
        spoilt: KizuError | None = None
        for result in super().run(jobs, contexts):
            spoilt = spoilt or (result if isinstance(result, KizuError) else None)
            yield spoilt or result


class TrustsInPhotos(GoodHandler):
    breaks = by("test_a_job_without_a_photo_harms_no_other_job", "is *yielded*")

    def one(self, job: Job, context: JobContext) -> JobOutcome:
        assert context.source is not None
        return super().one(job, context)


class Offended(GoodHandler):
    breaks = by("test_a_job_that_was_taken_back_harms_no_other", "is *yielded*")

    def report(self, context: JobContext) -> None:
        if context.cancelled():
            raise RuntimeError("then not")


class Vandal(GoodHandler):
    breaks = by("test_originals_are_left_as_they_are", "Originals are only read")

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        assert context.source is not None
        with context.source.open("ab") as file:
            file.write(b"seen")
        return super().outcome(job, context, size)


class Litterer(GoodHandler):
    breaks = by("test_originals_are_left_as_they_are", "never beside a photo")

    def outcome(self, job: Job, context: JobContext, size: int) -> JobOutcome:
        assert context.source is not None
        context.source.with_suffix(".xmp").touch()
        return super().outcome(job, context, size)


class Faltering(GoodHandler):
    breaks = by("test_progress_never_falls", "never falls")

    def report(self, context: JobContext) -> None:
        for percent in (90, 10):
            context.progress(percent, None)


class Fractions(GoodHandler):
    breaks = by("test_progress_never_falls", "a whole number from 0 to 100")

    def report(self, context: JobContext) -> None:
        context.progress(0.5, None)  # type: ignore[arg-type]


class Telling(GoodHandler):
    breaks = by("test_it_never_looks_for_the_network", "192.0.2.1")

    def report(self, context: JobContext) -> None:
        call_home()


@hookimpl
def kizu_job_handlers() -> Iterable[JobHandlerSpec]:
    return [JobHandlerSpec(**spec_of(fake)) for fake in all_of(GoodHandler)]


def spec_of(fake: type[Fake]) -> dict[str, Any]:
    name = name_of(fake)
    usual = {"table": JobTable.AI, "job_type": name, "offers": (name,), "versions": {name: "1"}}
    return {**usual, **declared(fake)}
