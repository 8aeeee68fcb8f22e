"""`kizu uninstall`: Kizu's own files go, the photos stay."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from kizu_core.cli.asking import confirm
from kizu_core.cli.context import aligned, settings_of, size_of

if TYPE_CHECKING:
    from pathlib import Path

    from kizu_core.library.removal import Survey
    from kizu_core.settings import Settings

SHOWN = 5


def uninstall(
    ctx: typer.Context,
    keep_data: Annotated[
        bool, typer.Option("--keep-data", help="Keep database, thumbnails, backups and settings.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove what Kizu keeps on this machine, after showing it. Your photos are never touched.

    Examples:

      kizu uninstall

      kizu uninstall --keep-data --yes
    """
    from kizu_core.database.embedded.launcher import Embedded
    from kizu_core.library.removal import refuse_photos, remove, roots_of, survey
    from kizu_core.worker.warm import end_keeper

    settings = settings_of(ctx)
    paths = settings.paths
    if not paths.home.is_dir():
        typer.echo(f"There is no data folder {paths.home}.")
    else:
        server = Embedded(paths, lambda sentence: typer.echo(sentence, err=True))
        roots = roots_of(server)
        refuse_photos(survey(paths, keep_data=keep_data), roots)
        _show(survey(paths, keep_data=keep_data), settings)
        if not yes:
            confirm("Remove all this?", "Nothing was removed")

        def stop_and_remove() -> None:
            end_keeper(paths)
            server.stop()
            found = survey(paths, keep_data=keep_data)
            refuse_photos(found, roots)
            remove(found)

        server.alone(stop_and_remove)
        typer.echo("Done." if paths.home.exists() else f"Done. {paths.home} is gone.")
    typer.echo(f"To remove the programs: {_pip_line()}")


def _show(found: Survey, settings: Settings) -> None:
    typer.echo(f"In {found.home}:")
    rows = [(part.name, size_of(part.bytes), f"{len(part.files):,} files") for part in found.parts]
    for line in aligned([*rows, ("together", size_of(found.bytes), "")]):
        typer.echo(f"  {line}")
    if found.others:
        shown = ", ".join(str(path.relative_to(found.home)) for path in found.others[:SHOWN])
        more = f" and {len(found.others) - SHOWN:,} more" if len(found.others) > SHOWN else ""
        typer.echo(f"Not Kizu's, and left where it is: {shown}{more}")
    for folder in _elsewhere(settings):
        typer.echo(f"Outside the data folder, and left as it is: {folder}")


def _elsewhere(settings: Settings) -> Iterator[Path | str]:
    """What Kizu uses and does not remove, because somebody chose its place."""
    for chosen in (settings.blobs, settings.model_cache_dir):
        if chosen is not None and not chosen.absolute().is_relative_to(settings.home):
            yield chosen
    if settings.database_url is not None:
        from kizu_core.database.trouble import place_of

        yield place_of(settings.database_url.get_secret_value())


def _pip_line() -> str:
    """The command that removes what is installed of Kizu from this Python."""
    from importlib.metadata import entry_points

    names = {"kizu-core", *(point.dist.name for point in entry_points(group="kizu") if point.dist is not None)}
    return shlex.join([sys.executable, "-m", "pip", "uninstall", *sorted(names)])
