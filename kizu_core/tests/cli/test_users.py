"""`kizu users` as a person and as a script meet it."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_support.command import KIZU, Kizu
from kizu_support.embedded import database_template, library_home

__all__ = ["database_template", "library_home"]


@pytest.fixture
def kizu(library_home: Path) -> Iterator[Kizu]:
    """The command, its database kept running so that each call is quick."""
    command = Kizu(library_home, {"KIZU_LOAD_PLUGINS": "core"})
    command("db", "start")
    yield command
    command("db", "stop")


def test_add_list_rename_delete(kizu: Kizu) -> None:
    assert kizu("users", "list").out == "Nobody yet: the first `kizu run FOLDER` makes 'me'.\n"
    assert kizu("users", "add", "me").code == 0
    added = kizu.json("users", "add", "Anna")
    assert kizu("users", "rename", "Anna", "Änna").code == 0
    listed = kizu.json("users", "list")
    assert [(one["name"], one["default"]) for one in listed] == [("me", True), ("Änna", False)]
    assert listed[1]["id"] == added["id"]
    assert [line.split()[:2] for line in kizu("users", "list").out.splitlines()[1:]] == [["*", "me"], ["Änna", "0"]]
    gone = kizu.json("users", "delete", "Änna", "--yes")
    assert gone["deleted"] == {"profiles": 1}
    assert [one["name"] for one in kizu.json("users", "list")] == ["me"]


def test_deleting_says_what_goes_and_asks_first(kizu: Kizu) -> None:
    kizu("users", "add", "Anna")
    refused = kizu("users", "delete", "Anna")
    assert refused.code == 1
    assert "Kizu keeps of Anna:" in refused.out
    assert refused.err.splitlines() == [
        "kizu: Anna was not deleted: nobody can be asked here.",
        "      Add --yes to do it unasked.",
    ]
    assert _at_a_terminal(kizu, "n") == 1
    assert [one["name"] for one in kizu.json("users", "list")] == ["Anna"]
    assert _at_a_terminal(kizu, "y") == 0
    assert kizu.json("users", "list") == []


@pytest.mark.parametrize("name", ["", "a\nb", "a\u202eb", "x" * 81])
def test_a_name_that_can_not_be_is_refused_everywhere(kizu: Kizu, tmp_path: Path, name: str) -> None:
    for arguments in (("users", "add", name), ("run", tmp_path, "--user", name or " ")):
        refused = kizu(*arguments)
        assert (refused.code, "Traceback" in refused.err) == (1, False)
        assert refused.err.startswith("kizu: ")


def _at_a_terminal(kizu: Kizu, answer: str) -> int:
    """The exit code of the deletion when a person answers."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [KIZU, "users", "delete", "Anna"],
        env=dict(kizu.environment()),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.write(ours, f"{answer}\n".encode())
    process.communicate(timeout=60)
    os.close(theirs)
    os.close(ours)
    return process.returncode
