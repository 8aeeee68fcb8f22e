"""`kizu run` lacks weights: one question, and then they come before the work begins, or photos wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from kizu_core.cli.bench import bench_after
from kizu_core.cli.consent import ask_for_terms
from kizu_core.cli.context import show_error
from kizu_core.cli.store import show_arrivals, show_plan, watching

if TYPE_CHECKING:
    from kizu_core.api import Library
    from kizu_core.models.offers import Gap
    from kizu_core.plugins.specs import ModelSpec
    from kizu_core.settings import Settings

LATER = "These photos wait. Later: kizu models pull --missing"


def fetch_lacking(library: Library, gaps: Sequence[Gap]) -> None:
    """Asks once for all that can be fetched, and for terms. Whatever is not to be had waits; the run goes on."""
    from kizu_core.errors import KizuError
    from kizu_core.types import OPERATION_MODELS

    specs = [library.catalog.model(OPERATION_MODELS[gap.operation]) for gap in gaps]
    try:
        _fetch(specs, library.settings)
    except KizuError as error:
        show_error(error)
    library.look_again()


def _fetch(specs: Sequence[ModelSpec], settings: Settings) -> None:
    from kizu_core.models.store import item_of, pull

    items = [item_of(spec, weight, settings, digest=False) for spec in specs for weight in spec.weights]
    wanted = [item for item in items if not item.is_here and item.source is not None]
    if wanted:
        show_plan(wanted, settings)
        if not typer.confirm("Some photos wait for these models. Download them now?", err=True):
            typer.echo(LATER)
            return
    ask_for_terms(specs, settings)
    if wanted:
        with watching(as_json=False) as watcher:
            arrivals = pull(wanted, settings, watcher)
        show_arrivals(arrivals)
        bench_after(specs, settings)
