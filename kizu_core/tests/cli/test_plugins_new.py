"""`kizu plugins new`: what it writes, and what it refuses. That it works is shown by tests/test_new_plugin.py."""

from __future__ import annotations

import errno
import os
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from pytest_mock import MockerFixture
from typer.testing import CliRunner, Result

from kizu_core.cli.app import app
from kizu_core.cli.new_plugin import Kind, plain_name, render
from kizu_core.errors import PluginError

FILES = {".gitignore", "LICENSE", "README.md", "pyproject.toml", "tests/test_conformance.py"}


def new(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["plugins", "new", *map(str, arguments)])


@pytest.mark.parametrize("kind", Kind)
def test_a_complete_distribution_is_written(kind: Kind, tmp_path: Path) -> None:
    result = new("My-Own2", "--kind", kind, "--dir", tmp_path / "a b", "--author", 'Ann "A" O\\Hara')
    assert result.exit_code == 0, result.output
    folder = tmp_path / "a b" / "kizu-plugin-my-own2"
    source = folder / "src" / "kizu_plugin_my_own2"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    inside = {path for path in files if path.startswith("src/")}
    assert files - inside == FILES
    assert {"__init__.py", "plugin.py", "py.typed"} < {path.name for path in source.iterdir()}
    assert len(inside) == 4
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["authors"] == [{"name": 'Ann "A" O\\Hara'}]
    assert project["entry-points"]["kizu"] == {"my-own2": "kizu_plugin_my_own2.plugin"}
    assert 'Ann "A" O\\Hara' in (folder / "LICENSE").read_text()
    assert not [path for path in folder.rglob("*") if path.is_file() and "$" in path.read_text()]


def test_it_asks_for_this_core_and_not_for_the_next(tmp_path: Path) -> None:
    project = tomllib.loads(render("one", Kind.OCR, "me")[Path("pyproject.toml")])["project"]
    (core,) = (need for need in map(Requirement, project["dependencies"]) if need.name == "kizu-core")
    assert core.specifier.contains(version("kizu-core"))
    assert not core.specifier.contains("1.0")


def test_the_next_steps_are_commands_for_this_python_and_place(tmp_path: Path) -> None:
    said = new("one", "--kind", "detector", "--dir", tmp_path / "my code").output
    assert f"pip install -e '{tmp_path}/my code/kizu-plugin-one'" in said
    assert f"pytest '{tmp_path}/my code/kizu-plugin-one'" in said
    assert "plugins list" in said


@pytest.mark.parametrize("name", ["kizu-plugin-one", "One", "ONE"])
def test_names_are_made_alike(name: str) -> None:
    assert plain_name(name) == "one"


@pytest.mark.parametrize("name", ["", "a b", "a--b", "-a", "a-", "a_b", "../a", "é", "core", "kizu-plugin-", "x" * 41])
def test_a_name_that_can_not_be_one_is_a_sentence(name: str, tmp_path: Path) -> None:
    result = new("--kind", "ocr", "--dir", tmp_path, "--", name)
    assert result.exit_code == 1
    assert "kizu: " in result.output
    assert not list(tmp_path.iterdir())


@given(st.text(max_size=50))
def test_a_name_is_usable_or_refused(name: str) -> None:
    try:
        short = plain_name(name)
    except PluginError:
        return
    assert f"kizu_plugin_{short.replace('-', '_')}".isidentifier()


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    assert new("one", "--kind", "ocr", "--dir", tmp_path).exit_code == 0
    again = new("one", "--kind", "detector", "--dir", tmp_path)
    assert again.exit_code == 1
    assert "already there and not empty" in again.output
    assert "OcrConformance" in (tmp_path / "kizu-plugin-one" / "tests" / "test_conformance.py").read_text()


def test_an_empty_folder_is_used_and_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "kizu-plugin-empty").mkdir()
    (tmp_path / "kizu-plugin-file").touch()
    assert new("empty", "--kind", "ocr", "--dir", tmp_path).exit_code == 0
    assert "already there" in new("file", "--kind", "ocr", "--dir", tmp_path).output


def test_a_place_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = new("one", "--kind", "ocr", "--dir", tmp_path / "file")
    assert result.exit_code == 1
    assert "can't be written: File exists" in result.output


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path: Path, mocker: MockerFixture) -> None:
    real = Path.write_text

    def full(path: Path, *arguments: Any, **options: Any) -> int:
        if path.name == "README.md":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, *arguments, **options)

    mocker.patch.object(Path, "write_text", full)
    result = new("one", "--kind", "ocr", "--dir", tmp_path)
    assert "can't be written: No space left on device" in result.output
    assert not list(tmp_path.iterdir())


def test_an_author_is_one_line(tmp_path: Path) -> None:
    result = new("one", "--kind", "ocr", "--dir", tmp_path, "--author", "A\nB")
    assert (result.exit_code, list(tmp_path.iterdir())) == (1, [])
