"""`kizu run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kizu_core.cli.assets import User
from kizu_core.cli.context import settings_of


def run(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The folder with your photos; it is only ever read.")],
    user: User = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line: events, then a summary.")] = False,
) -> None:
    """Bring a folder of photos in and work until everything is done.

    Run it again at any time: it reads only what is new or changed, and goes on where it was stopped.
    Exit codes: 0 done, 3 done but some files could not be read, 130 stopped by Ctrl-C, others: it could not run.

    Examples:

      kizu run ~/Photos

      kizu run /media/disk/DCIM --user Anna --json
    """
    from kizu_core.cli.job import run_folder

    raise typer.Exit(run_folder(settings_of(ctx), folder, user, as_json=as_json))
