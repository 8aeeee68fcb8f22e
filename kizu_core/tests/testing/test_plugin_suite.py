"""The checks of a plugin's module, and of commands: installed distributions that are wrong in one way each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kizu_core.testing import CommandConformance, PluginConformance
from kizu_support.fake_distribution import fake_distribution

EMBEDDER = """
from kizu_core import EmbedderSpec, hookimpl

def spec(**fields):
    usual = dict(name="one", summary="a fake", output_version="1", dim=1, space="one")
    return EmbedderSpec(factory="{package}.model:build", **usual | fields)

@hookimpl
def kizu_embedders():
    return [spec()]
"""

MODEL = """
from pydantic import BaseModel, Field

def build(context):
    raise NotImplementedError

class Fine(BaseModel):
    size: int = Field(default=1, alias="FAKE_SIZE", description="how large")

class Unnamed(BaseModel):
    size: int = Field(default=1, description="how large")

class Needy(BaseModel):
    size: int = Field(alias="FAKE_SIZE", description="how large")

class Mute(BaseModel):
    size: int = Field(default=1, alias="FAKE_SIZE")
"""

COMMAND = """
from kizu_core import CommandSpec, hookimpl

@hookimpl
def kizu_cli_commands():
    return [CommandSpec(name="{name}", summary="print a postcard", app="{package}.model:{app}")]
"""

APPS = """
import typer

app = typer.Typer()

@app.command()
def postcard():
    "Print a photo as a postcard."

def no_app():
    pass
"""


@dataclass(frozen=True)
class Case:
    """A distribution, and the check that fails on it: words of its complaint. Without a check, it is good."""

    check: str = ""
    words: str = ""
    plugin: str = EMBEDDER
    model: str = MODEL
    installed: Mapping[str, Any] = field(default_factory=dict)


def changed(old: str, new: str) -> str:
    assert old in EMBEDDER
    return EMBEDDER.replace(old, new)


def with_settings(name: str) -> str:
    return changed("spec()]", f'spec(settings="{{package}}.model:{name}")]')


HOOKS = "test_plugin_implements_hooks"
SPECS = "test_plugin_returns_valid_specs"
IMPORTED = "test_plugin_factories_can_be_imported"
LIGHT = "test_plugin_lists_without_heavy_imports"
SETTINGS = "test_plugin_settings_are_described"
HELP = "test_kizu_lists_it_and_shows_its_help"

PLUGINS = {
    "good": Case(plugin=with_settings("Fine")),
    "misspelt": Case(HOOKS, "did you mean kizu_embedders", changed("kizu_embedders", "kizu_embeders")),
    "unmarked": Case(HOOKS, "not marked with @hookimpl", changed("@hookimpl", "")),
    "arguments": Case(HOOKS, "the names and no arguments", changed("embedders()", "embedders(config)")),
    "wrong_type": Case(SPECS, "EmbedderSpec is needed", changed("[spec()]", '["clip"]')),
    "invalid": Case(SPECS, "a-z, 0-9 and single hyphens", changed('"one", summary', '"One!", summary')),
    "nothing": Case(SPECS, "at least one EmbedderSpec", changed("[spec()]", "[]")),
    "moody": Case(
        "test_plugin_returns_the_same_specs_every_time",
        "the same specs whenever",
        changed("[spec()]", "[spec(dim=next(numbers))]") + "import itertools; numbers = itertools.count(1)\n",
    ),
    "elsewhere": Case(
        "test_plugin_is_an_entry_point",
        "[project.entry-points.kizu]",
        installed={"entry_points": {"elsewhere": "elsewhere"}},
    ),
    "any_core": Case(
        "test_plugin_names_a_range_of_core", '"kizu-core>=0.1,<0.2"', installed={"requires": ["kizu-core"]}
    ),
    "unlicensed": Case("test_plugin_declares_its_licence", "declares the licence", installed={"licence": None}),
    "no_factory": Case(IMPORTED, "which can't be imported", changed("model:build", "model:bild")),
    "no_library": Case(IMPORTED, "which can't be imported", model="import a_library_that_nobody_has"),
    "heavy": Case(LIGHT, "import numpy in what the factory names", changed("@hookimpl", "import numpy\n@hookimpl")),
    "heavy_own": Case(
        LIGHT, "import colorsys in", changed("[spec()]", '[spec(requires=("colorsys",))]') + "import colorsys\n"
    ),
    "not_alone": Case(LIGHT, "in a new process", "import sys\nassert 'pytest' in sys.modules\n" + EMBEDDER),
    "no_settings": Case(SETTINGS, "a pydantic model", with_settings("build")),
    "unnamed": Case(SETTINGS, "Field(alias='SIZE')", with_settings("Unnamed")),
    "needy": Case(SETTINGS, "has a default", with_settings("Needy")),
    "mute": Case(SETTINGS, "has a description", with_settings("Mute")),
}


def command(name: str = "postcard", app: str = "app") -> str:
    return COMMAND.replace("{name}", name).replace("{app}", app)


COMMANDS = {
    "good_command": Case(plugin=command(), model=APPS),
    "no_app": Case("test_it_is_an_app_of_typer", "not a function", command("no-app", "no_app"), APPS),
    "shadow": Case(HELP, "unless Kizu has a command of that name", command("run"), APPS),
}


def install(folder: Path, name: str, case: Case) -> None:
    package = f"fake_{name}"
    usual = {
        "modules": {f"{package}.plugin": case.plugin, f"{package}.model": case.model},
        "entry_points": {name: f"{package}.plugin"},
        "requires": ["kizu-core>=0.1,<0.2"],
        "licence": "MIT",
    }
    wanted = {**usual, **case.installed}
    wanted["modules"] = {name: text.replace("{package}", package) for name, text in usual["modules"].items()}  # type: ignore[attr-defined]
    fake_distribution(folder, f"kizu-{package}", **wanted)


def run(folder: Path, cases: Mapping[str, Case], suite: type[PluginConformance]) -> dict[str, dict[str, str]]:
    """Name of a case -> check -> complaint, empty where it passed."""
    lines = ["from kizu_core import testing"]
    ids = []
    for name, case in cases.items():
        install(folder, name, case)
        lines += [f"import fake_{name}.plugin", f"class Test_{name}(testing.{suite.__name__}):"]
        lines += [f"    plugin = fake_{name}.plugin"]
        ids.append(f"test_fakes.py::Test_{name}" + (f"::{case.check}" if case.check else ""))
    (folder / "test_fakes.py").write_text("\n".join(lines))
    (folder / "pytest.ini").write_text("[pytest]\n")
    python = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=said.xml", *ids]
    done = subprocess.run(
        python, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout + done.stderr
    said: dict[str, dict[str, str]] = {}
    for one in ElementTree.parse(folder / "said.xml").iter("testcase"):  # noqa: S314 - pytest wrote it
        complaint = "\n".join(f"{part.get('message')}\n{part.text}" for part in one if part.tag != "skipped")
        said.setdefault(one.attrib["classname"].rpartition(".Test_")[2], {})[one.attrib["name"]] = complaint
    return said


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    plugins = run(tmp_path_factory.mktemp("plugins"), PLUGINS, PluginConformance)
    return plugins | run(tmp_path_factory.mktemp("commands"), COMMANDS, CommandConformance)


@pytest.mark.parametrize("name", [name for name, case in (PLUGINS | COMMANDS).items() if not case.check])
def test_a_good_one_passes(name: str, said: dict[str, dict[str, str]]) -> None:
    assert said[name]
    assert not "".join(said[name].values())


@pytest.mark.parametrize("name", [name for name, case in (PLUGINS | COMMANDS).items() if case.check])
def test_a_broken_one_is_caught_and_told_why(name: str, said: dict[str, dict[str, str]]) -> None:
    case = (PLUGINS | COMMANDS)[name]
    assert case.words in said[name][case.check]


@pytest.mark.parametrize(("suite", "cases"), [(PluginConformance, PLUGINS), (CommandConformance, PLUGINS | COMMANDS)])
def test_every_check_catches_something(suite: type[PluginConformance], cases: Mapping[str, Case]) -> None:
    assert {name for name in dir(suite) if name.startswith("test_")} == {c.check for c in cases.values() if c.check}
