"""`kizu assets edit|hide|forget`: what the user says about photos."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from kizu_core.cli.assets import AsJson, User
from kizu_core.cli.context import settings_of
from kizu_core.cli.corrections import conclude
from kizu_core.cli.progress import plural

if TYPE_CHECKING:
    from kizu_core.api import Library

Json = dict[str, Any]
Photos = Annotated[list[str], typer.Argument(metavar="PHOTO...", help="Paths, file names or ids.")]

_DATE_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NOON = time(12)
UNDO = "kizu assets undo"


def edit(
    ctx: typer.Context,
    photos: Photos,
    date: Annotated[
        str | None,
        typer.Option("--date", metavar="DATE", help="When it was taken: 2024-07-13, or with a time 2024-07-13 18:30."),
    ] = None,
    place: Annotated[str | None, typer.Option("--place", metavar="NAME", help="Where it was taken, in words.")] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="LAT,LON", help="Where it was taken, in degrees: 48.8584,2.2945.")
    ] = None,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Put right when or where photos were taken. The files stay as they are; Kizu goes by what you say.

    A date without a time keeps the time of day that the photo has, so that several stay in order.

    Examples:

      kizu assets edit scan1.jpg scan2.jpg --date 1974-07-20

      kizu assets edit IMG_0042.jpg --place "Grandma's garden" --at 47.37,8.54
    """
    if date is None and place is None and at is None:
        raise typer.BadParameter("give --date, --place or --at")
    position = None if at is None else _position(at)
    when = None if date is None else _when(date)

    def change(library: Library, asset: UUID) -> list[Json]:
        done = [] if when is None else [library.assets.set_date(asset, _with_time(library, asset, *when))]
        if place is not None or position is not None:
            done.append(library.assets.set_place(asset, place, position))
        return done

    done = _each(ctx, photos, user, change)
    conclude(done, f"{plural(len(photos), 'photo')} put right.", undo=UNDO, as_json=as_json)


def hide(
    ctx: typer.Context,
    photos: Photos,
    undo: Annotated[bool, typer.Option("--undo", help="Show them again.")] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Leave photos out of lists, searches and moments. `kizu assets list --hidden` shows them.

    Examples:

      kizu assets hide IMG_0042.jpg IMG_0043.jpg

      kizu assets hide IMG_0042.jpg --undo
    """

    def change(library: Library, asset: UUID) -> list[Json]:
        return [library.assets.show_again(asset) if undo else library.assets.hide(asset)]

    done = _each(ctx, photos, user, change)
    conclude(done, f"{plural(len(photos), 'photo')} {'shown again' if undo else 'hidden'}.", undo=UNDO, as_json=as_json)


def forget(
    ctx: typer.Context,
    photos: Photos,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Remove photos from the library with all that was found in them. Later runs pass over them. The files stay.

    Examples:

      kizu assets forget IMG_0042.jpg

      kizu assets forget screenshots/a.png screenshots/b.png --yes
    """
    from kizu_core.cli.asking import confirm

    def sure(count: int) -> None:
        if not yes:
            typer.echo("All that is known of them will be gone: faces, text, thumbnails.", err=True)
            typer.echo("The files themselves stay where they are, and later runs pass over them.", err=True)
            confirm(f"Forget {plural(count, 'photo')}?", "Nothing was forgotten")

    done = _each(ctx, photos, user, lambda library, asset: [library.assets.forget(asset)], sure)
    conclude(done, f"{plural(len(photos), 'photo')} forgotten. The files are untouched.", undo=UNDO, as_json=as_json)


def _each(
    ctx: typer.Context,
    photos: Sequence[str],
    user: str | None,
    change: Callable[[Library, UUID], list[Json]],
    before: Callable[[int], None] = lambda count: None,
) -> list[Json]:
    """What `change` said of each photo. Nothing is said of any unless all are known. `before` may end it."""
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        assets = list(dict.fromkeys(library.assets.find(photo) for photo in photos))
        before(len(assets))
        return [one for asset in assets for one in change(library, asset)]


def _position(text: str) -> tuple[float, float]:
    """Degrees of latitude and longitude."""
    try:
        latitude, longitude = map(float, text.split(","))
    except ValueError:
        raise typer.BadParameter("latitude and longitude, such as 48.8584,2.2945", param_hint="--at") from None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise typer.BadParameter("latitude is from -90 to 90, longitude from -180 to 180", param_hint="--at")
    return latitude, longitude


def _when(text: str) -> tuple[datetime, bool]:
    """The time, and whether a time of day was given."""
    try:
        return datetime.fromisoformat(text.strip()), not _DATE_ONLY.fullmatch(text.strip())
    except ValueError:
        raise typer.BadParameter(
            "a day such as 2024-07-13, or a day and a time such as 2024-07-13 18:30; of a summer long ago, its middle "
            "will do: 1974-07-20",
            param_hint="--date",
        ) from None


def _with_time(library: Library, asset: UUID, when: datetime, has_time: bool) -> datetime:
    """A day alone keeps the photo's time of day; noon, if it has none."""
    if has_time:
        return when
    before = (library.assets.show(asset) or {}).get("taken_local")
    return datetime.combine(when, datetime.fromisoformat(before).time() if before else _NOON)
