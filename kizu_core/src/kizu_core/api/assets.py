"""`Library.assets`: the photos and videos of one user, and what the user says about them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from kizu_core.database.opening import OpenDatabase
from kizu_core.database.paths import path_to_text
from kizu_core.errors import LibraryError
from kizu_core.library.places import backfill
from kizu_core.pipeline.pixels import in_pixels

Json = dict[str, Any]


class Assets:
    """The user's photos and videos, as rows with everything known about them.

    Methods that change something write a correction down, which later runs respect and `Library.people.undo` takes
    back; they return its `id` and what it changed. Files are never touched.
    """

    def __init__(self, database: OpenDatabase, user: UUID) -> None:
        self._database = database
        self._user = user

    def page(self, limit: int = 100, after: Any = None, where: Mapping[str, Any] | None = None) -> Json:
        """Newest first; `after` is the `next` of the page before."""
        page: Json = self._database.api.assets(self._user, limit, after, where)
        return page

    def find(self, photo: str) -> UUID:
        """The asset meant by a path, a file name or an id. Raises `LibraryError` if there is none, or more than one."""
        try:
            where: Mapping[str, Any] = {"id": str(UUID(photo))}
        except ValueError:
            path = Path(photo).expanduser()
            where = {"path": path_to_text(str(path.absolute()))} if path.exists() else {"name": photo}
        rows = self.page(limit=10, where=where)["assets"]
        rows = rows or self.page(limit=10, where={**where, "hidden": True})["assets"]
        if not rows:
            raise LibraryError(f"There is no photo {photo!r} in the library.", hint="See `kizu assets list`.")
        if len(rows) > 1:
            some = ", ".join(row["path"] or row["file_name"] for row in rows[:3])
            raise LibraryError(
                f"{photo!r} could be any of several photos, such as {some}.", hint="Give its path or its id."
            )
        return UUID(rows[0]["id"])

    def show(self, asset: UUID) -> Json | None:
        """Facts, files and every result of one photo; None if the user has no such photo.

        Places are relative to the upright picture (`bbox`, `quad`, `keypoints`), and beside it in its pixels
        (`bbox_px`, `quad_px`, `keypoints_px`).
        """
        found = self._database.api.asset(self._user, asset)
        if found is None:
            return None
        placed = ("texts", "objects", "faces")
        return found | {
            kind: [in_pixels(row, found["width"], found["height"]) for row in found[kind]] for kind in placed
        }

    def set_date(self, asset: UUID, taken: datetime) -> Json:
        """When it was taken, by the clock of that place; with `tzinfo` also how far that clock is from UTC."""
        offset = taken.utcoffset()
        zone = {} if offset is None else {"offset_min": round(offset.total_seconds() / 60)}
        return self._correct("date", asset, {"taken_local": taken.replace(tzinfo=None).isoformat(), **zone})

    def set_place(self, asset: UUID, name: str | None = None, position: tuple[float, float] | None = None) -> Json:
        """Where it was taken: the name of the spot, latitude and longitude in degrees, or both; None leaves it."""
        said: Json = {} if name is None else {"place_name": name}
        if position is not None:
            said |= {"latitude": position[0], "longitude": position[1]}
        answer = self._correct("place", asset, said)
        with suppress(LibraryError):  # without its gazetteer a later run names the place
            backfill(self._database.worker, self._user)
        return answer

    def hide(self, asset: UUID) -> Json:
        """In no list, search or moment from now on."""
        return self._correct("hide_photo", asset)

    def show_again(self, asset: UUID) -> Json:
        """The opposite of `hide`."""
        return self._correct("show_photo", asset)

    def forget(self, asset: UUID) -> Json:
        """Removes all that is known of it; later imports pass over files with the same content."""
        return self._correct("forget", asset)

    def _correct(self, kind: str, asset: UUID, said: Mapping[str, Any] | None = None) -> Json:
        return self._database.worker.correct(self._user, kind, {"asset": str(asset), **(said or {})})
