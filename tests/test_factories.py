"""Factories are strings, so a renamed function would be found at its first use only: here each is resolved."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import Any

import pytest

from kizu_core.plugins import hookspecs
from kizu_support.distributions import Distribution, distributions

HOOKS = [name for name in vars(hookspecs) if name.startswith("kizu_")]
LAZY = ("factory", "app", "settings")


def specs(distribution: Distribution) -> Iterator[Any]:
    """What the entry points of one distribution declare."""
    for point in metadata.distribution(distribution.name).entry_points.select(group=hookspecs.PROJECT):
        module = importlib.import_module(point.module)
        for hook in HOOKS:
            if hasattr(module, hook):
                yield from getattr(module, hook)()


def references() -> list[Any]:
    """Every lazy string of every installed first-party plugin."""
    found = []
    for distribution in distributions():
        for spec in specs(distribution) if distribution.installed else ():
            values = {one.name: getattr(spec, one.name) for one in dataclasses.fields(spec) if one.name in LAZY}
            missing = [name for name in getattr(spec, "requires", ()) if find_spec(name) is None]
            skip = pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")
            found += [
                pytest.param(value, id=f"{spec.name}:{field}", marks=skip) for field, value in values.items() if value
            ]
    return found


@pytest.mark.parametrize("reference", references())
def test_it_resolves(reference: str) -> None:
    assert callable(resolve_name(reference))
