"""Types of the fixtures that are functions, for the signatures of the tests that use them."""

from __future__ import annotations

from collections.abc import Callable

from kizu_core.plugins.discovery import PluginRecord
from kizu_core.plugins.specs import OcrSpec

Install = Callable[..., str]
"""Installs a fake plugin of a name (and source, distribution, requires); returns the name."""

Find = Callable[..., dict[str, PluginRecord]]
"""Records by plugin name, under settings given as environment variables."""

MakeSpec = Callable[..., OcrSpec]
"""A spec of a tiny OCR model, with these fields changed."""
