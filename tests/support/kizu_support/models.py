"""A plugin's model as the child loads it, with settings of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kizu_core import ModelType, Runtime
from kizu_core.models.loading import build, load_model
from kizu_core.models.runtimes.convert import convert
from kizu_core.models.runtimes.possible import needs_conversion
from kizu_core.models.selection import build_catalog
from kizu_core.settings import load_settings


@contextmanager
def loaded(kind: ModelType, name: str, home: Path, **environ: str) -> Iterator[Any]:
    """The named model of an installed plugin: weights checked, settings read from `environ`."""
    settings = load_settings({"home": home, "threads": 1}, environ=environ)
    model = load_model(build_catalog(settings).model(kind, name), settings)
    yield model
    model.close()


@contextmanager
def loaded_on(runtime: Runtime, kind: ModelType, name: str, home: Path, **environ: str) -> Iterator[Any]:
    """The same on a runtime of the test's choice, converted for it if need be."""
    settings = load_settings({"home": home, "threads": 1}, environ=environ)
    spec = build_catalog(settings).model(kind, name)
    if needs_conversion(spec, runtime):
        convert(spec, settings)
    model = build(spec, settings, runtime)
    yield model
    model.close()
