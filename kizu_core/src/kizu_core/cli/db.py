"""`kizu db`: the database by hand. Nobody needs it for daily work: every command starts and stops it by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kizu_core.cli.context import FATAL, print_json, settings_of, size_of

if TYPE_CHECKING:
    from kizu_core.database.embedded.config import Tcp
    from kizu_core.database.embedded.launcher import Embedded
    from kizu_core.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="The database: start, stop, look inside, back up. Other commands start and stop it by themselves.",
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def start(
    ctx: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="Also listen to TCP at this port, with passwords.")
    ] = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="IP address of this machine for --port.")] = "127.0.0.1",
) -> None:
    """Start the embedded database and keep it running until `kizu db stop`.

    Without --port only programs of this user on this machine reach it.

    Examples:

      kizu db start && psql "$(kizu db url)"

      kizu db start --port 5433 && psql "$(kizu db url --tcp)"
    """
    tcp = _tcp(host, port)
    _embedded(settings_of(ctx)).pin(tcp)
    typer.echo("The database is running and stays up until `kizu db stop`.")
    if tcp is not None:
        typer.echo(f"It listens at {tcp.host}:{tcp.port}; see `kizu db url --tcp`.")
        if not tcp.is_local:
            typer.echo("Nothing on that way is encrypted: let it pass through a VPN or an SSH tunnel only.", err=True)


@app.command()
def stop(ctx: typer.Context) -> None:
    """Stop the embedded database; if another Kizu process uses it, as soon as that ends.

    The model that a search has left loaded goes as well.

    Example: kizu db stop
    """
    from kizu_core.worker.warm import end_keeper

    settings = settings_of(ctx)
    end_keeper(settings.paths)
    if _embedded(settings).unpin():
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
    tcp: Annotated[bool, typer.Option("--tcp", help="The address for other machines; see `kizu db start`.")] = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="Leave the password out.")] = False,
    json: Json = False,
) -> None:
    """Print the URL of the running database. It contains a password: mind who reads your screen.

    Examples:

      psql "$(kizu db url)"

      KIZU_DATABASE_URL="$(kizu db url --tcp)" kizu worker
    """
    settings = settings_of(ctx)
    if settings.database_url is not None:
        address = settings.database_url.get_secret_value()
    else:
        address = _address(_running(settings), _known_role(role), tcp=tcp)
    if no_password:
        address = re.sub(r"(//[^:/@]*):[^@/]*@", r"\1@", address)
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
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Do not back the embedded database up before it changes.")
    ] = False,
    json: Json = False,
) -> None:
    """Bring the database to the schema of this version. Other commands do it by themselves.

    Example: KIZU_DATABASE_URL=postgresql://owner@host/photos kizu db migrate
    """
    from kizu_core.database.backup import bring_up_to_date

    settings = settings_of(ctx)
    with _owner(settings) as address:
        ran = bring_up_to_date(settings, address, _say, with_policies=with_policies, backup=not no_backup)
    if json:
        print_json({"ran": ran})
    else:
        typer.echo("\n".join(ran) if ran else "The database is up to date.")


@app.command()
def backup(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="Where to, a file or a folder (default: `backups` in the data folder).")
    ] = None,
    json: Json = False,
) -> None:
    """Write everything that the database knows to one file. Kizu may go on working meanwhile.

    Photos and thumbnails are not in it. Keep the file as private as the photos.

    Examples:

      kizu db backup

      kizu db backup /media/disk/kizu.dump
    """
    from kizu_core.database.backup import back_up, backup_path, make_backups_folder
    from kizu_core.database.migrate import schema_version
    from kizu_core.errors import DatabaseError

    settings = settings_of(ctx)
    with _owner(settings) as address:
        if schema_version(address) is None:
            raise DatabaseError("There is no library to back up yet.", hint="Add photos with `kizu run FOLDER`.")
        if file is None:
            make_backups_folder(settings.paths)
        target = backup_path(settings.paths, file)
        size = back_up(address, target, _say)
    if json:
        print_json({"file": target, "bytes": size})
    else:
        typer.echo(f"{target}  ({size_of(size)})")


@app.command()
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that `kizu db backup` made.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Although there is a library; it is backed up first.")
    ] = False,
    json: Json = False,
) -> None:
    """Make the library what it was at a backup. Until all of the file is restored, nothing changes.

    If the photos lie elsewhere now, `kizu library relocate OLD NEW` follows.

    Examples:

      kizu --data ~/new-place db restore /media/disk/kizu.dump

      kizu db restore ~/kizu.dump --replace
    """
    from kizu_core.database.restore import restore as run

    done = run(settings_of(ctx), file.expanduser(), _say, replace=replace)
    if json:
        print_json(asdict(done))
        return
    typer.echo(f"Restored {done.photos:,} photos." + (f" What was here before is in {done.kept}." if done.kept else ""))
    if done.without_thumbnail:
        typer.echo(f"{done.without_thumbnail:,} have no thumbnail here; the next `kizu run` makes them.")
    typer.echo("If the photos lie in another folder now: kizu library relocate OLD NEW")


@contextmanager
def _owner(settings: Settings) -> Iterator[str]:
    """The address of the schema's owner, in the database that the settings name."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    with _embedded(settings) as server:
        yield server.urls().owner


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _tcp(host: str, port: int | None) -> Tcp | None:
    from ipaddress import ip_address

    from kizu_core.database.embedded.config import Tcp

    try:
        ip_address(host)
    except ValueError:
        raise typer.BadParameter(f"{host} is not an IP address.", param_hint="--host") from None
    return None if port is None else Tcp(host, port)


def _address(server: Embedded, role: str, *, tcp: bool) -> str:
    from kizu_core.errors import DatabaseError

    urls = server.tcp_urls() if tcp else server.urls()
    if urls is None:
        raise DatabaseError("The database does not listen to TCP.", hint="Run `kizu db start --port 5433` first.")
    return str(getattr(urls, role))


def _embedded(settings: Settings) -> Embedded:
    """The embedded server, or an error for those who use a database of their own."""
    from kizu_core.database.embedded.launcher import Embedded
    from kizu_core.errors import DatabaseError

    if settings.database_url is not None:
        raise DatabaseError(
            "KIZU_DATABASE_URL names a database of your own, which Kizu neither starts nor stops.",
            hint="Leave it out to use the embedded database.",
        )
    return Embedded(settings.paths, _say)


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
    from kizu_core.database.embedded.launcher import Urls

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
        "tcp": f"{found.tcp.host}:{found.tcp.port}" if found.tcp else None,
        "schema": schema_version(server.urls().owner) if found.running else None,
        "log": str(settings.paths.logs / "database.log"),
    }
