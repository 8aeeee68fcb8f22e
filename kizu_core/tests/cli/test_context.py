"""What commands share: how to call the program, how errors look."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kizu_core.cli.context import program, show_error
from kizu_core.errors import LibraryError


def script(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "kizu"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_program_that_the_shell_finds_is_called_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(script(tmp_path / "bin"))])
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert program() == "kizu"


def test_a_program_elsewhere_is_called_by_the_shortest_path_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [str(script(tmp_path / ".venv" / "bin"))])
    monkeypatch.setenv("PATH", str(script(tmp_path / "other").parent))
    monkeypatch.chdir(tmp_path)
    assert program() == ".venv/bin/kizu"
    monkeypatch.chdir(tmp_path / "other")
    assert program() == str(tmp_path / ".venv/bin/kizu")


def test_an_error_is_a_sentence_and_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(LibraryError("There is no folder x.", hint="Check the name."))
    show_error(LibraryError("It is gone."))
    assert capsys.readouterr().err.splitlines() == [
        "kizu: There is no folder x.",
        "      Check the name.",
        "kizu: It is gone.",
    ]
