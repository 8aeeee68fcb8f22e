"""`kizu status`: how far the library is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from kizu_core.cli.assets import AsJson, User
from kizu_core.cli.context import console, print_json, settings_of
from kizu_core.cli.progress import duration, plural
from kizu_core.cli.summary import failed_photos, failure_groups, gap_lines, gaps_as_dicts, stage_lines, whole_lines

if TYPE_CHECKING:
    from kizu_core.api import Library


def status(ctx: typer.Context, user: User = None, as_json: AsJson = False) -> None:
    """Show what is done, waiting, retrying and what could not be read.

    Example: kizu status --json
    """
    from kizu_core.api import open_library
    from kizu_core.worker.warm import keeper_of

    with open_library(settings_of(ctx), user) as library:
        found = library.status()
        kept = keeper_of(library.settings.paths)
        not_done = gaps_as_dicts(library.gaps, found)
        lines = list(_lines(library, found))
    if kept:
        lines.append(f"A search has left its model loaded (process {kept.pid}), {duration(kept.seconds)} more.")
    if as_json:
        told = {"pid": kept.pid, "seconds": round(kept.seconds)} if kept else None
        print_json({**found, "not_done": not_done, "search_model": told})
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
    yield from whole_lines(found["jobs"], library.jobs.causes())
    yield from gap_lines(library.gaps, found["jobs"])
    yield from (wish.sentence for wish in library.wishes)
    yield from failure_groups(failed_photos(found))
    if any(cause["operations"] for cause in found["failures"]):
        yield "  To try again: `kizu jobs list` names the causes, `kizu jobs retry` takes one."
    yield from dict.fromkeys(sentence for worker in found["workers"] for sentence in worker["info"].get("notices", ()))
    yield from _trouble(found["database"] or {})
    if not (assets["images"] or assets["videos"]):
        yield "Nothing here yet. Start with: kizu run FOLDER"


def _trouble(database: dict[str, Any]) -> Iterator[str]:
    """What makes the database slower from hour to hour, and the next step."""
    oldest = database.get("oldest_transaction")
    if oldest:
        since = "for long" if oldest["seconds"] is None else f"for {duration(oldest['seconds'])}"
        who = ", ".join(str(oldest[name]) for name in ("program", "role", "state") if oldest[name])
        yield f"Process {oldest['pid']} has had a transaction open in the database {since} ({who})."
        yield "  Until it ends, the database can't tidy up and gets slower. End that program if it is not a backup."
    for table in database.get("dead_rows") or ():
        yield f"The table {table['table']} has {table['dead']:,} dead rows beside {table['live']:,} living ones."
        yield f"  If that stays so: kizu db psql -c 'vacuum {table['table']}'"
