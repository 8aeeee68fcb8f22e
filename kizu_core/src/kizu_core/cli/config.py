"""`kizu config`: every setting, its value and where it came from."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from kizu_core.cli.context import aligned, print_json, settings_of


def config(
    ctx: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also what each setting means.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show every setting, where it came from, and the name in the environment that changes it.

    Secrets are never shown, only whether they are set.

    Example: kizu config --json
    """
    from kizu_core.settings import Settings

    settings = settings_of(ctx)
    rows = [_row(settings, name, field) for name, field in Settings.model_fields.items()]
    if as_json:
        print_json({row["name"]: {key: row[key] for key in ("value", "origin", "environment")} for row in rows})
        return
    lines = aligned([(row["name"], row["shown"], row["origin"]) for row in rows])
    for row, line in zip(rows, lines, strict=True):
        typer.echo(line)
        if verbose:
            also = f"  [{row['environment']}]" if row["environment"] else ""
            typer.secho(f"    {row['meaning']}{also}", dim=True)
    typer.echo(f"\nTo change one: an environment variable, `.env`, or {settings.paths.config_file}")


def _row(settings: Any, name: str, field: Any) -> dict[str, Any]:
    from pydantic import SecretStr

    from kizu_core.settings import environment_names

    value = getattr(settings, name)
    if isinstance(value, SecretStr):
        value = "(set, hidden)"
    return {
        "name": name,
        "value": value,
        "shown": _shown(value),
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
