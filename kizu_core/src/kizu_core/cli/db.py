"""`kizu db`: the database by hand. Nobody needs it for daily work: every command starts and stops it by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kizu_core.cli.context import FATAL, print_json, settings_of

if TYPE_CHECKING:
    from kizu_core.database.embedded import Embedded
    from kizu_core.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="The database: start, stop, look inside. Other commands start and stop it by themselves.",
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def start(ctx: typer.Context) -> None:
    """Start the embedded database and keep it running until `kizu db stop`.

    Example: kizu db start && psql "$(kizu db url)"
    """
    server = _embedded(settings_of(ctx))
    server.ensure()
    server.pin()
    server.release()
    typer.echo("The database is running and stays up until `kizu db stop`.")


@app.command()
def stop(ctx: typer.Context) -> None:
    """Stop the embedded database; if another Kizu process uses it, as soon as that ends.

    Example: kizu db stop
    """
    if _embedded(settings_of(ctx)).unpin():
        typer.echo("The database is stopped.")
    else:
        typer.echo("The database is in use by another Kizu process and stops when that ends.")


@app.command()
def status(ctx: typer.Context, json: Json = False) -> None:
    """Say whether the database runs, where it is and which schema it has. Starts nothing.

    Example: kizu db status --json
    """
    facts = _facts(settings_of(ctx))
    if json:
        print_json(facts)
        return
    for name, value in facts.items():
        typer.echo(f"{name:>8}  {_shown(value)}")


@app.command()
def url(
    ctx: typer.Context,
    role: Annotated[str, typer.Option(help="owner (migrates), worker, or api (what users may do).")] = "owner",
    json: Json = False,
) -> None:
    """Print the URL of the running embedded database. It contains a password: mind who reads your screen.

    Example: psql "$(kizu db url)"
    """
    settings = settings_of(ctx)
    if settings.database_url is not None:
        address = settings.database_url.get_secret_value()
    else:
        address = getattr(_running(settings).urls(), _known_role(role))
    if json:
        print_json({"role": role, "url": address})
    else:
        typer.echo(address)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(ctx: typer.Context) -> None:
    """Open PostgreSQL's own shell on the database; what you add goes to psql.

    Example: kizu db psql -c "select count(*) from assets"
    """
    from kizu_core.database.shell import run_psql

    raise typer.Exit(run_psql(settings_of(ctx), ctx.args))


@app.command()
def migrate(
    ctx: typer.Context,
    with_policies: Annotated[
        bool,
        typer.Option(
            "--with-policies", help="Also set grants and row level security of tables that were there before Kizu."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Bring the database to the schema of this version. Other commands do it by themselves.

    Example: KIZU_DATABASE_URL=postgresql://owner@host/photos kizu db migrate
    """
    from kizu_core.database.migrate import migrate as run

    settings = settings_of(ctx)
    if settings.database_url is not None:
        ran = run(settings.database_url.get_secret_value(), with_policies=with_policies)
    else:
        with _embedded(settings) as server:
            ran = run(server.urls().owner, with_policies=with_policies)
    if json:
        print_json({"ran": ran})
    else:
        typer.echo("\n".join(ran) if ran else "The database is up to date.")


def _embedded(settings: Settings) -> Embedded:
    """The embedded server, or an error for those who use a database of their own."""
    from kizu_core.database.embedded import Embedded
    from kizu_core.errors import DatabaseError

    if settings.database_url is not None:
        raise DatabaseError(
            "KIZU_DATABASE_URL names a database of your own, which Kizu neither starts nor stops.",
            hint="Leave it out to use the embedded database.",
        )
    return Embedded(settings.paths, lambda sentence: typer.echo(sentence, err=True))


def _running(settings: Settings) -> Embedded:
    from kizu_core.errors import DatabaseError

    server = _embedded(settings)
    if not server.status().running:
        raise DatabaseError("The database is not running.", hint="Run `kizu db start` first.")
    return server


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def _known_role(role: str) -> str:
    from kizu_core.database.embedded import Urls

    if role not in Urls.__slots__:
        typer.echo(f"kizu: There is no role {role}. Choose owner, worker or api.", err=True)
        raise typer.Exit(FATAL)
    return role


def _facts(settings: Settings) -> dict[str, str | bool | int | None]:
    from kizu_core.database.migrate import schema_version
    from kizu_core.database.trouble import place_of

    if settings.database_url is not None:
        address = settings.database_url.get_secret_value()
        return {"place": place_of(address), "running": True, "schema": schema_version(address)}
    server = _embedded(settings)
    found = server.status()
    return {
        "place": str(settings.paths.database),
        "exists": found.exists,
        "running": found.running,
        "pinned": found.pinned,
        "pid": found.pid,
        "schema": schema_version(server.urls().owner) if found.running else None,
        "log": str(settings.paths.logs / "database.log"),
    }
