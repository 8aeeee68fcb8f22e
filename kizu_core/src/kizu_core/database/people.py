"""Faces, people and corrections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from kizu_core.database.functions import Functions, Json


class PeopleFunctions(Functions):
    """Looking is done as the user; corrections are made by a worker, for the user who is named."""

    # As the user

    def people(self, user: UUID, where: Mapping[str, Any] | None = None) -> Json:
        """`{people: [{id, name, contact, photos, faces, hidden, cover}]}`, most photos first."""
        found: Json = self._call_as(user, "people", filter=where or {})
        return found

    def person(self, user: UUID, person: UUID, limit: int = 100, after: Any = None) -> Json | None:
        """One of them with a page of faces, `{..., faces, next}`; None if there is no such person."""
        found: Json | None = self._call_as(user, "person", id=person, limit=limit, after=after)
        return found

    def faces(self, user: UUID, beginning: str) -> list[Json]:
        """Up to three faces whose id begins so: `{face_id, asset_id, person, bbox, path}`."""
        found: list[Json] = self._call_as(user, "faces", id=beginning)
        return found

    def people_review(self, user: UUID, limit: int = 20) -> Json:
        """What is worth asking: `{pairs: [{kind, a, b, score}], faces: [{face, person, certainty}]}`."""
        found: Json = self._call_as(user, "people_review", limit=limit)
        return found

    def corrections(self, user: UUID, limit: int = 50, after: int | None = None) -> Json:
        """`{corrections: [{id, kind, at, subject, undone, undoes}], next}`, newest first."""
        page: Json = self._call_as(user, "corrections", limit=limit, after=after)
        return page

    # As a worker

    def correct(self, user: UUID, kind: str, subject: Mapping[str, Any]) -> Json:
        """Take a user's word, see `kizu_correct`: `{id, kind, ...}`. Raises `LibraryError` for what can't be."""
        answer: Json = self._call("correct", user=user, kind=kind, subject=subject)
        return answer

    def undo(self, user: UUID, correction: int | None = None) -> Json:
        """Take a correction back, the last one if none is named: `{id, undone, kind}`. Raises `LibraryError`."""
        answer: Json = self._call("undo", user=user, id=correction)
        return answer

    def people_reset(self, user: UUID) -> Json:
        """Throw all grouping by machines away: `{people, faces}`, who stays and how many faces are nobody's."""
        answer: Json = self._call("people_reset", user=user)
        return answer

    def people_due(self, *, now: bool = False) -> int:
        """Ask for grouping where many faces (with `now`: any) are nobody's that came since; how many jobs."""
        return int(self._call("people_due", now=now))
