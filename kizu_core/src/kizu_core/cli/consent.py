"""Terms of weights that are not free for every use: shown and asked for by themselves, never taken as read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from kizu_core.cli.asking import confirm, is_terminal
from kizu_core.cli.context import settings_of

if TYPE_CHECKING:
    from kizu_core.plugins.specs import ModelSpec
    from kizu_core.settings import Settings

Accepted = Annotated[
    list[str] | None,
    typer.Option("--accept-licence", metavar="NAME", help="Agree to the terms of that model's weights; repeatable."),
]


def accept(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model whose terms you agree to.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="I have read them and agree; do not ask.")] = False,
) -> None:
    """Agree to the terms under which a model's weights may be used.

    They are shown first. What you agreed to and when is noted in the models folder; other terms in a later version of
    the plugin are asked for anew.

    Example: kizu models accept insightface
    """
    from kizu_core.models.consent import agree, terms_to_ask
    from kizu_core.models.selection import load_catalog
    from kizu_core.models.store import specs_named

    settings = settings_of(ctx)
    specs = [spec for spec in specs_named(load_catalog(settings), [name]) if terms_to_ask(spec, settings)]
    if not specs:
        typer.echo(f"Nothing is asked for {name}, or you agreed to it before.")
    for spec in specs:
        _show(spec, settings)
        if not yes:
            confirm("Do you agree?", "Nothing was noted")
        agree(spec, settings)
        typer.echo(f"Noted: you agree to the terms of {spec.name}.")


def record_accepted(specs: Iterable[ModelSpec], names: Sequence[str], settings: Settings) -> None:
    """For `--accept-licence`. Raises `NoSuchModel` for a name that is none of these models'."""
    from kizu_core.errors import NoSuchModel
    from kizu_core.models.consent import agree

    specs = list(specs)
    known = {spec.name for spec in specs}
    for name in names:
        if name not in known:
            raise NoSuchModel(f"There is no model {name!r} here.", hint=f"These are: {', '.join(sorted(known))}.")
    for spec in specs:
        if spec.name in names:
            agree(spec, settings)


def ask_for_terms(specs: Iterable[ModelSpec], settings: Settings) -> bool:
    """Asks for each model whose terms nobody agreed to yet, where a person can answer; whether anybody agreed now."""
    from kizu_core.models.consent import agree, terms_to_ask

    agreed = False
    for spec in specs:
        if terms_to_ask(spec, settings) and is_terminal():
            _show(spec, settings)
            if typer.confirm("Do you agree?", err=True):
                agree(spec, settings)
                agreed = True
    return agreed


def _show(spec: ModelSpec, settings: Settings) -> None:
    from kizu_core.models.consent import terms_to_ask

    typer.echo(f"The weights of {spec.name} come under terms of their own:")
    for text in terms_to_ask(spec, settings):
        typer.echo(f"  {text}")
