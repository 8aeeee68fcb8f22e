"""The suite of sub-commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest
import typer

from kizu_core.plugins.specs import CommandSpec
from kizu_core.testing.expect import expect
from kizu_core.testing.plugin import PluginConformance, specs_of

_KIZU = "from kizu_core.cli.app import main; main()"


class CommandConformance(PluginConformance):
    """What Kizu asks of a sub-command. `command`: its name, needed only if the plugin brings several."""

    command: str | None = None

    @pytest.fixture
    def spec(self) -> CommandSpec:
        """What the plugin declares of the command."""
        specs = [one for one in specs_of(self.plugin) if isinstance(one, CommandSpec)]
        found = [one for one in specs if self.command in (None, one.name)]
        names = ", ".join(one.name for one in specs) or "none"
        expect(len(found) == 1, f"`command` names one of the plugin's commands: {names}.")
        return found[0]

    def test_it_is_an_app_of_typer(self, spec: CommandSpec) -> None:
        app = resolve_name(spec.app)
        expect(isinstance(app, typer.Typer), f"`app` names a typer.Typer, not a {type(app).__name__}.")

    def test_kizu_lists_it_and_shows_its_help(self, spec: CommandSpec, tmp_path: Path) -> None:
        expect(spec.summary in _help(tmp_path), f"`kizu --help` lists {spec.name} by its summary.")
        command = typer.main.get_command(resolve_name(spec.app))
        wanted = (command.help or spec.summary).strip().splitlines()[0]
        expect(
            wanted in _help(tmp_path, spec.name),
            f"`kizu {spec.name} --help` shows the command's own help, unless Kizu has a command of that name.",
        )


def _help(folder: Path, *words: str) -> str:
    """What a help prints, as one line, from a new process with a data folder of its own."""
    environment = {**os.environ, "KIZU_HOME": str(folder / "home"), "COLUMNS": "400"}
    command = [sys.executable, "-c", _KIZU, *words, "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    expect(done.returncode == 0, f"`kizu {' '.join((*words, '--help'))}` ends with 0: {done.stderr[-500:]}")
    return done.stdout
