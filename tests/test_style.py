"""The linters, run as tests, so that one command proves everything."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kizu_support.distributions import ROOT

COMMANDS = {
    "ruff rules": ["ruff", "check"],
    "ruff format": ["ruff", "format", "--check"],
    "mypy": ["mypy"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_linter_has_nothing_to_say(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"\n{done.stdout}{done.stderr}"
