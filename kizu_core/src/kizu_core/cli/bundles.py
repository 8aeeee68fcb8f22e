"""`kizu models import` and `export`: weights by disk, for machines that have no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kizu_core.cli.consent import Accepted, ask_for_terms, record_accepted
from kizu_core.cli.context import DONE, DONE_WITH_FAILURES, print_json, settings_of, size_of
from kizu_core.cli.store import AsJson, NoBench, conclude, file_as_dict, name_of, watching

if TYPE_CHECKING:
    from kizu_core.settings import Settings

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
    onnx: Annotated[bool, typer.Option("--onnx", help="Convert one model for a machine without its library.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take weights along to another machine.

    The files of these models and their digests are written to a folder or archive, for `kizu models import` there.
    With --onnx the model is converted first, and runs there in kizu-plugin-onnx: without torch, with the same vectors.

    Examples:

      kizu models export florence /media/stick/weights.tar

      kizu models export --onnx clip /media/stick/clip.tar
    """
    settings, target = settings_of(ctx), target.expanduser()
    if onnx:
        _export_onnx(names, target, settings, as_json=as_json)
        return
    from kizu_core.models.bundles import export
    from kizu_core.models.selection import load_catalog
    from kizu_core.models.store import items_of, specs_named

    taken = export(items_of(specs_named(load_catalog(settings), names), settings), settings, target)
    if as_json:
        print_json({"target": target, "files": [file_as_dict(item, "exported") for item in taken]})
        return
    for item in taken:
        typer.echo(f"{name_of(item)}: {size_of(item.weight.bytes)}, SHA-256 {item.digest}")
    typer.echo(f"On the other machine: kizu models import {target}")


def _export_onnx(names: Sequence[str], target: Path, settings: Settings, *, as_json: bool) -> None:
    from kizu_core.errors import ModelUnavailable
    from kizu_core.models.bundles import refuse_existing
    from kizu_core.models.exported import as_dict, export_onnx, is_exportable
    from kizu_core.models.selection import load_catalog
    from kizu_core.models.store import specs_named
    from kizu_core.models.weights import readiness
    from kizu_core.worker.bench import convert

    catalog = load_catalog(settings)
    specs = [spec for spec in specs_named(catalog, names) if is_exportable(spec)]
    if len(specs) != 1 or len(names) != 1:
        what = "One model at a time is exported." if len(names) != 1 else f"{names[0]} can't be exported as ONNX."
        able = ", ".join(spec.name for spec in catalog.models() if is_exportable(spec))
        raise ModelUnavailable(what, hint=f"Models that can be exported: {able or 'none is installed'}.")
    (spec,) = specs
    if not (state := readiness(spec, settings)).ready:
        raise ModelUnavailable(f"{spec.name} can't be exported: {state.reason}", hint=state.hint)
    refuse_existing(target)
    if not as_json:
        typer.echo(f"{spec.name} is converted, which can take minutes ...", err=True)
    bundle = export_onnx(spec, convert(spec, settings, catalog), target)
    if as_json:
        print_json({"target": target, **as_dict(bundle)})
        return
    for name, file in bundle.files.items():
        typer.echo(f"{name}: {size_of(file.bytes)}, licence {file.licence}, SHA-256 {file.sha256}")
    if terms := {file.consent for file in bundle.files.values() if file.consent}:
        typer.echo(f"There too it needs consent: {'; '.join(sorted(terms))}.")
    typer.echo(f"On the other machine, with kizu-plugin-onnx: kizu models import {target}")
