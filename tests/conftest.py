"""Fixtures of the tests that cross distributions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_support.command import Kizu
from kizu_support.embedded import database_template, library_home

__all__ = ["database_template", "kizu", "library_home"]


@pytest.fixture
def kizu(library_home: Path) -> Iterator[Kizu]:
    """The command on an empty library, with core's own handlers only; nothing of it is left running."""
    command = Kizu(library_home, {"KIZU_LOAD_PLUGINS": "core"})
    yield command
    for process in command.processes():
        process.kill()
