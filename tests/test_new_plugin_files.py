"""What `kizu plugins new` writes is clean by the strict rules of the usual tools, however long its name is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kizu_core.cli.new_plugin import Kind, render, write

RULES = "E,F,W,I,N,UP,B,A,C4,SIM,RUF,PT,RET"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of a plugin of each kind."""
    folder = tmp_path_factory.mktemp("made")
    folders = [folder / f"kizu-plugin-my-{kind}" for kind in Kind]
    for kind, target in zip(Kind, folders, strict=True):
        write(target, render(f"my-{kind}", kind, "A. Stranger"))
    return folders


def say(folder: Path, *command: str) -> str:
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, timeout=120)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff_has_nothing_to_say(made: list[Path]) -> None:
    assert not "".join(say(folder, "ruff", "check", "--isolated", "--select", RULES, ".") for folder in made)


def test_ruff_would_format_nothing_differently(made: list[Path]) -> None:
    assert not "".join(say(folder, "ruff", "format", "--isolated", "--diff", ".") for folder in made)


def test_mypy_has_nothing_to_say_in_strict_mode(made: list[Path]) -> None:
    sources = [str(path) for folder in made for path in (folder / "src").iterdir()]
    # Their tests are modules of one name, so one stands for all.
    assert not say(made[0], "mypy", "--strict", "tests", *sources)
