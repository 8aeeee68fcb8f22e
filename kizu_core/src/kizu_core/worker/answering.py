"""What a parent shows its child of a library: a fixed list of views, each of the job's own user.

The child is not trusted. What it asks is held to the arguments of the view that it names; none of them is a user, who
comes from the claim. Lists come in pages, so that neither process holds more than one of them as a message.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kizu_core.database import OpenDatabase
from kizu_core.errors import WorkerError

MOST_ASSETS = 2000
"""Photos that one question may be about."""

Found = Mapping[str, Any] | None


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Nothing(_Arguments):
    pass


class _Asset(_Arguments):
    asset_id: UUID


class _Assets(_Arguments):
    asset_ids: Annotated[list[UUID], Field(max_length=MOST_ASSETS)]


class _After(_Arguments):
    after: UUID | None = None


class _Faces(_Arguments):
    space: str | None = None
    after: Annotated[list[UUID], Field(min_length=2, max_length=2)] | None = None


def _faces(database: OpenDatabase, user: UUID, asked: _Faces) -> Found:
    return _with_bytes(database.api.view_faces(user, asked.space, asked.after))


def _vectors(database: OpenDatabase, user: UUID, asked: _Assets) -> Found:
    return _with_bytes(database.api.view_vectors(user, asked.asset_ids))


def _with_bytes(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Vectors as the database packs them: two bytes a number in a message, where text would take ten."""
    return {**found, "vectors": b64decode(found["vectors"] or "")}


_VIEWS: Mapping[str, tuple[type[_Arguments], Callable[[OpenDatabase, UUID, Any], Found]]] = {
    "asset": (_Asset, lambda database, user, asked: database.api.asset(user, asked.asset_id)),
    "names": (_Nothing, lambda database, user, asked: database.api.view_names(user)),
    "photos": (_After, lambda database, user, asked: database.api.view_photos(user, asked.after)),
    "faces": (_Faces, _faces),
    "vectors": (_Assets, _vectors),
    "facts": (_Assets, lambda database, user, asked: database.api.view_facts(user, asked.asset_ids)),
    "people": (_Nothing, lambda database, user, asked: database.api.view_people(user)),
    "moments": (_After, lambda database, user, asked: database.worker.view_moments(user, asked.after)),
}


def answer(database: OpenDatabase, user: UUID, what: str, arguments: Mapping[str, Any]) -> Found:
    """What the view `what` shows of the user's library.

    Raises `WorkerError` for what is no question, and the database's errors.
    """
    if what not in _VIEWS:
        raise WorkerError("A handler asked for something of the library that is not shown.")
    kind, show = _VIEWS[what]
    try:
        asked = kind.model_validate(dict(arguments))
    except ValidationError as error:
        raise WorkerError(f"A handler asked for {what} with {error.error_count()} wrong arguments.") from error
    return show(database, user, asked)
