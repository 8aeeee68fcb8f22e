"""Imports go down only, plugins know the public root only: the contracts of the root `pyproject.toml`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import tomllib
from kizu_support.distributions import ROOT, distributions


def test_import_contracts() -> None:
    # Modules are found, never imported, so a plugin whose libraries are not installed is checked as well.
    sources = os.pathsep.join(str(one.source.parent) for one in distributions())
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": sources}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_distribution_is_under_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(settings["root_packages"]) == {one.package for one in distributions()}
