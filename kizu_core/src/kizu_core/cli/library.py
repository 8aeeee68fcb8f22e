"""`kizu library`: the folders of the library, and where they went."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from kizu_core.cli.assets import AsJson, User
from kizu_core.cli.context import aligned, print_json, settings_of

app = typer.Typer(
    help="The folders of your library: which they are, and what to do when one moved.", no_args_is_help=True
)


@app.command("list")
def list_folders(ctx: typer.Context, user: User = None, as_json: AsJson = False) -> None:
    """List the folders of the library, whether they are connected, and how many photos and videos each holds.

    Example: kizu library list
    """
    from kizu_core.api import open_library
    from kizu_core.library.relocate import folders

    with open_library(settings_of(ctx), user) as library:
        found = folders(library.database, library.user)
    if as_json:
        print_json(found)
        return
    if not found:
        typer.echo("No folders yet. Add one with: kizu run FOLDER")
        return
    table = [("STATE", "PHOTOS", "LAST LOOKED AT", "FOLDER")]
    for line in aligned([*table, *(_row(one) for one in found)]):
        typer.echo(line)


@app.command()
def relocate(
    ctx: typer.Context,
    old: Annotated[Path, typer.Argument(help="Where the photos were, as `kizu library list` shows it, or above.")],
    new: Annotated[Path, typer.Argument(help="Where they are now.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look, and tell what would change.")] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Tell the library that a folder moved, so that nothing of it has to be read or worked out again.

    The photos themselves are not touched: move them yourself first. Folders of the library below OLD move along.

    Examples:

      kizu library relocate /media/old-disk /media/new-disk --dry-run

      kizu library relocate ~/Photos /srv/photos
    """
    from kizu_core.api import open_library
    from kizu_core.library.relocate import relocate as run

    with open_library(settings_of(ctx), user) as library:
        moves = run(library.database, library.user, old, new, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, "moves": [asdict(move) for move in moves]})
        return
    for move in moves:
        looked = f"{move.there} of {move.looked_at} looked for are there" if move.looked_at else "it was empty"
        typer.echo(f"{move.old} -> {move.new}  ({move.files:,} files; {looked})")
    typer.echo("Nothing was changed." if dry_run else "Moved. The next `kizu run` reads only what is new or changed.")


def _row(folder: dict[str, Any]) -> tuple[str, ...]:
    state = "connected" if folder["there"] and folder["state"] == "online" else "not connected"
    seen = (folder["last_scan"] or "never").replace("T", " ")[:16]
    return state, f"{folder['photos']:,}", seen, folder["path"]
