"""`kizu workers`: who works for this library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from kizu_core.cli.assets import AsJson
from kizu_core.cli.context import aligned, print_json, settings_of
from kizu_core.cli.progress import duration


def workers(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show who works: on which computer, since when, what it has in hand and what it can do.

    A worker that was not heard of for two minutes is shown as silent, and forgotten a day later. What it had in hand
    is taken back by the others as soon as its time is over.

    Example: kizu workers
    """
    from kizu_core.database import open_database

    with open_database(settings_of(ctx)) as database:
        found = database.worker.workers()
    if as_json:
        print_json({"workers": found})
    elif not found:
        typer.echo("Nobody works now. `kizu run FOLDER` brings its own worker; `kizu worker` is one that stays.")
    else:
        for line in aligned(list(_rows(found))):
            typer.echo(line)


def _rows(found: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    yield ("WORKER", "STATE", "COMPUTER", "PROCESS", "VERSION", "HEARD OF", "IN HAND", "RESTARTS", "CAN DO")
    for one in found:
        info = one["info"]
        told = (str(info.get(name, "")) for name in ("host", "pid", "version"))
        state = "at work" if one["held"] else "idle"
        heard = f"{duration(one['silent_s'])} ago"
        yield (one["id"], state if one["alive"] else "silent", *told, heard, str(one["held"]),
               str(info.get("restarts", 0)), ", ".join(one["can"]))  # fmt: skip
