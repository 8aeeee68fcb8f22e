"""The settings that cross to children."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kizu_core.errors import NoSuchModel
from kizu_core.models.loading import resolve
from kizu_core.plugins.catalog import Catalog
from kizu_core.settings import Settings
from kizu_core.types import ModelType


def child_values(settings: Settings, catalog: Catalog) -> dict[str, Any]:
    """No secret, and of the environment only what the installed model plugins read."""
    models = []
    for kind in ModelType:
        for spec in catalog.specs(kind):
            with suppress(NoSuchModel):
                models += [resolve(spec.settings, spec.name)] if spec.settings else []
    return settings.child_values(models)
