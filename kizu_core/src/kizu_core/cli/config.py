"""`kizu config`: every setting, its value and where it came from."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from kizu_core.cli.context import console, print_json, settings_of


def config(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show every setting, where it came from, and the name that changes it.

    Secrets are never shown, only whether they are set.

    Example: kizu config --json
    """
    from kizu_core.settings import Settings

    settings = settings_of(ctx)
    rows = [_row(settings, name, field) for name, field in Settings.model_fields.items()]
    if as_json:
        print_json({row["name"]: {key: row[key] for key in ("value", "origin", "environment")} for row in rows})
        return
    from rich.table import Table

    table = Table("Setting", "Value", "From", "Environment", "Meaning", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row["name"], _shown(row["value"]), row["origin"], row["environment"], row["meaning"])
    out = console()
    out.print(table)
    out.print(f"\nSettings can also be written to {settings.paths.config_file}")


def _row(settings: Any, name: str, field: Any) -> dict[str, Any]:
    from pydantic import SecretStr

    from kizu_core.settings import environment_names

    value = getattr(settings, name)
    return {
        "name": name,
        "value": "(set, hidden)" if isinstance(value, SecretStr) else value,
        "origin": settings.origin(name),
        "environment": " or ".join(environment_names(name)),
        "meaning": field.description or "",
    }


def _shown(value: object) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "-"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
