"""Imports go down only, plugins know the public root only: the contracts of the root `pyproject.toml`."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from kizu_support.distributions import ROOT, Distribution, distributions


def test_import_contracts() -> None:
    # Modules are found, never imported, so a plugin whose libraries are not installed is checked as well.
    sources = os.pathsep.join(str(one.source.parent) for one in distributions())
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": sources}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_distribution_is_under_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    plugins = {one.package for one in distributions() if one.is_plugin}
    assert set(settings["root_packages"]) == plugins | {"kizu_core"}
    of_plugins = [one for one in settings["contracts"] if one["name"].startswith("plugins")]
    assert [set(one.get("source_modules") or one["modules"]) for one in of_plugins] == [plugins] * len(of_plugins)


@pytest.mark.parametrize("distribution", distributions(), ids=str)
def test_what_is_imported_is_declared(distribution: Distribution) -> None:
    """A package that only another one brings along may be gone tomorrow."""
    project = distribution.pyproject["project"]
    optional = [line for lines in project.get("optional-dependencies", {}).values() for line in lines]
    declared = {canonical(re.split(r"[^\w.-]", line)[0]) for line in (*project["dependencies"], *optional)}
    outside = top_level_imports(distribution) - set(sys.stdlib_module_names) - {distribution.package}
    owners = metadata.packages_distributions()
    undeclared = {name for name in outside if not declared & {canonical(owner) for owner in owners.get(name, [name])}}
    assert not undeclared


def top_level_imports(distribution: Distribution) -> set[str]:
    found: set[str] = set()
    for path in distribution.source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
