"""The database: one schema, one set of functions, the embedded server. Nothing heavy is imported before it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kizu_core.database.database import Claim, Database, LocalFile
    from kizu_core.database.opening import OpenDatabase, open_database
    from kizu_core.database.retry import retrying

__all__ = ["Claim", "Database", "LocalFile", "OpenDatabase", "open_database", "retrying"]

_HOMES = {
    "Claim": "database",
    "Database": "database",
    "LocalFile": "database",
    "OpenDatabase": "opening",
    "open_database": "opening",
    "retrying": "retry",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
