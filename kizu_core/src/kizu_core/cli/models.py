"""`kizu models`: which models there are, which are used, and whether their weights are the right ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizu_core.cli import bench, bundles, consent, store, switch
from kizu_core.cli.context import DONE_WITH_FAILURES, aligned, print_json, settings_of

if TYPE_CHECKING:
    from kizu_core.plugins.catalog import Catalog
    from kizu_core.plugins.specs import ModelSpec
    from kizu_core.settings import Settings

app = typer.Typer(help="The models of the installed plugins.", no_args_is_help=True)


@app.command("list")
def list_models(
    ctx: typer.Context,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Weights: size, licence, place.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Models by kind. A star marks the one that is used. Licences are those of the weights."""
    from kizu_core.models.offers import gaps
    from kizu_core.models.selection import load_catalog

    settings = settings_of(ctx)
    catalog = load_catalog(settings)
    if as_json:
        print_json([_as_dict(spec, catalog, settings) for spec in catalog.models()])
        return
    rows = [("", "KIND", "NAME", "STATE", "SIZE", "LICENCE", "SUMMARY")]
    for spec in catalog.models():
        size = f"{sum(weight.bytes for weight in spec.weights) / 1e6:.0f} MB" if spec.weights else ""
        star = "*" if _is_default(spec, catalog) else ""
        licences = ", ".join(weight_licences(spec))
        rows.append((star, str(spec.kind), spec.name, _state(spec, settings), size, licences, spec.summary))
    for line in aligned(rows):
        typer.echo(line)
    if verbose:
        for spec in catalog.models():
            _print_weights(spec, catalog, settings)
    for spec in catalog.models():
        if spec.fault is not None:
            typer.echo(f"! {spec.kind} {spec.name}: {spec.fault.reason}\n  {spec.fault.hint}")
    for gap in gaps(catalog, settings):
        typer.echo(f"- {gap.operation}: {gap.reason}\n  {gap.hint}")


@app.command()
def use(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="A kind that `kizu models list` shows, such as ocr.")],
    name: Annotated[str, typer.Argument(help="The model to use for it from now on.")],
) -> None:
    """Choose the model of a kind. The next `kizu run` makes its results anew; the old ones stay until then.

    Search and people rest on vectors, which a new model must make of all photos first: for the kinds embedder and face,
    `kizu models switch` does that while the old one goes on answering.
    """
    from kizu_core.errors import NoSuchModel
    from kizu_core.models.selection import load_catalog, use_model
    from kizu_core.types import SPACED, ModelType

    settings = settings_of(ctx)
    if kind not in list(ModelType):
        raise NoSuchModel(f"There is no kind of model called {kind!r}.", hint=f"Kinds: {', '.join(ModelType)}.")
    use_model(settings, load_catalog(settings), ModelType(kind), name)
    typer.echo(f"{name} is the model for {kind} from now on.")
    if kind in SPACED.values():
        typer.echo(f"What another model knows of your photos goes on answering: kizu models switch {kind} {name}")


@app.command()
def verify(
    ctx: typer.Context, name: Annotated[str | None, typer.Argument(help="Only models of this name.")] = None
) -> None:
    """Read the weights to the end and compare their digests; import each factory. Exit code 3 if something is wrong."""
    from kizu_core.errors import NoSuchModel
    from kizu_core.models.selection import load_catalog

    settings = settings_of(ctx)
    specs = [spec for spec in load_catalog(settings).models() if name in (None, spec.name)]
    if name and not specs:
        raise NoSuchModel(f"There is no model {name!r}.", hint="`kizu models list` shows what there is.")
    faults = 0
    for spec in specs:
        found = list(_faults(spec, settings))
        faults += len(found)
        typer.echo(f"{spec.kind} {spec.name}: {'as declared' if not found else ''}".rstrip())
        for line in found:
            typer.echo(f"  ! {line}")
    raise typer.Exit(DONE_WITH_FAILURES if faults else 0)


def _faults(spec: ModelSpec, settings: Settings) -> Iterator[str]:
    from kizu_core.errors import ModelUnavailable
    from kizu_core.models.loading import references, resolve
    from kizu_core.models.weights import checked_weights

    checks: list[Callable[[], object]] = [partial(resolve, reference, spec.name) for reference in references(spec)]
    checks.append(partial(checked_weights, spec, settings))
    for check in checks:
        try:
            check()
        except ModelUnavailable as error:
            yield f"{error.message} {error.hint or ''}".rstrip()


def _is_default(spec: ModelSpec, catalog: Catalog) -> bool:
    from kizu_core.errors import NoSuchModel

    try:
        return catalog.default(spec.kind) is spec
    except NoSuchModel:  # the settings name one that is gone; `gaps` says so
        return False


def _state(spec: ModelSpec, settings: Settings) -> str:
    from kizu_core.models.weights import readiness

    if spec.fault is not None:
        return "failed"
    return "ready" if readiness(spec, settings).ready else "incomplete"


def _as_dict(spec: ModelSpec, catalog: Catalog, settings: Settings) -> dict[str, Any]:
    from dataclasses import asdict

    from kizu_core.models.consent import terms_of, terms_to_ask
    from kizu_core.models.weights import readiness

    return {
        "kind": spec.kind,
        **asdict(spec),
        "default": _is_default(spec, catalog),
        "plugin": catalog.author(spec).name,
        "state": _state(spec, settings),
        "licences": {"code": catalog.author(spec).licence, "weights": weight_licences(spec)},
        "terms": {"all": terms_of(spec), "not_agreed": terms_to_ask(spec, settings)},
        "readiness": asdict(readiness(spec, settings)),
    }


def weight_licences(spec: ModelSpec) -> list[str]:
    """Licences of its weights, each once."""
    return list(dict.fromkeys(weight.licence for weight in spec.weights))


def _print_weights(spec: ModelSpec, catalog: Catalog, settings: Settings) -> None:
    from kizu_core.models.consent import terms_of, terms_to_ask
    from kizu_core.models.weights import digest_of, is_yours, locate, state_of

    typer.echo(f"\n{spec.kind} {spec.name} ({spec.output_version})")
    typer.echo(f"  licence of the code {catalog.author(spec).licence}")
    for text in terms_of(spec):
        agreed = "not agreed to yet" if text in terms_to_ask(spec, settings) else "agreed to"
        typer.echo(f"  terms, {agreed}: {text}")
    for weight in spec.weights:
        state = state_of(spec, weight, settings, digest=False)
        place = locate(spec, weight, settings)
        if is_yours(weight):
            typer.echo(f"  {weight.name}: {state}, yours\n    {place}")
            continue
        digest = digest_of(spec, weight, settings) or "not known; recorded when the file is pulled or imported"
        about = "" if weight.exact else "about "
        typer.echo(f"  {weight.name}: {state}, {about}{weight.bytes / 1e6:.1f} MB, licence {weight.licence}")
        typer.echo(f"    from {weight.source}\n    SHA-256 {digest}\n    {place}")


app.command("switch")(switch.switch)
app.command("pull")(store.pull)
app.command("accept")(consent.accept)
app.command("import")(bundles.import_weights)
app.command("export")(bundles.export_weights)
app.command("bench")(bench.bench)
