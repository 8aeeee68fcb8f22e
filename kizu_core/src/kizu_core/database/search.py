"""Search, and what a search can be made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kizu_core.database.functions import Functions


class SearchFunctions(Functions):
    """All act as the user."""

    def search(
        self,
        user: UUID,
        query: str,
        limit: int = 50,
        after: Any = None,
        vector: Sequence[float] | None = None,
        space: str | None = None,
    ) -> Any:
        """Photos that fit the text, best first, each with the reason; also those that `vector` of `space` means."""
        return self._call_as(user, "search", query=query, limit=limit, after=after, vector=vector, space=space)

    def spaces(self, user: UUID) -> dict[str, int]:
        """Vector space -> how many of the user's photos have a vector of it."""
        counts: dict[str, int] = self._call_as(user, "spaces")
        return counts
