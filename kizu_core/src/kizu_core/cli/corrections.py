"""What was said about people and photos: the sentence after it, the log, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from kizu_core.cli.assets import AsJson, User
from kizu_core.cli.context import aligned, console, print_json, settings_of
from kizu_core.cli.progress import plural

if TYPE_CHECKING:
    from kizu_core.api import Library

Json = dict[str, Any]

SENTENCES: Final[Mapping[str, str]] = {
    "name": "{id} was named {name}",
    "merge": "{others} became {person}",
    "split": "{faces} became {person}",
    "assign": "{faces} said to be {person}",
    "reject": "{faces} said not to be {person}",
    "hide": "{person} was hidden",
    "show": "{person} is shown again",
    "cover": "{person} got another cover",
    "apart": "{person} and {others} are two people",
    "contact": "{person} was linked with a contact",
    "date": "{photo} was taken {taken_local}",
    "place": "{photo} was taken at {place}",
    "hide_photo": "{photo} was hidden",
    "show_photo": "{photo} is shown again",
    "forget": "{photo} was forgotten",
    "undo": "number {undoes} was taken back",
}
"""Kind of a correction -> what it did, with what it was about."""


def conclude(done: Sequence[Json], sentence: str, *, undo: str, as_json: bool) -> None:
    """The corrections for a script; for people what happened, and the command that takes it back."""
    if as_json:
        for one in done:
            print_json(one)
        return
    console().print(sentence, markup=False)
    typer.echo(f"To take that back: {undo} {' '.join(str(one['id']) for one in reversed(done))}")


def undo(
    ctx: typer.Context,
    numbers: Annotated[
        list[int] | None,
        typer.Argument(metavar="[NUMBER]...", help="Which, as `log` shows them; the last one if none."),
    ] = None,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Take back what was said about people or photos. That, too, is in the log, and can be taken back.

    Examples:

      kizu people undo

      kizu people undo 12
    """
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        done = [library.people.undo(one) for one in numbers] if numbers else [library.people.undo()]
        said = {} if as_json else _log(library)
    if as_json:
        for one in done:
            print_json(one)
        return
    for one in done:
        console().print(f"Taken back: {said.get(one['undone'], one['kind'])}.", markup=False)


def log(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 30,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """List what was said about people and photos, the newest first, with the numbers for `undo`.

    Example: kizu people log
    """
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        rows = library.people.corrections(limit)["corrections"]
        names = {} if as_json else _names(library)
    if as_json:
        for row in rows:
            print_json(row)
    elif not rows:
        typer.echo("Nothing was said yet, about people or photos.")
    else:
        table = [(str(row["id"]), row["at"].replace("T", " ")[:16], sentence(row, names)) for row in rows]
        for line in aligned([("NUMBER", "WHEN", "WHAT"), *table]):
            console().print(line, markup=False)


def sentence(row: Json, names: Mapping[str, str]) -> str:
    """What a correction did. `names`: person -> name, as far as there is one now."""
    subject = row["subject"]
    others = [*subject.get("from", ()), *filter(None, [subject.get("other")])]
    position = [f"{subject[key]:.5f}" for key in ("latitude", "longitude") if subject.get(key) is not None]
    words = {
        "id": (subject.get("person") or "")[:8],
        "person": _called(subject.get("person"), names),
        "others": " and ".join(_called(one, names) for one in others),
        "faces": plural(int(subject.get("faces") or 0), "face"),
        "name": subject.get("name"),
        "photo": subject.get("file_name") or (subject.get("asset_id") or "")[:8],
        "taken_local": (subject.get("taken_local") or "").replace("T", " ")[:16],
        "place": " ".join(filter(None, [subject.get("place_name"), ", ".join(position)])) or "a place unknown",
        "undoes": row["undoes"],
    }
    taken_back = "  (taken back)" if row["undone"] else ""
    return SENTENCES.get(row["kind"], row["kind"]).format(**words) + taken_back


def _called(person: str | None, names: Mapping[str, str]) -> str:
    return names.get(person or "") or (person or "")[:8]


def _names(library: Library) -> dict[str, str]:
    return {one["id"]: one["name"] for one in library.people.all(hidden=True) if one["name"]}


def _log(library: Library) -> dict[int, str]:
    """Number -> what the correction did, of the latest."""
    names = _names(library)
    rows = library.people.corrections(1000)["corrections"]
    return {row["id"]: sentence({**row, "undone": False}, names) for row in rows}
