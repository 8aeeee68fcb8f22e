"""Handler `moments`: the day's moments of one user."""

from __future__ import annotations

import time
from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

from kizu_core.errors import JobCancelled
from kizu_core.jobs.plugin import MOMENTS_VERSION
from kizu_core.jobs.single import SingleHandler
from kizu_core.models.selection import load_catalog
from kizu_core.moments.proposals import Strategy
from kizu_core.moments.service import MomentsService
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.protocols import JobContext
from kizu_core.plugins.specs import MomentStrategySpec
from kizu_core.settings import Settings
from kizu_core.types import GENERATE_MOMENTS, Job, JobOutcome, OperationResult, ResultRow


class MomentsHandler(SingleHandler):
    """`GENERATE_MOMENTS` jobs. The outcome's result says what was found, and why nothing, if so."""

    def __init__(self, service: MomentsService) -> None:
        self._service = service

    def one(self, job: Job, context: JobContext) -> JobOutcome:
        started = time.monotonic()

        def tell(percent: int, step: str) -> None:
            if context.cancelled():
                raise JobCancelled("Taken back while moments were looked for.")
            context.progress(percent, step)

        made = self._service.generate(job.user_id, context.library, tell)
        done = OperationResult(
            operation=GENERATE_MOMENTS,
            plugin="core",
            version=MOMENTS_VERSION,
            found=len(made.moments),
            seconds=time.monotonic() - started,
        )
        rows = [ResultRow(table="moments", user_id=job.user_id, asset_id=None, values=one) for one in made.moments]
        return JobOutcome(operations=(done,), rows=tuple(rows), result=made.report)


def build(settings: Settings) -> MomentsHandler:
    """The handler, as named by the core's plugin module."""
    return MomentsHandler(MomentsService(strategies(load_catalog(settings), settings)))


def strategies(catalog: Catalog, settings: Settings) -> list[Strategy]:
    """Those of all plugins, built when asked: a broken one fails there, alone."""
    return [
        Strategy(spec=spec, plugin=catalog.author(spec).name, build=_builder(spec, settings))
        for spec in catalog.strategies()
    ]


def _builder(spec: MomentStrategySpec, settings: Settings) -> Callable[[], Any]:
    return lambda: resolve_name(spec.factory)(settings)
