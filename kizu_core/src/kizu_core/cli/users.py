"""`kizu users`: whose photos are kept here."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from kizu_core.cli.assets import AsJson
from kizu_core.cli.context import aligned, print_json, settings_of

if TYPE_CHECKING:
    from kizu_core.library.users import Users

app = typer.Typer(
    no_args_is_help=True,
    help="The people whose photos are kept here. Nobody sees another one's photos; most need only the one called `me`.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `kizu users list` shows it.")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Any name of up to 80 characters.")]

_KINDS: Mapping[str, tuple[str, str]] = {
    "photos": ("photo or video", "photos and videos"),
    "thumbnails": ("thumbnail", "thumbnails"),
    "faces": ("face", "faces"),
    "people": ("person", "people"),
    "texts": ("line of text", "lines of text"),
    "moments": ("moment", "moments"),
    "roots": ("folder", "folders"),
    "jobs": ("entry in the list of work", "entries in the list of work"),
}
"""Count -> what one and several are called."""


@app.command("list")
def list_users(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List everybody whose photos are kept here. A star marks whose library commands work on unless told otherwise.

    Example: kizu users list
    """
    default = settings_of(ctx).user
    with _users(ctx) as users:
        found = users.all()
    if as_json:
        print_json([{**asdict(user), "default": user.name == default} for user in found])
        return
    if not found:
        typer.echo(f"Nobody yet: the first `kizu run FOLDER` makes {default!r}.")
        return
    table = [("", "NAME", "PHOTOS", "FOLDERS", "SINCE", "ID")]
    for user in found:
        star = "*" if user.name == default else ""
        since = (user.created_at or "")[:10]
        table.append((star, user.name, f"{user.photos:,}", str(user.roots), since, str(user.id)))
    for line in aligned(table):
        typer.echo(line)


@app.command("add")
def add(ctx: typer.Context, name: NewName, as_json: AsJson = False) -> None:
    """Add somebody; their photos then come in with `kizu run FOLDER --user NAME`.

    Example: kizu users add Anna
    """
    with _users(ctx) as users:
        made = users.add(name)
    if as_json:
        print_json({"id": made, "name": name.strip()})
    else:
        typer.echo(f"Added {name.strip()}. Their photos come in with `kizu run FOLDER --user NAME`.")


@app.command("rename")
def rename(ctx: typer.Context, name: Name, new_name: NewName, as_json: AsJson = False) -> None:
    """Give somebody another name; nothing else changes.

    Example: kizu users rename me Anna
    """
    settings = settings_of(ctx)
    with _users(ctx) as users:
        user = users.find(name)
        now = users.rename(user, new_name)
    if as_json:
        print_json({"id": user.id, "name": now})
        return
    typer.echo(f"{user.name} is now called {now}.")
    if user.name == settings.user:
        typer.echo(f"Commands still mean {settings.user!r} unless told otherwise: set KIZU_USER, or use --user.")


@app.command("delete")
def delete(
    ctx: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget somebody: all that Kizu found in their photos, thumbnails, folders, names. The photos themselves stay.

    Example: kizu users delete Anna
    """
    with _users(ctx) as users:
        user = users.find(name)
        counts = users.counts(user)
        if not as_json:
            _say_counts(user.name, counts)
        if not yes:
            _ask(user.name)
        gone = users.delete(user)
    if as_json:
        print_json({"id": user.id, "name": user.name, "counts": counts, "deleted": gone})
    else:
        typer.echo(f"{user.name} is deleted. No photo was touched.")


def _say_counts(name: str, counts: Mapping[str, int]) -> None:
    typer.echo(f"Kizu keeps of {name}:")
    shown = {kind: count for kind, count in counts.items() if count}
    for kind in (one for one in _KINDS if one in shown):
        one, several = _KINDS[kind]
        typer.echo(f"  {shown[kind]:>10,} {one if shown[kind] == 1 else several}")
    if not shown:
        typer.echo("  nothing but the name")


def _ask(name: str) -> None:
    """Ends the command unless a person at a terminal says yes."""
    from kizu_core.errors import LibraryError

    if not sys.stdin.isatty():
        raise LibraryError(f"{name} was not deleted: nobody can be asked here.", hint="Add --yes to do it unasked.")
    if not typer.confirm("Delete all of this for good? The photo files themselves stay.", err=True):
        typer.echo("Nothing was deleted.")
        raise typer.Exit(1)


@contextmanager
def _users(ctx: typer.Context) -> Iterator[Users]:
    from kizu_core.blobs.local import LocalBlobs
    from kizu_core.database import open_database
    from kizu_core.library.users import Users

    settings = settings_of(ctx)
    with open_database(settings) as database:
        yield Users(database, LocalBlobs(settings.blobs_dir), settings.paths)
