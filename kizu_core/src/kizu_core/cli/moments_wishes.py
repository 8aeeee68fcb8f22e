"""`kizu moments block`, `unblock`, `settings`: what is wanted of moments, and what is not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import typer

from kizu_core.cli.assets import AsJson, User
from kizu_core.cli.context import conclude, print_json, print_lines, settings_of
from kizu_core.cli.moments_shown import of_block, settings_lines
from kizu_core.cli.progress import plural

DAY = "%Y-%m-%d"
Person = Annotated[str | None, typer.Option("--person", metavar="PERSON", help="A name, or an id of a person.")]
Place = Annotated[str | None, typer.Option("--place", metavar="NAME", help="A spot, city, county, state or country.")]
First = Annotated[datetime | None, typer.Option("--from", formats=[DAY], metavar="DATE", help="As 2021-03-01.")]
Last = Annotated[datetime | None, typer.Option("--to", formats=[DAY], metavar="DATE", help="That day, too.")]


def block(
    ctx: typer.Context,
    person: Person = None,
    place: Place = None,
    first: First = None,
    last: Last = None,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Keep a person, a place or some days out of all moments, those that exist included. Photos and search keep them.

    Examples:

      kizu moments block --person Eva

      kizu moments block --place "Lake Garda"

      kizu moments block --from 2021-03-01 --to 2021-06-30
    """
    from kizu_core.api import open_library

    if (first is None) != (last is None) or sum(one is not None for one in (person, place, first)) != 1:
        raise typer.BadParameter("say one of --person, --place, or --from and --to.")
    if first and last and first > last:
        raise typer.BadParameter("the last day is before the first.", param_hint="--to")
    if place is not None and not place.strip():
        raise typer.BadParameter("a place has a name.", param_hint="--place")
    days = (first.date(), last.date()) if first and last else None
    with open_library(settings_of(ctx), user) as library:
        made = library.moments.block(person=person, place=place, days=days)
    sentence = f"No moment shows {of_block(made)} any more: {plural(made['photos'], 'photo')} now, and any that come."
    conclude(made, f"{sentence} Back: kizu moments unblock {made['id'][:8]}", as_json=as_json)


def blocks(ctx: typer.Context, user: User = None, as_json: AsJson = False) -> None:
    """List what is kept out of moments.

    Example: kizu moments blocks
    """
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        found = library.moments.blocks()
    if as_json:
        print_json(found)
    else:
        print_lines([f"{one['id'][:8]}  {of_block(one)}, {plural(one['photos'], 'photo')}" for one in found])
        print_lines([] if found else ["Nothing is blocked. `kizu moments block --help` tells what can be."])


def unblock(
    ctx: typer.Context,
    block_id: Annotated[str, typer.Argument(metavar="BLOCK", help="Its id, as `blocks` shows it.")],
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Take a block back; the photos return to the moments that hold them.

    Example: kizu moments unblock 3f2a91bc
    """
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        found = library.moments.unblock(block_id)
    conclude(found, f"Moments may show {of_block(found)} again.", as_json=as_json)


def settings(
    ctx: typer.Context,
    switched: Annotated[bool | None, typer.Option("--on/--off", help="Whether there are moments at all.")] = None,
    time: Annotated[str | None, typer.Option("--time", metavar="HH:MM", help="When new ones come.")] = None,
    zone: Annotated[str | None, typer.Option("--zone", metavar="ZONE", help="By whose clock: Asia/Tokyo, say.")] = None,
    keep_days: Annotated[int | None, typer.Option("--keep-days", metavar="N", help="Life of unsaved ones.")] = None,
    most: Annotated[int | None, typer.Option("--most", metavar="N", help="New ones a day, at most.")] = None,
    kinds: Annotated[list[str] | None, typer.Option("--kind", metavar="NAME=on|off", help="Switch a kind.")] = None,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Show how moments are made, and change it.

    Examples:

      kizu moments settings

      kizu moments settings --time 18:30 --most 3 --kind moments_people=off
    """
    from kizu_core.api import open_library
    from kizu_core.moments import preferences as names

    given = {
        names.ENABLED: switched,
        names.TIME: time,
        names.KEEP_DAYS: keep_days,
        names.MOST_A_DAY: most,
        **_switches(kinds or []),
    }
    change = {key: value for key, value in given.items() if value is not None}
    with open_library(settings_of(ctx), user) as library:
        if change or zone:
            library.moments.change(change, zone)
        found = library.moments.settings()
    if as_json:
        print_json(found)
    else:
        print_lines(settings_lines(found))


def _switches(kinds: Iterable[str]) -> dict[str, bool]:
    found = {}
    for one in kinds:
        name, _, value = one.partition("=")
        if value not in ("on", "off"):
            raise typer.BadParameter(f"{one!r} is not like moments_people=off.", param_hint="--kind")
        found[name] = value == "on"
    return found
