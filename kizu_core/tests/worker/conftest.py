"""A real database, a real child, and a plugin whose handler does as its jobs say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_core.database import Database, OpenDatabase
from kizu_core.database.direct import DirectTransport
from kizu_support.bench import Bench, bench_for
from kizu_support.embedded import settings_for
from kizu_support.fake_distribution import installed
from kizu_support.postgres import KizuDatabase, kizu_database, postgres
from kizu_support.probe import install_probe

__all__ = ["kizu_database", "postgres"]


@pytest.fixture
def open_db(kizu_database: KizuDatabase) -> Iterator[OpenDatabase]:
    """A database of its own for the test, on the server that all tests share."""
    worker, api = (Database(DirectTransport(url)) for url in (kizu_database.worker, kizu_database.api))
    yield OpenDatabase(worker, api, listen_url=kizu_database.worker, embedded=None)
    worker.close()
    api.close()


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the probe plugin, installed for this process and for those it starts."""
    folder = install_probe(tmp_path / "plugins")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    with installed(folder):
        yield folder


@pytest.fixture
def bench(open_db: OpenDatabase, probe: Path, tmp_path: Path) -> Iterator[Bench]:
    with bench_for(settings_for(tmp_path / "home"), open_db, tmp_path) as made:
        yield made
