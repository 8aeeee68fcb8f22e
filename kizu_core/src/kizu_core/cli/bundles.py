"""`kizu models import` and `export`: weights by disk, for machines that have no network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kizu_core.cli.consent import Accepted, ask_for_terms, record_accepted
from kizu_core.cli.context import DONE, DONE_WITH_FAILURES, print_json, settings_of, size_of
from kizu_core.cli.store import AsJson, NoBench, conclude, file_as_dict, name_of, watching

SHOWN = 10
"""Files that nothing needs, by name; a folder of downloads holds thousands."""


def import_weights(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files, folders, or what export made.")],
    link: Annotated[bool, typer.Option("--link", help="Refer to the files where they are instead of copying.")] = False,
    accepted: Accepted = None,
    no_bench: NoBench = False,
    as_json: AsJson = False,
) -> None:
    """Take weights from a disk.

    A file is recognised by its digest; where none is known, by its name and size.

    Every file is checked as a downloaded one is. Exit code 3 if one is not what it should be, or if a path held
    nothing that an installed model needs.

    Examples:

      kizu models import ~/Downloads/model.onnx

      kizu models import /media/stick/weights.tar
    """
    from kizu_core.errors import ConsentMissing
    from kizu_core.models import importing
    from kizu_core.models.selection import load_catalog

    settings = settings_of(ctx)
    specs = load_catalog(settings).models()
    record_accepted(specs, accepted or [], settings)
    with watching(as_json=as_json) as watcher:
        found = importing.import_weights(paths, specs, settings, watcher, link=link)
        refused = {id(one.item.spec): one.item.spec for one in found.arrivals if isinstance(one.error, ConsentMissing)}
        if not as_json and ask_for_terms(refused.values(), settings):
            found = importing.import_weights(paths, specs, settings, watcher, link=link)
    if not as_json:
        for label in found.strangers[:SHOWN]:
            typer.echo(f"- {label}: no installed model needs it")
        if len(found.strangers) > SHOWN:
            typer.echo(f"- and {len(found.strangers) - SHOWN:,} others")
        for path in found.fruitless:
            typer.echo(f"! {path}: nothing in it is needed here. `kizu models list -v` shows what is.")
    benched = None if no_bench else settings
    failed = conclude(found.arrivals, benched, as_json=as_json, strangers=found.strangers)
    raise typer.Exit(DONE_WITH_FAILURES if failed or found.fruitless else DONE)


def export_weights(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Models whose files to take along.")],
    target: Annotated[Path, typer.Argument(metavar="TO", help="A new folder, or a new archive if it ends in .tar.")],
    as_json: AsJson = False,
) -> None:
    """Take weights along to another machine.

    The files of these models and their digests are written to a folder or archive, for `kizu models import` there.

    Examples:

      kizu models export florence /media/stick/weights.tar
    """
    from kizu_core.models.bundles import export
    from kizu_core.models.selection import load_catalog
    from kizu_core.models.store import items_of, specs_named

    settings = settings_of(ctx)
    taken = export(items_of(specs_named(load_catalog(settings), names), settings), settings, target.expanduser())
    if as_json:
        print_json({"target": target, "files": [file_as_dict(item, "exported") for item in taken]})
        return
    for item in taken:
        typer.echo(f"{name_of(item)}: {size_of(item.weight.bytes)}, SHA-256 {item.digest}")
    typer.echo(f"On the other machine: kizu models import {target}")
