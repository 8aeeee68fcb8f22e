"""`kizu demo`: the main job on a small library that Kizu draws itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kizu_core.cli.context import settings_of

DEMO_USER = "demo"
"""A user of its own, so that drawn pictures never mix with anybody's photos."""


def demo(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help="Where to draw the pictures (default: in the data folder).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line: events, then a summary.")] = False,
) -> None:
    """Draw a small photo library and run everything over it: a look at Kizu without photos of your own.

    Example: kizu demo
    """
    from kizu_core.cli.job import RunOptions, run_folder
    from kizu_core.library.demo import draw_demo

    settings = settings_of(ctx)
    place = folder or settings.home / "demo"
    drawn = draw_demo(place)
    before = f"Drew {len(drawn)} pictures in {place}."
    raise typer.Exit(run_folder(settings, place, DEMO_USER, RunOptions(as_json=as_json), before=before))
