"""`kizu search`: one box for words, dates, places, people and what photos show."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizu_core.cli.assets import AsJson, User
from kizu_core.cli.context import console, print_json, print_lines, settings_of
from kizu_core.cli.found import cursor_of, explained, no_hits, page_lines, sheet_of, token_of, trouble
from kizu_core.database.paths import text_to_path

if TYPE_CHECKING:
    from kizu_core.api import Library
    from kizu_core.search import Query

Json = dict[str, Any]


def search(
    ctx: typer.Context,
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="What you remember of the photo.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    after: Annotated[
        str | None, typer.Option(metavar="MARK", help="Go on behind a page; its last line gives the mark.")
    ] = None,
    like: Annotated[
        str | None, typer.Option("--like", metavar="PHOTO", help="Photos like this one: its path, name or id.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show small pictures in the browser.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show how the search was understood and counted.")] = False,
    user: User = None,
    as_json: AsJson = False,
    zero: Annotated[bool, typer.Option("-0", help="Only the paths, each ended by a NUL, for xargs -0.")] = False,
) -> None:
    """Find photos by what you remember: what they show, words in them, when, where and with whom.

    The first line says what was understood. Dates can be said as people say them ("last summer", "3 weeks ago",
    "Christmas 2019", "between June and August 2020"), places and people are those of your photos; in German as well.
    Parts of words and typing errors are fine in what stands in photos.

    Exact: "words in quotes", -without, before:2019 after:2015-06 in:"New York" with:Anna type:video like:PHOTO.
    Quotes and minus look for what is written, and ask no model what photos show.

    Examples:

      kizu search sunset photos from Hawaii with Anna last summer

      kizu search '"boarding pass"' -hotel after:2019

      kizu search --like IMG_0042.jpg --open
    """
    from kizu_core.api import open_library

    line = _line(text or [], like)
    with open_library(settings_of(ctx), user) as library:
        query = library.searching.understand(line)
        page = library.searching.ask(query, limit, cursor_of(after), explain=explain)
        page["more"] = token_of(page["next"])
        if as_json:
            print_json(page)
        elif zero:
            _print_paths(page["hits"])
        elif not page["hits"]:
            _print_nothing(library, query, page, going_on=after is not None)
        else:
            print_lines([page["understood"]["summary"], *page_lines(page, explain=explain), *trouble(page)])
            if open_:
                sheet_of(library.settings, page)


def _line(words: list[str], like: str | None) -> str:
    """What was typed, as one line. A minus is part of it, so a misspelt option has to be told from one here."""
    wrong = next((word for word in words if word.startswith("--")), None)
    if wrong:
        raise typer.BadParameter(f"There is no option {wrong}.")
    if like:
        words = [*words, f'like:"{like}"']
    if not words:
        raise typer.BadParameter("What is looked for? Some words, or --like PHOTO.")
    return " ".join(words)


def _print_paths(hits: list[Json]) -> None:
    paths = (os.fsencode(text_to_path(hit["path"])) for hit in hits if hit["path"])
    sys.stdout.buffer.write(b"".join(path + b"\0" for path in paths))


def _print_nothing(library: Library, query: Query, page: Json, *, going_on: bool) -> None:
    """An empty page, and what would change that."""
    if going_on:
        console().print("There is nothing more.")
        return
    empty = not library.assets.page(limit=1)["assets"]
    relaxed = [] if empty else library.searching.relaxed(query)
    print_lines(no_hits(query.raw, page, relaxed, empty=empty))
    print_lines([*(explained(page) if "explain" in page else ()), *trouble(page)])
