"""Fixtures for every test of the repository."""

from __future__ import annotations

import signal
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent

# On a busy machine any example can take long; a limit on time would only find that.
settings.register_profile("kizu", deadline=None)
settings.load_profile("kizu")

# A shell starts what runs in the background deaf to Ctrl-C, and so would be every command that a test starts and stops.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A test file's module name is its path, so `kizu_core/tests/...` wants a parent module `kizu_core`. Unless the real
# package is there first, pytest makes an empty one out of the folder.
for _folder in sorted(ROOT.glob("kizu_*")):
    with suppress(ModuleNotFoundError):  # a plugin that is not installed here
        import_module(_folder.name)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real photos and odd files, kept beside the checkout because of their size and licences."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the shared photos are not beside the checkout")
    return folder
