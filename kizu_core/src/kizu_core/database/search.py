"""Search, and what a search can be made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from kizu_core.database.functions import Functions


class SearchFunctions(Functions):
    """All act as the user."""

    def search(
        self,
        user: UUID,
        query: Mapping[str, Any],
        limit: int = 50,
        after: Any = None,
        vector: Sequence[float] | None = None,
        space: str | None = None,
    ) -> Any:
        """Photos that fit the query (see the SQL function), best first, with reasons; `vector`: of its text."""
        return self._call_as(user, "search", query=query, limit=limit, after=after, vector=vector, space=space)

    def vocabulary(self, user: UUID) -> dict[str, Any]:
        """What a query's words can be names of: `{places, people, labels}` of the user's photos."""
        found: dict[str, Any] = self._call_as(user, "vocabulary")
        return found

    def spaces(self, user: UUID) -> list[str]:
        """The vector spaces in which the user's photos have vectors."""
        spaces: list[str] = self._call_as(user, "spaces")
        return spaces
