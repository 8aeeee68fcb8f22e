"""`kizu models bench`: which runtime computes each model fastest here, and just as well."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizu_core.cli.context import DONE, DONE_WITH_FAILURES, aligned, print_json, settings_of

if TYPE_CHECKING:
    from kizu_core.models.runtimes.record import Trial
    from kizu_core.plugins.catalog import Catalog
    from kizu_core.plugins.specs import ModelSpec
    from kizu_core.settings import Settings
    from kizu_core.worker.bench import Benched


def bench(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Models to try; all if none.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Try each model on everything that could compute it here, and use the fastest from then on.

    A candidate counts only if it sees in a dozen drawn pictures what the model's reference sees. Models are converted
    for it if need be, which takes a minute or two, once. `kizu models pull` and `import` do this by themselves; run it
    again after installing a library (openvino, onnxruntime) or moving to another machine. Milliseconds are of the
    processor, for one picture. Exit code 3 if a model can't be used at all.

    Examples:

      kizu models bench

      kizu models bench clip --json
    """
    from kizu_core.models.selection import load_catalog
    from kizu_core.models.store import specs_named

    settings = settings_of(ctx)
    catalog = load_catalog(settings)
    specs = _to_try(specs_named(catalog, names) if names else catalog.models(), settings)
    found = []
    for one in _benched(specs, settings, catalog, quiet=as_json):
        found.append(one)
        if not as_json:
            typer.echo("\n".join(_table(one)))
    if as_json:
        print_json({"models": [_as_dict(one) for one in found]})
    elif not found:
        typer.echo("No model here leaves a choice: none that is ready can be computed in more than one way.")
    raise typer.Exit(DONE_WITH_FAILURES if any(one.error for one in found) else DONE)


def bench_after(specs: Sequence[ModelSpec], settings: Settings, *, as_json: bool = False) -> list[dict[str, Any]]:
    """For commands that brought weights: tries the models that are complete now and says one line about each.

    With `as_json` nothing is said; what is returned belongs into the command's own JSON.
    """
    from kizu_core.models.selection import load_catalog

    catalog = load_catalog(settings)
    wanted = {(spec.kind, spec.name) for spec in specs}
    fresh = [spec for spec in catalog.models() if (spec.kind, spec.name) in wanted]  # as configured by what came in
    found = []
    for one in _benched(_to_try(fresh, settings), settings, catalog, quiet=as_json):
        found.append(_as_dict(one))
        if not as_json:
            typer.echo(_line(one))
    return found


def _to_try(specs: Sequence[ModelSpec], settings: Settings) -> list[ModelSpec]:
    """Those that are ready and leave a choice."""
    from kizu_core.models.weights import readiness

    return [spec for spec in specs if spec.runtimes and readiness(spec, settings).ready]


def _benched(specs: Sequence[ModelSpec], settings: Settings, catalog: Catalog, *, quiet: bool) -> Iterator[Benched]:
    from kizu_core.worker.bench import bench as bench_one

    for spec in specs:

        def say(step: str, name: str = spec.name) -> None:
            if not quiet:
                typer.echo(f"{name}: {step} ...", err=True)

        say("trying its runtimes, which can take minutes" if sys.stderr.isatty() else "trying its runtimes")
        yield bench_one(spec, settings, catalog, say if sys.stderr.isatty() else lambda step: None)


def _table(one: Benched) -> Iterator[str]:
    yield f"{one.spec.kind} {one.spec.name}"
    if one.error is not None:
        yield f"  ! {one.error.message} {one.error.hint or ''}".rstrip()
    rows = [("  RUNTIME", "MS/PICTURE", "FIDELITY", "")]
    rows += [_row(trial, one) for trial in one.trials]
    yield from aligned(rows)


def _row(trial: Trial, one: Benched) -> tuple[str, str, str, str]:
    said = trial.obstacle or ("chosen" if _is_chosen(trial, one) else "slower")
    ms = "" if trial.cpu_ms is None else f"{trial.cpu_ms:.1f}"
    fidelity = "" if trial.fidelity is None else f"{trial.fidelity:.4f}"
    return f"  {trial.runtime}", ms, fidelity, said


def _line(one: Benched) -> str:
    if one.error is not None or one.chosen is None:
        return f"! {one.spec.name}: {one.error.message if one.error else 'no runtime can be used'}"
    chosen = next(trial for trial in one.trials if _is_chosen(trial, one))
    return f"{one.spec.name}: runs on {chosen.runtime}, {chosen.cpu_ms:.0f} ms a picture"


def _is_chosen(trial: Trial, one: Benched) -> bool:
    return one.chosen is not None and trial.runtime == one.chosen.runtime


def _as_dict(one: Benched) -> dict[str, Any]:
    return {
        "kind": one.spec.kind,
        "model": one.spec.name,
        "chosen": one.chosen.runtime if one.chosen else None,
        "trials": [asdict(trial) for trial in one.trials],
        "error": one.error.as_dict() if one.error else None,
    }
