"""A folder to install fake plugins into, seen by this process only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_core.plugins.discovery import PluginRecord, discover
from kizu_core.settings import load_settings
from kizu_support.callables import Find, Install
from kizu_support.fake_distribution import fake_distribution, installed

GOOD = """
from kizu_core import CommandSpec, hookimpl

@hookimpl
def kizu_cli_commands():
    return [CommandSpec(name="hello", summary="says hello", app="nowhere:app")]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "site").mkdir()
    with installed(tmp_path / "site") as site:
        yield site


@pytest.fixture
def install(folder: Path) -> Install:
    """Installs a plugin of one module; returns its name."""

    def plugin(
        name: str, source: str = GOOD, *, distribution: str | None = None, requires: tuple[str, ...] = ()
    ) -> str:
        distribution = distribution or f"kizu-plugin-{name}"
        module = distribution.replace("-", "_")
        modules = {f"{module}.__init__": "", f"{module}.plugin": source}
        points = {name: f"{module}.plugin"}
        fake_distribution(folder, distribution, modules=modules, entry_points=points, requires=requires)
        return name

    return plugin


@pytest.fixture
def find(tmp_path: Path) -> Find:
    """Records by name, under settings given by their names in the environment."""

    def records(**environ: str) -> dict[str, PluginRecord]:
        found = discover(load_settings({"home": tmp_path / "home"}, environ=environ))
        return {record.name: record for record in found}

    return records
