"""What strategies propose, checked: a broken strategy, or a broken proposal of a good one, spoils nothing else."""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID, uuid5

from kizu_core.plugins.protocols import MomentStrategy
from kizu_core.plugins.specs import MomentStrategySpec
from kizu_core.types import MomentCandidate, Photo

MOST_PROPOSALS = 20_000
"""Of one strategy: far more than a life has moments."""

MOST_TITLE, MOST_KEY, MOST_CRITERIA = 120, 200, 16_000
"""Characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A way to find moments, the plugin that brings it, and how to make it, which may fail."""

    spec: MomentStrategySpec
    plugin: str
    build: Callable[[], MomentStrategy]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A checked candidate. `id`: the same for the same user, strategy and key; `hash`: of its photos, in any order."""

    id: UUID
    strategy: Strategy
    title: str
    subtitle: str
    asset_ids: tuple[UUID, ...]
    score: float
    criteria: Mapping[str, Any]
    hash: str

    @property
    def rank(self) -> tuple[float, int, str]:
        """Sorts the best first, and always alike."""
        return (-self.score, self.strategy.spec.order, str(self.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a strategy answered. `faults`: what was wrong with it, for its author; at most one sentence of each kind."""

    proposals: tuple[Proposal, ...] = ()
    faults: tuple[str, ...] = ()


class _Fault(ValueError):
    """Why one candidate can't be used."""


def ask(strategy: Strategy, user: UUID, photos: Sequence[Photo], now: datetime) -> Asked:
    """All good proposals of one strategy, each key once (the better one), and what is wrong with the others."""
    try:
        candidates = list(islice(strategy.build().propose(list(photos), now=now), MOST_PROPOSALS))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
        return Asked(faults=(f"It failed with {type(error).__name__}: {one_line(str(error), 300)}",))
    known = frozenset(photo.asset_id for photo in photos)
    found: dict[UUID, Proposal] = {}
    faults: dict[str, None] = {}
    for candidate in candidates:
        try:
            proposal = _checked(candidate, strategy, user, known)
        except _Fault as fault:
            faults[str(fault)] = None
            continue
        if proposal.id not in found or proposal.rank < found[proposal.id].rank:
            found[proposal.id] = proposal
    return Asked(proposals=_normalised(list(found.values())), faults=tuple(faults)[:5])


def hash_of(asset_ids: Collection[UUID]) -> str:
    """The same for the same photos, in whatever order."""
    return hashlib.sha256(b"".join(sorted(one.bytes for one in asset_ids))).hexdigest()[:32]


def one_line(text: str, most: int) -> str:
    """Text without what breaks, hides or turns a line: names of people and places come from anywhere."""
    visible = (" " if one.isspace() else one for one in text if one.isspace() or _is_shown(one))
    line = " ".join("".join(visible).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _is_shown(letter: str) -> bool:
    # Joiners of Arabic and Indic names are format characters too, and the only ones that a name needs.
    return unicodedata.category(letter)[0] != "C" or letter in "\u200c\u200d"


def _checked(candidate: Any, strategy: Strategy, user: UUID, known: frozenset[UUID]) -> Proposal:
    if not isinstance(candidate, MomentCandidate):
        raise _Fault(f"It proposes a {type(candidate).__name__} instead of a MomentCandidate.")
    asset_ids = tuple(candidate.asset_ids)
    if not asset_ids or len(set(asset_ids)) != len(asset_ids) or not known.issuperset(asset_ids):
        raise _Fault("It proposes a moment without photos, with one twice, or with one that it was not given.")
    if not all(isinstance(text, str) for text in (candidate.title, candidate.subtitle, candidate.key)):
        raise _Fault("Its titles and keys are not all text.")
    title = one_line(candidate.title, MOST_TITLE)
    if not title:
        raise _Fault("It proposes a moment without a title.")
    if len(candidate.key) > MOST_KEY:
        raise _Fault(f"A key of it is longer than {MOST_KEY} characters.")
    if not isinstance(candidate.score, int | float) or not math.isfinite(candidate.score) or candidate.score < 0:
        raise _Fault("A score of it is no number from 0 to 1.")
    own_hash = hash_of(asset_ids)
    return Proposal(
        id=uuid5(user, f"moment\n{strategy.spec.name}\n{candidate.key or own_hash}"),
        strategy=strategy,
        title=title,
        subtitle=one_line(candidate.subtitle, MOST_TITLE),
        asset_ids=asset_ids,
        score=float(candidate.score),
        criteria=_plain(candidate.criteria),
        hash=own_hash,
    )


def _plain(criteria: Any) -> Mapping[str, Any]:
    """The reasons as they come out of JSON. Raises `_Fault` for what JSON can't hold."""
    try:
        text = json.dumps(dict(criteria), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise _Fault("Its criteria hold something that JSON has not.") from None
    if len(text) > MOST_CRITERIA or "\\u0000" in text:
        raise _Fault("Its criteria are too long to be stored.")
    plain: Mapping[str, Any] = json.loads(text)
    return plain


def _normalised(proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
    """Scores from 0 to 1: a strategy that counts to a hundred is scaled down as a whole, its order stays."""
    highest = max((one.score for one in proposals), default=0.0)
    if highest <= 1.0:
        return tuple(proposals)
    return tuple(replace(one, score=one.score / highest) for one in proposals)
