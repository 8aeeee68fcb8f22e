"""A ready embedded database for tests that need the real thing: Kizu's own launcher, roles and migrated schema.

Use from any test folder: put `from kizu_support.embedded import database_template, library_home, library_settings,
open_db` into its `conftest.py` (fixtures are found by name there), then take `open_db` in a test, or
`library_settings` / `library_home` where the code under test opens the database itself.

One data folder is made per test process; every test gets a copy of it, which costs a tenth of making one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kizu_core.database import OpenDatabase, open_database
from kizu_core.database.processes import stop_server
from kizu_core.settings import Settings, load_settings


def settings_for(home: Path, **overrides: object) -> Settings:
    """Settings of the data folder `home`, whatever the environment of the test run says."""
    return load_settings({"home": home, **overrides}, environ={})


@pytest.fixture(scope="session")
def database_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with a migrated database that nobody uses, to copy from."""
    home = tmp_path_factory.mktemp("template") / "home"
    with open_database(settings_for(home)):
        pass
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def library_home(database_template: Path, tmp_path: Path) -> Iterator[Path]:
    """A fresh data folder with a migrated, empty database; its server is stopped at the end, whoever left it."""
    home = tmp_path / "home"
    shutil.copytree(database_template, home)
    yield home
    stop_server(home.resolve() / "database")
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def library_settings(library_home: Path) -> Settings:
    """Settings of `library_home`."""
    return settings_for(library_home)


@pytest.fixture
def open_db(library_settings: Settings) -> Iterator[OpenDatabase]:
    """An open database of its own for the test."""
    with open_database(library_settings) as database:
        yield database
