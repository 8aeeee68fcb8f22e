"""What handlers may see of a user's library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kizu_core.database.functions import Functions, Json


class ViewFunctions(Functions):
    """All act as the user, but for `view_moments`, whose function is for workers."""

    def view_names(self, user: UUID) -> Json:
        """`{people}`: names by person."""
        return self._view(user, "names")

    def view_photos(self, user: UUID, after: UUID | None) -> Json:
        """`{photos, next}`, one page."""
        return self._view(user, "photos", after=after)

    def view_faces(self, user: UUID, space: str | None, after: Sequence[UUID] | None) -> Json:
        """`{space, faces, vectors, next}`, one page; without a space, of the one that answers."""
        return self._view(user, "faces", space=space, after=after)

    def view_vectors(self, user: UUID, assets: Sequence[UUID]) -> Json:
        """`{space, assets, vectors}` of those that have one."""
        return self._view(user, "vectors", assets=list(assets))

    def view_facts(self, user: UUID, assets: Sequence[UUID]) -> Json:
        """`{facts}` of those that are the user's."""
        return self._view(user, "facts", assets=list(assets))

    def view_people(self, user: UUID) -> Json:
        """What the user said of people."""
        return self._view(user, "people")

    def view_moments(self, user: UUID, after: UUID | None) -> Json:
        """What moments are made with; `{existing, next}` of the pages behind the first."""
        found: Json = self._call("view_moments", user=user, after=after)
        return found

    def _view(self, as_user: UUID, view: str, **arguments: Any) -> Json:
        found: Json = self._call_as(as_user, f"view_{view}", **arguments)
        return found
