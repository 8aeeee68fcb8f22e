"""Commands of plugins: listed without being imported, and a broken one is its own trouble only."""

from __future__ import annotations

from pathlib import Path

import pytest

from kizu_support.command import Kizu
from kizu_support.fake_distribution import fake_distribution

PLUGIN = """
from kizu_core import CommandSpec, hookimpl

@hookimpl
def kizu_cli_commands():
    return [
        CommandSpec(name="postcard", summary="print a postcard", app="kizu_post.good:app"),
        CommandSpec(name="stamp", summary="put a stamp on it", app="kizu_post.broken:app"),
        CommandSpec(name="letter", summary="write a letter", app="kizu_post.good:letter"),
        CommandSpec(name="run", summary="something else altogether", app="kizu_post.good:app"),
    ]
"""

GOOD = """
import typer

app = typer.Typer()

@app.command()
def postcard(to: str = "nobody"):
    "Print a photo as a postcard."
    typer.echo(f"Dear {to}")

letter = 42
"""


@pytest.fixture
def kizu(tmp_path: Path) -> Kizu:
    modules = {"kizu_post.plugin": PLUGIN, "kizu_post.good": GOOD, "kizu_post.broken": "import a_missing_library"}
    fake_distribution(tmp_path / "site", "kizu-post", modules=modules, entry_points={"post": "kizu_post.plugin"})
    return Kizu(tmp_path / "home", {"PYTHONPATH": str(tmp_path / "site"), "COLUMNS": "200"})


def test_help_lists_them_by_their_summaries_and_kizus_own_stay(kizu: Kizu) -> None:
    result = kizu("--help")
    assert result.code == 0
    assert [line for line in result.out.splitlines() if line.split()[:1] == ["stamp"]]
    assert "print a postcard" in result.out
    assert "something else" not in result.out
    assert len([line for line in result.out.splitlines() if line.split()[:1] == ["run"]]) == 1


def test_one_runs_with_its_own_options_and_help(kizu: Kizu) -> None:
    assert kizu("postcard", "--to", "Anna").out == "Dear Anna\n"
    assert "Print a photo as a postcard." in kizu("postcard", "--help").out


@pytest.mark.parametrize(("name", "why"), [("stamp", "a_missing_library"), ("letter", "is no typer.Typer")])
def test_a_broken_one_is_one_sentence(name: str, why: str, kizu: Kizu) -> None:
    result = kizu(name)
    assert result.code == 1
    assert why in result.err
    assert "Traceback" not in result.err
