"""A question before something that many things depend on."""

from __future__ import annotations

import sys

import typer


def confirm(question: str, refusal: str) -> None:
    """Ends the command unless a person at a terminal says yes. Raises `KizuError` where nobody can be asked."""
    from kizu_core.errors import KizuError

    if not is_terminal():
        raise KizuError(f"{refusal}: nobody can be asked here.", hint="Add --yes to do it unasked.")
    if not typer.confirm(question, err=True):
        typer.echo(f"{refusal}.", err=True)
        raise typer.Exit(1)


def is_terminal() -> bool:
    """Whether a person can answer."""
    return sys.stdin.isatty()
