"""Fixtures: a library over an empty folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_support.library import Library, open_library
from kizu_support.postgres import KizuDatabase, postgres, shared_database

__all__ = ["postgres", "shared_database"]


@pytest.fixture
def library(shared_database: KizuDatabase, tmp_path: Path) -> Iterator[Library]:
    with open_library(shared_database, tmp_path) as opened:
        yield opened
