"""`kizu moments`: what belongs together in the photos, made anew each day, with the reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kizu_core.cli import moments_wishes as wishes
from kizu_core.cli.assets import AsJson, User
from kizu_core.cli.context import DONE, DONE_WITH_FAILURES, conclude, print_json, print_lines, settings_of
from kizu_core.cli.moments_shown import describe, faults_of, listed, open_moment, open_moments, why_none
from kizu_core.cli.progress import plural

app = typer.Typer(
    invoke_without_command=True,
    help="Moments: journeys, afternoons, people, this week in other years. A few new ones come each day; those that "
    "nobody saves go again. Without a command: those of today, or why there are none.",
)

Json = dict[str, Any]
Moment = Annotated[str, typer.Argument(metavar="MOMENT", help="Its id, or the beginning of it.")]
Open = Annotated[bool, typer.Option("--open", help="Show it in your browser.")]


@app.callback()
def moments(ctx: typer.Context, open_: Open = False, user: User = None, as_json: AsJson = False) -> None:
    if ctx.invoked_subcommand is None:
        today(ctx, open_, user, as_json)
    elif open_ or user is not None or as_json:
        raise typer.BadParameter(f"options of `{ctx.invoked_subcommand}` come after it, not before.")


@app.command("generate")
def generate(
    ctx: typer.Context,
    later: Annotated[bool, typer.Option("--later", help="Only ask for it: the next worker does it.")] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Look for today's moments now. Done again, it makes none twice; photos that came since join those they belong to.

    Examples:

      kizu moments generate

      kizu moments generate --later
    """
    from kizu_core.api import open_library
    from kizu_core.cli import moments_run

    with open_library(settings_of(ctx), user, pin=True) as library:
        if later:
            job = library.moments.ask()
            print_json({"job": job}) if as_json else typer.echo("A worker will look: `kizu run` and `kizu worker` do.")
            return
        result = moments_run.generate(library)
        new = list(library.moments.all(today=True))
    if as_json:
        print_json(result)
    else:
        print_lines(moments_run.lines_of(result, new))
    raise typer.Exit(DONE_WITH_FAILURES if any(faults_of(result)) else DONE)


@app.command("today")
def today(ctx: typer.Context, open_: Open = False, user: User = None, as_json: AsJson = False) -> None:
    """Show the moments of today, or why there are none and what to do.

    Examples:

      kizu moments today

      kizu moments today --open
    """
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        found = list(library.moments.all(today=True))
        state = library.moments.state()
        if open_ and found:
            open_moments(library, "Moments of today", found)
            return
    if as_json:
        print_json({"moments": found, "last": state["last"]})
    elif found:
        print_lines(listed(found))
    else:
        print_lines(why_none(state))


@app.command("list")
def list_moments(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the latest first.")] = 50,
    saved: Annotated[bool, typer.Option("--saved", help="Only those you keep.")] = False,
    hidden: Annotated[bool, typer.Option("--hidden", help="Only those you hid.")] = False,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Such as location, people or event.")] = None,
    open_: Open = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """List the moments that there are, the latest first.

    Examples:

      kizu moments list

      kizu moments list --saved --open
    """
    from itertools import islice

    from kizu_core.api import open_library

    where = {"saved": saved or None, "hidden": hidden or None, "kind": kind}
    chosen = {key: value for key, value in where.items() if value is not None}
    with open_library(settings_of(ctx), user) as library:
        found = list(islice(library.moments.all(**chosen), limit))
        state = library.moments.state()
        if open_ and found:
            open_moments(library, "Moments", found)
            return
    if as_json:
        for one in found:
            print_json(one)
    elif found:
        print_lines(listed(found))
    else:
        print_lines(["There are none of these."] if chosen else why_none(state))


@app.command("show")
def show(ctx: typer.Context, moment: Moment, open_: Open = False, user: User = None, as_json: AsJson = False) -> None:
    """Show one moment: its photos, and why it was made.

    Examples:

      kizu moments show 3f2a

      kizu moments show 3f2a --open
    """
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        found = library.moments.show(moment)
        if open_:
            open_moment(library, found)
            return
    if as_json:
        print_json(found)
    else:
        print_lines(describe(found))


@app.command("save")
def save(
    ctx: typer.Context,
    moment: Moment,
    undo: Annotated[bool, typer.Option("--undo", help="Keep it no longer.")] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Keep a moment for ever, as it is now.

    Example: kizu moments save 3f2a
    """
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        found = library.moments.save(moment, saved=not undo)
    conclude(found, f"“{found['title']}” is {'no longer kept' if undo else 'kept'}.", as_json=as_json)


@app.command("hide")
def hide(
    ctx: typer.Context,
    moment: Moment,
    undo: Annotated[bool, typer.Option("--undo", help="Show it again.")] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Never show a moment again. Its photos stay in the library and in other moments.

    Example: kizu moments hide 3f2a
    """
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        found = library.moments.hide(moment, hidden=not undo)
    conclude(found, f"“{found['title']}” is {'shown again' if undo else 'hidden'}.", as_json=as_json)


@app.command("export")
def export(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to; outside your photo folders.")],
    wanted: Annotated[list[str] | None, typer.Argument(metavar="MOMENT", help="Ids (default: all you keep).")] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Hard links: no space, but a change changes the original.")
    ] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Copy the originals of moments into folders of their own, each with an index. Run it again to go on or add more.

    Nothing there is overwritten, and originals are only read.

    Examples:

      kizu moments export ~/Desktop/Moments 3f2a

      kizu moments export /media/stick
    """
    from dataclasses import asdict

    from kizu_core.api import open_library
    from kizu_core.errors import LibraryError

    with open_library(settings_of(ctx), user) as library:
        ids = wanted or [one["id"] for one in library.moments.all(saved=True)]
        if not ids:
            raise LibraryError("You keep no moment yet.", hint="`kizu moments save MOMENT`, or name those to export.")
        chosen = [library.moments.show(one) for one in ids]
        done = [library.moments.export(one, folder, link=link) for one in chosen]
    if as_json:
        print_json([asdict(one) for one in done])
    for one in done if not as_json else ():
        again = f", {one.there:,} were there" if one.there else ""
        print_lines([f"{one.folder}: {plural(one.written, 'file')} written{again}."])
        print_lines([f"    {name}: {why}" for name, why in one.failed.items()])
    raise typer.Exit(DONE_WITH_FAILURES if any(one.failed for one in done) else DONE)


app.command("block")(wishes.block)
app.command("blocks")(wishes.blocks)
app.command("unblock")(wishes.unblock)
app.command("settings")(wishes.settings)
