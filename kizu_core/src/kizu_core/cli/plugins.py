"""`kizu plugins`: what is installed, what is wrong with it, and switching it on and off."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizu_core.cli import new_plugin
from kizu_core.cli.context import FATAL, aligned, print_json, settings_of

if TYPE_CHECKING:
    from kizu_core.models.offers import Gap
    from kizu_core.plugins.catalog import Catalog
    from kizu_core.plugins.discovery import PluginRecord
    from kizu_core.plugins.specs import AnySpec
    from kizu_core.settings import Settings

app = typer.Typer(help="The installed plugins, and new ones.", no_args_is_help=True)
app.command("new")(new_plugin.new)


@app.command("list")
def list_plugins(
    ctx: typer.Context,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Files, hooks, and whether each part loads.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What is installed, what it brings and what is wrong with it.

    With KIZU_STRICT_PLUGINS=1 the exit code is 1 if anything is wrong.
    """
    from kizu_core.models.offers import gaps
    from kizu_core.models.selection import build_catalog

    settings = settings_of(ctx)
    catalog = build_catalog(settings)
    missing = gaps(catalog, settings)
    if as_json:
        print_json(_as_json(catalog, missing, verbose))
    else:
        for line in _lines(catalog, missing, verbose):
            typer.echo(line)
    if settings.strict_plugins and catalog.problems:
        raise typer.Exit(FATAL)


@app.command()
def enable(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="A name that `kizu plugins list` shows.")]
) -> None:
    """Use a plugin again that was disabled."""
    _switch(settings_of(ctx), name, on=True)


@app.command()
def disable(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="A name that `kizu plugins list` shows.")]
) -> None:
    """Go on without a plugin; it stays installed and so do its results."""
    _switch(settings_of(ctx), name, on=False)


def _switch(settings: Settings, name: str, *, on: bool) -> None:
    from kizu_core.errors import PluginError
    from kizu_core.plugins.contract import CORE
    from kizu_core.plugins.discovery import discover
    from kizu_core.settings import edit_config

    if name == CORE:
        raise PluginError(f"The plugin {CORE} is Kizu itself: it is always on.")
    names = sorted({record.name for record in discover(settings)})
    if name not in names:
        raise PluginError(f"No installed plugin is called {name!r}.", hint=f"Installed: {', '.join(names)}.")

    def change(document: Any) -> None:
        plugins = document.setdefault("plugins", {})
        others = {other for other in plugins.get("disabled", []) if other != name}
        plugins["disabled"] = sorted(others if on else others | {name})

    edit_config(settings.paths.config_file, change)
    typer.echo(f"{name} is {'enabled' if on else 'disabled'} in {settings.paths.config_file}.")
    if settings.origin("disable_plugins") not in ("default", "kizu.toml"):
        typer.echo(f"For now {settings.origin('disable_plugins')} counts instead.")


def _as_json(catalog: Catalog, missing: tuple[Gap, ...], verbose: bool) -> dict[str, Any]:
    plugins = []
    for record in catalog.records:
        specs = [{"kind": _kind(spec), **asdict(spec)} for spec in record.specs]
        plugins.append({**asdict(record), "specs": specs, "broken": _broken(record) if verbose else None})
    return {
        "plugins": plugins,
        "problems": [asdict(problem) for problem in catalog.problems],
        "missing": [asdict(gap) for gap in missing],
    }


def _lines(catalog: Catalog, missing: tuple[Gap, ...], verbose: bool) -> list[str]:
    rows = [("PLUGIN", "STATE", "DISTRIBUTION", "BRINGS")]
    rows += [(r.name, str(r.state), f"{r.distribution} {r.version}", _brings(r)) for r in catalog.records]
    lines = [*aligned(rows), ""]
    if verbose:
        for record in catalog.records:
            lines += [*_details(record), ""]
    for problem in catalog.problems:
        lines += [f"! {problem.plugin}: {problem.message}", f"  {problem.hint}"]
    for gap in missing:
        lines += [f"- {gap.operation}: {gap.reason}", f"  {gap.hint}"]
    return lines


def _brings(record: PluginRecord) -> str:
    return ", ".join(f"{_kind(spec)} {spec.name}" for spec in record.specs)


def _kind(spec: AnySpec) -> str:
    from kizu_core.plugins.specs import CommandSpec, JobHandlerSpec, MomentStrategySpec

    match spec:
        case JobHandlerSpec():
            return "jobs"
        case CommandSpec():
            return "command"
        case MomentStrategySpec():
            return "moments"
        case _:
            return str(spec.kind)


def _details(record: PluginRecord) -> list[str]:
    facts = [("module", record.module), ("file", record.file or ""), ("hooks", ", ".join(record.hooks))]
    facts.append(("licence of the code", record.licence))
    lines = [record.name, *(f"  {name}: {value}" for name, value in facts if value)]
    for spec in record.specs:
        lines += [f"  {spec.name}: {spec.summary}", *_terms(spec)]
    lines += [f"  ! {problem}" for problem in _broken(record)]
    return lines + [f"  {line}" for line in record.trace.splitlines()]


def _terms(spec: AnySpec) -> list[str]:
    """Under which licences and terms its weights come."""
    from kizu_core.cli.models import weight_licences
    from kizu_core.models.consent import terms_of
    from kizu_core.plugins.specs import ModelSpec

    if not isinstance(spec, ModelSpec) or not spec.weights:
        return []
    licences = f"    licence of the weights: {', '.join(weight_licences(spec))}"
    return [licences, *(f"    needs your consent: {text}" for text in terms_of(spec))]


def _broken(record: PluginRecord) -> list[str]:
    """Parts of the plugin that can't be imported. Imports them all, so it takes its time."""
    from kizu_core.errors import ModelUnavailable
    from kizu_core.models.loading import references, resolve

    found = []
    for spec in record.specs:
        for reference in references(spec):
            try:
                resolve(reference, spec.name)
            except ModelUnavailable as error:
                found.append(error.message)
    return found
