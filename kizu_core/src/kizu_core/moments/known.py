"""What the database knows of a user's moments already; see `kizu_view_moments`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One that exists. `saved` and `hidden` ones are their user's: no run touches them."""

    id: UUID
    strategy: str
    hash: str | None
    day: date | None
    saved: bool
    hidden: bool
    asset_ids: tuple[UUID, ...]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Moment:
        return cls(
            id=_uuid(row["id"]),
            strategy=row["strategy"],
            hash=row["hash"],
            day=date.fromisoformat(row["day"]) if row["day"] else None,
            saved=row["saved"],
            hidden=row["hidden"],
            asset_ids=tuple(map(_uuid, row["asset_ids"])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`now`: by the clock of the user's place; `settings`: as they stand in the profile.

    `blocked`: photos that no moment may hold; `moments`: those that exist; `resting`: (moment, hash of its photos) of
    those that expired lately.
    """

    now: datetime
    settings: Any
    blocked: frozenset[UUID]
    moments: Mapping[UUID, Moment]
    resting: frozenset[tuple[UUID, str]]

    @classmethod
    def from_view(cls, view: Mapping[str, Any]) -> Known:
        """From what `LibraryView.moments` answers."""
        moments = [Moment.from_row(row) for row in view.get("existing", ())]
        return cls(
            now=datetime.fromisoformat(view["now"]),
            settings=view.get("settings", {}),
            blocked=frozenset(map(_uuid, view.get("blocked", ()))),
            moments={one.id: one for one in moments},
            resting=frozenset((_uuid(one["id"]), one["hash"]) for one in view.get("history", ())),
        )

    def made_today(self) -> list[Moment]:
        return [one for one in self.moments.values() if one.day == self.now.date()]


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
