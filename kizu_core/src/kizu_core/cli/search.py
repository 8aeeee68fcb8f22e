"""`kizu search`: photos by the words in them."""

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
    text: Annotated[
        list[str], typer.Argument(metavar="TEXT", help="Words to find; parts of words and typos are fine.")
    ],
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    user: User = None,
    as_json: AsJson = False,
    zero: Annotated[bool, typer.Option("-0", help="Only the paths, each ended by a NUL, for xargs -0.")] = False,
) -> None:
    """Find photos by the words that are written in them. Best first, each with the reason.

    Example: kizu search welcome to Paris
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
    else:
        _print_hits(page["hits"])


def _print_hits(hits: list[dict[str, Any]]) -> None:
    out = console()
    for hit in hits:
        taken = (hit.get("taken_local") or "")[:10]
        out.print(f"{hit['path'] or hit['file_name']}{f'  ({taken})' if taken else ''}", markup=False)
        for reason in hit["reasons"]:
            like = "reads" if reason["how"] == "words" else "reads something like"
            out.print(f"    {like}: {reason['matched']}", style="dim", markup=False)
