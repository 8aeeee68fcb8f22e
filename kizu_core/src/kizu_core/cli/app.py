"""`kizu`: the root command. Nothing heavy is imported here; commands import what they need when they run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from kizu_core.cli import (
    assets,
    config,
    corrections,
    db,
    demo,
    doctor,
    edits,
    jobs,
    library,
    look,
    models,
    moments,
    people,
    plugins,
    run,
    search,
    status,
    uninstall,
    users,
    worker,
    workers,
)
from kizu_core.cli.context import DONE_WITH_FAILURES, FATAL, INTERRUPTED, settings_of, show_error
from kizu_core.errors import KizuError, PluginError
from kizu_core.privacy import guard, redact


class Root(TyperGroup):
    """Adds the commands that plugins bring, and turns Kizu's errors into one sentence."""

    def list_commands(self, ctx: Any) -> list[str]:
        own = super().list_commands(ctx)
        return own + sorted(_plugin_commands(ctx).keys() - set(own))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        spec = _plugin_commands(ctx).get(cmd_name)
        return None if spec is None else Deferred(spec)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KizuError as error:
            if ctx.params.get("debug"):
                raise
            show_error(error)
            raise typer.Exit(FATAL) from None
        except KeyboardInterrupt:
            typer.echo("Stopped. Run the same command again to go on.", err=True)
            raise typer.Exit(INTERRUPTED) from None


def _plugin_commands(ctx: Any) -> dict[str, Any]:
    """Commands of the installed plugins by name; a name of Kizu's own is never replaced."""
    from kizu_core.models.selection import load_catalog

    catalog = load_catalog(settings_of(ctx))
    return {spec.name: spec for spec in catalog.commands()}


class Deferred(TyperCommand):
    """A plugin's command: listed by its summary, imported when it is run or its own help is asked for."""

    def __init__(self, spec: Any) -> None:
        super().__init__(spec.name, help=spec.summary)
        self._spec = spec

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        return self._loaded().make_context(info_name, args, parent, **extra)

    def _loaded(self) -> Any:
        from kizu_core.models.loading import resolve

        found = resolve(self._spec.app, self._spec.name)
        if not isinstance(found, typer.Typer):
            raise PluginError(f"{self._spec.app} is no typer.Typer.", hint="Update the plugin, or tell its author.")
        command = typer.main.get_command(found)
        command.help = command.help or self._spec.summary
        return command


app = typer.Typer(
    name="kizu",
    cls=Root,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"kizu {version('kizu-core')}")
        raise typer.Exit


@app.callback()
def root(
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FOLDER", help="The data folder (also KIZU_HOME).")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and log more.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Finds things in your own photos, on your own machine.

    No photo leaves it. Start with `kizu demo`, then `kizu run ~/Photos`.
    """


app.command("run")(run.run)
app.command("demo")(demo.demo)
# A word may begin with a minus: photos without it.
app.command("search", context_settings={"ignore_unknown_options": True})(search.search)
app.command("look")(look.look)
app.command("status")(status.status)
app.add_typer(assets.app, name="assets")
assets.app.command("edit")(edits.edit)
assets.app.command("hide")(edits.hide)
assets.app.command("forget")(edits.forget)
app.add_typer(people.app, name="people")
for group in (assets.app, people.app):  # there is one log of what was said about either
    group.command("undo")(corrections.undo)
    group.command("log")(corrections.log)
app.add_typer(moments.app, name="moments")
app.add_typer(users.app, name="users")
app.add_typer(library.app, name="library")
app.add_typer(plugins.app, name="plugins")
app.add_typer(models.app, name="models")
app.command("worker")(worker.worker)
app.command("workers")(workers.workers)
app.add_typer(jobs.app, name="jobs")
app.add_typer(db.app, name="db")
app.command("config")(config.config)
app.command("doctor")(doctor.doctor)
app.command("uninstall")(uninstall.uninstall)


def main() -> None:
    """Entry point of the `kizu` script. Whatever the command is, who tried to send something out is named."""
    guard.install("parent")
    redact.install()
    try:
        app()
    except SystemExit as end:
        refused = guard.refusals()
        for one in refused:
            typer.echo(f"kizu: {one.sentence}", err=True)
        sys.exit(DONE_WITH_FAILURES if refused and not end.code else end.code)
