"""What all groups of SQL functions have in common: how one is called."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kizu_core.database.transport import Transport

Json = dict[str, Any]


class Functions:
    """Calls `kizu_*` functions over a transport, as a worker or as a user."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """Close its connections."""
        self._transport.close()

    def _call(self, function: str, **arguments: Any) -> Any:
        return self._call_as(None, function, **arguments)

    def _call_as(self, as_user: UUID | None, function: str, **arguments: Any) -> Any:
        """Arguments that are None are left to the function's defaults."""
        named = {f"p_{name}": value for name, value in arguments.items() if value is not None}
        return self._transport.call(f"kizu_{function}", named, user=as_user)
