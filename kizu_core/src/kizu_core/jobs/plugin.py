"""Core as its own first plugin: the handlers for pictures, and one to prove the queue with."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core.plugins.hookspecs import hookimpl
from kizu_core.plugins.specs import FaceClustererSpec, JobHandlerSpec
from kizu_core.types import GENERATE_MOMENTS, NEXT, OPERATION_MODELS, RECLUSTER, SELFTEST, SPACED, JobTable

OPTIMIZE_VERSION = "1"
"""Raised when thumbnails or web versions come out differently, so that old ones are made anew."""

MOMENTS_VERSION = "1"
MOMENTS_TIMEOUT_S = 900
"""For all strategies over all photos of a user, some of which may be another's and slow."""

RECLUSTER_VERSION = "1"
RECLUSTER_TIMEOUT_S = 6 * 3600
"""The leader method takes seconds to minutes; other clusterers compare each face with each other one."""

OPERATION_TIMEOUT_S = 300
"""For one model and one picture, loading the model included."""


@hookimpl
def kizu_face_clusterers() -> Iterable[FaceClustererSpec]:
    return [
        FaceClustererSpec(
            name="leader",
            summary="groups faces by the mean faces of people; a hundred thousand in seconds",
            factory="kizu_core.people.leader:build",
            output_version="1",
            memory_mb=600,
        )
    ]


@hookimpl
def kizu_job_handlers() -> Iterable[JobHandlerSpec]:
    return [
        *_of_libraries(),
        JobHandlerSpec(
            name="image-ai",
            summary="search vectors, faces, objects, text and captions of a picture",
            table=JobTable.AI,
            job_type="image_ai",
            factory="kizu_core.jobs.image_ai:build",
            offers=tuple(OPERATION_MODELS),
            timeout_s=5 * OPERATION_TIMEOUT_S,
            step_timeout_s=OPERATION_TIMEOUT_S,
        ),
        JobHandlerSpec(
            name="next-model",
            summary="search vectors and faces by the model that `kizu models switch` changes to",
            table=JobTable.AI,
            job_type="next_model",
            factory="kizu_core.jobs.image_ai:build",
            offers=tuple(NEXT + operation for operation in SPACED),
            timeout_s=2 * OPERATION_TIMEOUT_S,
            step_timeout_s=OPERATION_TIMEOUT_S,
        ),
        JobHandlerSpec(
            name="optimize",
            summary="thumbnails and web versions",
            table=JobTable.IMAGE,
            job_type="optimize",
            factory="kizu_core.jobs.optimize:build",
            offers=("optimize",),
            timeout_s=120,
            versions={"optimize": OPTIMIZE_VERSION},
        ),
        JobHandlerSpec(  # never offered without the setting KIZU_SELFTEST
            name=SELFTEST,
            summary="proves the queue; works with KIZU_SELFTEST=1 only",
            table=JobTable.AI,
            job_type=SELFTEST,
            factory="kizu_core.jobs.selftest:build",
            offers=(SELFTEST,),
            timeout_s=120,
            batch=100,
        ),
    ]


def _of_libraries() -> Iterable[JobHandlerSpec]:
    """Those whose jobs are about all of a user's photos at once."""
    return [
        JobHandlerSpec(
            name="recluster",
            summary="people: all faces of a library, grouped anew",
            table=JobTable.AI,
            job_type=RECLUSTER,
            factory="kizu_core.jobs.recluster:build",
            offers=(RECLUSTER,),
            timeout_s=RECLUSTER_TIMEOUT_S,
            batch=1,
            versions={RECLUSTER: RECLUSTER_VERSION},
        ),
        JobHandlerSpec(
            name="moments",
            summary="the moments of the day: photos that belong together",
            table=JobTable.AI,
            job_type=GENERATE_MOMENTS,
            factory="kizu_core.jobs.moments:build",
            offers=(GENERATE_MOMENTS,),
            timeout_s=MOMENTS_TIMEOUT_S,
            batch=1,
            versions={GENERATE_MOMENTS: MOMENTS_VERSION},
        ),
    ]
