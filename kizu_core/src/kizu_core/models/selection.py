"""Which model is used for what: the catalog of this environment, and the choice that stays."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from typing import Any

from kizu_core.errors import PluginError
from kizu_core.models.configured import configured
from kizu_core.models.weights import readiness
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.contract import CORE
from kizu_core.plugins.discovery import PluginRecord, discover
from kizu_core.settings import Settings, edit_config
from kizu_core.types import ModelType


def load_catalog(settings: Settings) -> Catalog:
    """What the installed plugins bring, with a default for each kind.

    Raises `PluginError` for the first problem if the settings ask for strictness.
    """
    catalog = build_catalog(settings)
    if settings.strict_plugins and catalog.problems:
        problem = catalog.problems[0]
        raise PluginError(f"Plugin {problem.plugin}: {problem.message}", hint=problem.hint)
    return catalog


def build_catalog(settings: Settings) -> Catalog:
    """As `load_catalog`, but problems are only listed: for those who show them."""
    with redirect_stdout(sys.stderr):  # what a plugin prints must not end up in the middle of somebody's JSON
        return _set_up(discover(settings), settings)


def refreshed(catalog: Catalog, settings: Settings) -> Catalog:
    """The same plugins as weights and consents are now. Imports nothing new, for threads that look now and then."""
    return _set_up(catalog.declared, settings)


def _set_up(declared: Sequence[PluginRecord], settings: Settings) -> Catalog:
    return Catalog(
        [configured(record, settings) for record in declared],
        settings.default_models,
        ready=lambda spec: readiness(spec, settings).ready,
        declared=declared,
    )


def use_model(settings: Settings, catalog: Catalog, kind: ModelType, name: str) -> None:
    """Makes a model the default of its kind, in `kizu.toml`. Raises `NoSuchModel`."""
    catalog.model(kind, name)
    edit_config(settings.paths.config_file, partial(_choose, {str(kind): name}))


def pin_defaults(settings: Settings, catalog: Catalog) -> dict[str, str]:
    """Writes the default of each kind that has none written yet, and returns what it wrote.

    Called when results are about to be made: from then on, installing another plugin changes nothing. Kizu's own models
    come before all others anyway.
    """
    chosen = {}
    for kind in ModelType:
        spec = None if kind in settings.default_models else catalog.default(kind)
        if spec is not None and catalog.author(spec).name != CORE and readiness(spec, settings).ready:
            chosen[str(kind)] = spec.name
    if chosen:
        edit_config(settings.paths.config_file, partial(_choose, chosen))
    return chosen


def _choose(chosen: dict[str, str], document: Any) -> None:
    document.setdefault("models", {}).update(chosen)
