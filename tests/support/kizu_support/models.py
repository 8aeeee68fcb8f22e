"""A plugin's model as the child loads it, with settings of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kizu_core import ModelType
from kizu_core.models.loading import load_model
from kizu_core.models.selection import build_catalog
from kizu_core.settings import load_settings


@contextmanager
def loaded(kind: ModelType, name: str, home: Path, **environ: str) -> Iterator[Any]:
    """The named model of an installed plugin: weights checked, settings read from `environ`."""
    settings = load_settings({"home": home, "threads": 1}, environ=environ)
    model = load_model(build_catalog(settings).model(kind, name), settings)
    yield model
    model.close()
