"""`kizu status`: how far the library is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from kizu_core.cli.assets import AsJson, User
from kizu_core.cli.context import console, print_json, settings_of
from kizu_core.cli.progress import plural
from kizu_core.cli.summary import failed_photos, failure_groups, gap_lines, stage_lines

if TYPE_CHECKING:
    from kizu_core.api import Library


def status(ctx: typer.Context, user: User = None, as_json: AsJson = False) -> None:
    """Show what is done, waiting, retrying and what could not be read.

    Example: kizu status --json
    """
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        found = library.status()
        lines = list(_lines(library, found))
    if as_json:
        print_json(found)
        return
    out = console()
    for line in lines:
        out.print(line, markup=False)


def _lines(library: Library, found: dict[str, Any]) -> Iterator[str]:
    assets = found["assets"]
    yield f"{plural(assets['images'], 'photo')}, {plural(assets['videos'], 'video')}"
    if assets["missing"]:
        yield f"  {assets['missing']:,} of them have lost their file; they come back if the file does"
    for root in found["roots"]:
        yield f"  {root['path']}{'' if root['state'] == 'online' else '  (not connected)'}"
    yield from stage_lines(found)
    yield from gap_lines(library.gaps)
    yield from failure_groups(failed_photos(found))
    if not (assets["images"] or assets["videos"]):
        yield "Nothing here yet. Start with: kizu run FOLDER"
