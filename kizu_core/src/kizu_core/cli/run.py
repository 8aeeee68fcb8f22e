"""`kizu run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kizu_core.cli.assets import User
from kizu_core.cli.context import settings_of

if TYPE_CHECKING:
    from kizu_core.settings import Settings

SOME = "What to do, of `optimize`, `embedding`, `faces`, `objects`, `ocr`, `describe`; with commas (default: all)."


def run(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The folder with your photos; it is only ever read.")],
    user: User = None,
    operations: Annotated[str | None, typer.Option("--operations", metavar="NAMES", help=SOME)] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done and how long it takes; change nothing.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name examples of what is passed over.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Start also where the disk seems too small.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per line: events, then a summary. One alone for --dry-run.")
    ] = False,
) -> None:
    """Bring a folder of photos in and work until everything is done.

    Run it again at any time: it reads only what is new or changed, and goes on where it was stopped.
    Exit codes: 0 done, 3 done but some files could not be read, 130 stopped by Ctrl-C, others: it could not run.

    Examples:

      kizu run ~/Photos

      kizu run ~/Photos --dry-run

      kizu run ~/Photos --operations optimize,ocr

      kizu run /media/disk/DCIM --user Anna --json
    """
    from kizu_core.cli import dry_run as dry
    from kizu_core.cli.job import RunOptions, run_folder

    settings = settings_of(ctx)
    chosen = None if operations is None else _chosen(settings, operations)
    if dry_run:
        code = dry.dry_run(settings, folder, user, chosen, as_json=as_json, verbose=verbose)
    else:
        options = RunOptions(as_json=as_json, operations=chosen, verbose=verbose, anyway=anyway)
        code = run_folder(settings, folder, user, options)
    raise typer.Exit(code)


def _chosen(settings: Settings, text: str) -> tuple[str, ...]:
    """Operations by name. Ends the command for one that no model here is made for, saying which are and why not.

    One whose model lacks its weights may be named: its photos wait.
    """
    from kizu_core.models.offers import gaps, photo_offers
    from kizu_core.models.selection import load_catalog

    catalog = load_catalog(settings)
    named = tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))
    can = [offer.entry for offer in (*photo_offers(catalog, settings), *photo_offers(catalog, settings, named))]
    if named and set(named) <= set(can):
        return named
    why = {gap.operation: f"{gap.reason} {gap.hint}" for gap in gaps(catalog, settings)}
    wrong = [
        f"{name!r} can't be done here: {why.get(name, 'nothing is called so.')}" for name in named if name not in can
    ]
    lines = [*(wrong or ["none is named."]), f"Possible here: {', '.join(dict.fromkeys(can))}."]
    raise typer.BadParameter("\n".join(lines), param_hint="--operations")
