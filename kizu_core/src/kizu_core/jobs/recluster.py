"""Handler `recluster`: all faces of a user grouped into people, by the clusterer that is the default."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from kizu_core.errors import JobError
from kizu_core.jobs.plugin import RECLUSTER_VERSION
from kizu_core.jobs.single import SingleHandler
from kizu_core.people.service import ClusteringService, Grouping
from kizu_core.plugins.protocols import JobContext
from kizu_core.settings import Settings
from kizu_core.types import RECLUSTER, FaceTable, Job, JobOutcome, ModelType, OperationResult, ResultRow


class ReclusterHandler(SingleHandler):
    """One user after the other. What came of it is stored by the database, which knows what was said meanwhile."""

    def one(self, job: Job, context: JobContext) -> JobOutcome:
        started = time.monotonic()
        clusterer = context.models.get(ModelType.FACE_CLUSTERER)
        context.progress(0, "faces")
        table = context.library.faces()
        _check_space(table, context)
        context.progress(20, RECLUSTER)
        service = ClusteringService(clusterer)
        grouping = service.group(
            table, context.library.people(), lambda percent: context.progress(20 + percent * 80 // 100, RECLUSTER)
        )
        done = OperationResult(
            operation=RECLUSTER,
            plugin=context.models.spec(ModelType.FACE_CLUSTERER).name,
            version=RECLUSTER_VERSION,
            space=table.space or None,
            found=len(grouping.persons),
            seconds=time.monotonic() - started,
        )
        return JobOutcome(operations=(done,), rows=tuple(_rows(job, table, grouping)), result=_told(table, grouping))


def build(settings: Settings) -> ReclusterHandler:
    """The handler, as named by the core's plugin module."""
    return ReclusterHandler()


def _check_space(table: FaceTable, context: JobContext) -> None:
    """Raises `JobError` for a clusterer whose thresholds mean nothing for these faces."""
    spec = context.models.spec(ModelType.FACE_CLUSTERER)
    spaces = getattr(spec, "spaces", ())
    if table.space and spaces and table.space not in spaces:
        raise JobError(
            f"The clusterer {spec.name} is made for the faces of other models, not for {table.space}.",
            hint="`kizu models use face-clusterer leader` chooses the one that takes any.",
        )


def _rows(job: Job, table: FaceTable, grouping: Grouping) -> Iterator[ResultRow]:
    for person, faces in grouping.persons.items():
        yield _row(job, "face_clusters", {"id": person, "faces": [table.ids[face] for face in faces]})
    for review in grouping.reviews:
        values = {"kind": review.kind, "a": review.a, "b": review.b, "score": review.score}
        yield _row(job, "face_reviews", values)


def _row(job: Job, table: str, values: Mapping[str, Any]) -> ResultRow:
    return ResultRow(table=table, user_id=job.user_id, asset_id=None, values=values)


def _told(table: FaceTable, grouping: Grouping) -> Mapping[str, object]:
    """What the job's row tells: a face that has nobody is not good enough, or like no other."""
    grouped = sum(map(len, grouping.persons.values()))
    return {
        "faces": len(table.ids),
        "not_usable": int((~table.usable).sum()),
        "people": len(grouping.persons),
        "grouped": grouped,
        "alone": len(table.ids) - grouped,
        "reviews": len(grouping.reviews),
    }
