"""One moment for the same photos: of proposals that have too many in common, the better one stays."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from kizu_core.moments.proposals import Proposal

MOST_SHARED = 0.5
"""Photos in common, of all those in either of two moments, from which on they count as one. An afternoon of a long
journey, or one of its people, is far below that: a moment beside that of the journey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """`by`: the moment with which it has the largest `share` of photos in common."""

    proposal: Proposal
    by: UUID
    share: float


def without_overlaps(
    proposals: Iterable[Proposal], existing: Mapping[UUID, Sequence[UUID]]
) -> tuple[list[Proposal], list[Rejected]]:
    """Those that stay, best first, and those that give way. `existing`: moment -> its photos; they were there first.

    A proposal for an existing moment is that moment in its new shape and stays.
    """
    held = _Held()
    for moment, asset_ids in existing.items():
        held.add(moment, asset_ids)
    kept: list[Proposal] = []
    late: list[Proposal] = []
    for proposal in sorted(proposals, key=lambda one: (one.id not in existing, *one.rank)):
        if proposal.id in existing:
            kept.append(proposal)
        elif held.nearest(proposal.asset_ids)[1] < MOST_SHARED:
            kept.append(proposal)
            held.add(proposal.id, proposal.asset_ids)
        else:
            late.append(proposal)
    # Only now is known what stays: told is the nearest of all, in this run and in the next one, when it exists.
    nearest = ((one, *held.nearest(one.asset_ids)) for one in late)
    rejected = [Rejected(proposal=one, by=by, share=round(share, 2)) for one, by, share in nearest if by]
    return sorted(kept, key=lambda one: one.rank), rejected


class _Held:
    """Which moments hold which photos."""

    def __init__(self) -> None:
        self._sizes: dict[UUID, int] = {}
        self._holders: defaultdict[UUID, list[UUID]] = defaultdict(list)

    def add(self, moment: UUID, asset_ids: Sequence[UUID]) -> None:
        self._sizes[moment] = len(asset_ids)
        for asset_id in asset_ids:
            self._holders[asset_id].append(moment)

    def nearest(self, asset_ids: Sequence[UUID]) -> tuple[UUID | None, float]:
        """The moment with the largest share of photos in common, and that share."""
        common = Counter(moment for one in asset_ids for moment in self._holders.get(one, ()))
        shares = (
            (count / (self._sizes[moment] + len(asset_ids) - count), moment.bytes) for moment, count in common.items()
        )
        share, found = max(shares, default=(0.0, b""))
        return (UUID(bytes=found) if found else None), share
