"""How calls reach the database: a transport does nothing but call functions by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID


class Transport(Protocol):
    """Calls functions of the schema `public`, each in a transaction of its own."""

    def call(self, function: str, arguments: Mapping[str, Any], *, user: UUID | None = None) -> Any:
        """Call `function` with named arguments (`p_...`), as `user` or, without one, as the worker's role.

        Arguments pass through `wire.encode`; the answer is JSON as `wire.decode` gives it. Raises
        `DatabaseUnavailable` when trying again can help (also when the answer was lost on the way: whether the
        call took effect is then unknown), `DatabaseError` otherwise, `SchemaMismatch` for an unknown function.
        """

    def close(self) -> None:
        """Close all connections. Further calls fail."""
