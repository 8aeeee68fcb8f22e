"""Fixtures: a library over an empty folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_support.library import Library, open_library
from kizu_support.postgres import KizuDatabase, kizu_database, postgres

__all__ = ["kizu_database", "postgres"]


@pytest.fixture
def library(kizu_database: KizuDatabase, tmp_path: Path) -> Iterator[Library]:
    with open_library(kizu_database, tmp_path) as opened:
        yield opened
