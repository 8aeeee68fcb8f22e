"""Core as its own first plugin: the handlers for pictures, and one to prove the queue with."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core.plugins.hookspecs import hookimpl
from kizu_core.plugins.specs import JobHandlerSpec
from kizu_core.types import OPERATION_MODELS, SELFTEST, JobTable

OPTIMIZE_VERSION = "1"
"""Raised when thumbnails or web versions come out differently, so that old ones are made anew."""

OPERATION_TIMEOUT_S = 300
"""For one model and one picture, loading the model included."""


@hookimpl
def kizu_job_handlers() -> Iterable[JobHandlerSpec]:
    return [
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
