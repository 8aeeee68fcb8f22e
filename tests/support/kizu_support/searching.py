"""A throw-away embedded database with Kizu's own settings and made-up libraries: what benchmarks of search ask.

Users ask as `authenticated` with their claims, as programs do.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg

from kizu_core.database import Database, OpenDatabase, open_database
from kizu_core.database.embedded.launcher import Embedded
from kizu_core.settings import load_settings
from kizu_support.filled import Filled, fill
from kizu_support.made import Made


@dataclass(frozen=True)
class Server:
    """`owner`: the address for what users may not do."""

    database: OpenDatabase
    owner: str

    @property
    def api(self) -> Database:
        return self.database.api

    def user(self, name: str) -> UUID:
        return self.database.worker.ensure_user(name)

    def fill(self, made: Made, name: str) -> Filled:
        """A new user with this library, of which the planner knows."""
        user = self.user(name)
        with psycopg.connect(self.owner) as connection:
            filled = fill(connection, made, user)
        self.settle()
        return filled

    def settle(self) -> None:
        """What the server does by itself within a minute of a large import."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute("vacuum analyze")


@contextmanager
def server() -> Iterator[Server]:
    """A server in a temporary folder, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="kizu-search-") as folder:
        settings = load_settings({"home": Path(folder)}, environ={})
        with open_database(settings) as database, Embedded(settings.paths) as embedded:
            yield Server(database, embedded.ensure().owner)


def hits(api: Database, user: UUID, query: dict[str, Any], most: int, **options: Any) -> list[UUID]:
    """The first hits of a query, in their order."""
    found: list[UUID] = []
    after = None
    while len(found) < most:
        page = api.search(user, query, min(most - len(found), 200), after, **options)
        found += [UUID(hit["asset_id"]) for hit in page["hits"]]
        after = page["next"]
        if after is None:
            break
    return found


def ndcg(found: Sequence[UUID], relevant: Collection[UUID], k: int = 10) -> float:
    """Normalised discounted cumulative gain of the first `k`; every relevant one gains the same."""
    gains = 1 / np.log2(np.arange(2, k + 2))
    right = np.array([one in relevant for one in found[:k]], bool)
    return float(gains[: len(right)][right].sum() / gains[: min(k, len(relevant))].sum())
