"""Fixtures: photos of two users in a real database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from uuid import UUID, uuid4

import pytest

from kizu_core.database import Database
from kizu_core.database.direct import DirectTransport
from kizu_support.postgres import KizuDatabase, postgres, shared_database
from kizu_support.shelf import Shelf

__all__ = ["postgres", "shared_database"]


@pytest.fixture
def shelf(shared_database: KizuDatabase) -> Iterator[Shelf]:
    with closing(Database(DirectTransport(shared_database.api))) as api:
        yield Shelf(shared_database, api)


@pytest.fixture
def ann() -> UUID:
    return uuid4()


@pytest.fixture
def bob() -> UUID:
    return uuid4()
