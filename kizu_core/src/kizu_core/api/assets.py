"""`Library.assets`: the photos and videos of one user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from kizu_core.database.opening import OpenDatabase
from kizu_core.pipeline.pixels import in_pixels

Json = dict[str, Any]


class Assets:
    """The user's photos and videos, as rows with everything known about them."""

    def __init__(self, database: OpenDatabase, user: UUID) -> None:
        self._database = database
        self._user = user

    def page(self, limit: int = 100, after: Any = None, where: Mapping[str, Any] | None = None) -> Json:
        """Newest first; `after` is the `next` of the page before."""
        page: Json = self._database.api.assets(self._user, limit, after, where)
        return page

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
