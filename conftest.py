"""Fixtures for every test of the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent


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
