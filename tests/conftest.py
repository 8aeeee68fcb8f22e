"""Fixtures of the tests that cross distributions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_support.command import Kizu


@pytest.fixture
def kizu(tmp_path: Path) -> Iterator[Kizu]:
    """The command on an empty data folder, with core's own handlers only; nothing of it is left running."""
    command = Kizu(tmp_path / "home", {"KIZU_LOAD_PLUGINS": "core"})
    yield command
    for process in list(command.processes()):
        process.kill()
