"""`kizu search`: photos by the words in them and by what they show."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from kizu_core.cli.assets import AsJson, User
from kizu_core.cli.context import console, print_json, settings_of
from kizu_core.database.paths import text_to_path


def search(
    ctx: typer.Context,
    text: Annotated[list[str], typer.Argument(metavar="TEXT", help="What the photo shows, or words in it.")],
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    user: User = None,
    as_json: AsJson = False,
    zero: Annotated[bool, typer.Option("-0", help="Only the paths, each ended by a NUL, for xargs -0.")] = False,
) -> None:
    """Find photos by what they show and by the words that are written in them. Best first, each with the reason.

    Parts of words and typing errors are fine. Words in quotes, and words without others (-word), are looked for as
    written, and quicker: without the model that knows what photos show.

    Examples:

      kizu search a dog on the beach

      kizu search '"boarding pass"'
    """
    from kizu_core.api import open_library

    query = " ".join(text)
    with open_library(settings_of(ctx), user) as library:
        page = library.search(query, limit)
        empty = not page["hits"] and not library.assets.page(limit=1)["assets"]
    if as_json:
        print_json(page)
    elif zero:
        sys.stdout.buffer.write(
            b"".join(os.fsencode(text_to_path(h["path"])) + b"\0" for h in page["hits"] if h["path"])
        )
    elif not page["hits"]:
        where = "There are no photos in this library yet: kizu run FOLDER" if empty else "Try fewer or other words."
        console().print(f"Nothing found for “{query}”. {where}", markup=False)
        _print_without(page["without"])
    else:
        _print_hits(page["hits"], query)
        _print_without(page["without"])


def _print_without(missing: dict[str, Any] | None) -> None:
    """Why nothing was found by what it shows, and the next step."""
    if missing:
        sentence = f"By words only: {missing['message']} {missing['hint'] or ''}"
        console().print(sentence.strip(), style="dim", markup=False)


def _print_hits(hits: list[dict[str, Any]], query: str) -> None:
    out = console()
    for hit in hits:
        taken = (hit.get("taken_local") or "")[:10]
        out.print(f"{hit['path'] or hit['file_name']}{f'  ({taken})' if taken else ''}", markup=False)
        for reason in hit["reasons"]:
            out.print(f"    {_reason(reason, query)}", style="dim", markup=False)


def _reason(reason: dict[str, Any], query: str) -> str:
    if reason["kind"] == "meaning":
        return f"looks like: {query}"
    return f"{'reads' if reason['how'] == 'words' else 'reads something like'}: {reason['matched']}"
