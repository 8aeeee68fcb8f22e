"""Moments, and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from kizu_core.database.functions import Functions, Json


class MomentFunctions(Functions):
    """See the functions of the same names in `migrations/`."""

    # For workers

    def moments_due(self) -> int:
        """Ask for the runs whose hour has come, and end what is over; how many were asked for."""
        return int(self._call("moments_due"))

    def note_time_zone(self, user: UUID, time_zone: str) -> None:
        """The zone of a user of whom none is known yet."""
        self._call("note_time_zone", user=user, time_zone=time_zone)

    def save_moment(self, user: UUID, moment: UUID, *, saved: bool) -> str | None:
        """Keep it for ever, or no longer; its title, None if the user has none such."""
        title: str | None = self._call("moment_save", user=user, id=moment, saved=saved)
        return title

    def hide_moment(self, user: UUID, moment: UUID, *, hidden: bool) -> str | None:
        """Show it never again, or again; its title, None if the user has none such."""
        title: str | None = self._call("moment_hide", user=user, id=moment, hidden=hidden)
        return title

    def block_moments(
        self,
        user: UUID,
        *,
        person: UUID | None = None,
        place: str | None = None,
        days: tuple[date, date] | None = None,
    ) -> UUID | None:
        """Keep one of these out of all moments; the block's id, None if the person is not the user's."""
        first, last = days or (None, None)
        made = self._call("moment_block", user=user, person=person, place=place, first_day=first, last_day=last)
        return UUID(made["id"]) if made else None

    def unblock_moments(self, user: UUID, block: UUID) -> bool:
        """False if the user has no such block."""
        return bool(self._call("moment_unblock", user=user, id=block))

    def set_moments(self, user: UUID, change: Mapping[str, Any], time_zone: str | None = None) -> None:
        """Change settings; a value None takes one back to its default."""
        self._call("moments_settings", user=user, change=change, time_zone=time_zone)

    # As the user

    def moments(self, user: UUID, where: Mapping[str, Any], limit: int = 50, after: Any = None) -> Json:
        """One page of the user's moments: `{moments, next}`."""
        page: Json = self._call_as(user, "moments", filter=where, limit=limit, after=after)
        return page

    def moment(self, user: UUID, moment: UUID, limit: int = 1000, after: int | None = None) -> Json | None:
        """One moment with a page of its photos, or None when the user has no such moment."""
        found: Json | None = self._call_as(user, "moment", id=moment, limit=limit, after=after)
        return found

    def moments_state(self, user: UUID) -> Json:
        """Settings, time zone, counts, and the latest run with what came of it."""
        state: Json = self._call_as(user, "moments_state")
        return state

    def moment_blocks(self, user: UUID) -> list[Json]:
        """What the user does not want to be reminded of."""
        blocks: list[Json] = self._call_as(user, "moment_blocks")
        return blocks
