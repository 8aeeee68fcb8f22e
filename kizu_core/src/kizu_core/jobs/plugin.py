"""Core as its own first plugin: the handlers for pictures."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core.plugins.hookspecs import hookimpl
from kizu_core.plugins.specs import JobHandlerSpec
from kizu_core.types import OPERATION_MODELS, JobTable

OPTIMIZE_VERSION = "1"
"""Raised when thumbnails or web versions come out differently, so that old ones are made anew."""


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
    ]
