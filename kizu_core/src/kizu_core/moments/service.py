"""MomentsService: asks the strategies of all plugins, and makes of their proposals the few moments of a day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from kizu_core.moments.covers import Covers, choose_covers
from kizu_core.moments.known import Known
from kizu_core.moments.overlaps import MOST_SHARED, Rejected, without_overlaps
from kizu_core.moments.preferences import Preferences, read_preferences
from kizu_core.moments.proposals import Proposal, Strategy, ask
from kizu_core.plugins.protocols import LibraryView
from kizu_core.types import Photo

MOST_TOLD = 10
"""Rejected alternatives that are written down with a moment."""

VARIETY = 0.9
"""What each further new moment of the same kind counts on one day: five journeys in a row tire."""

Json = dict[str, Any]
Tell = Callable[[int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """`moments`: rows as `kizu.store_moment` takes them, best first. `report`: what was done and why, as JSON."""

    moments: tuple[Json, ...] = ()
    report: Json


@dataclass(slots=True)
class Answers:
    """`proposals` of all strategies; `told`: strategy -> how many, and what was wrong with it."""

    proposals: list[Proposal] = field(default_factory=list)
    told: dict[str, Json] = field(default_factory=dict)


class MomentsService:
    """`strategies`: of all plugins. What comes out follows from them, the library and its hour alone."""

    def __init__(self, strategies: Iterable[Strategy]) -> None:
        self._strategies = sorted(strategies, key=lambda one: (one.spec.fallback, one.spec.order, one.spec.name))

    def generate(self, user: UUID, view: LibraryView, tell: Tell = lambda percent, step: None) -> Generated:
        """The moments of today: new ones, and existing ones whose photos have changed. Raises what `view` raises."""
        known = Known.from_view(view.moments())
        wanted = read_preferences(known.settings, [one.spec for one in self._strategies])
        if not wanted.enabled:
            return _nothing(wanted, "Moments are switched off.", "`kizu moments settings --on` switches them on.")
        if not self._strategies:
            return _nothing(wanted, "No plugin in use finds moments.", "Install kizu-plugin-moments.")
        tell(5, "photos")
        shown = view.photos()
        photos = {one.asset_id: one for one in sorted(shown, key=_id) if one.asset_id not in known.blocked}
        if not photos and shown:
            return _nothing(wanted, "Every photo is blocked or shows somebody hidden.", "See `kizu moments blocks`.")
        if not photos:
            return _nothing(wanted, "There are no photos in this library yet.", "Bring some in: `kizu run FOLDER`")
        answers = self.ask_all(user, list(photos.values()), known.now, wanted.wants, tell)
        tell(80, "covers")
        return _Choice(view, known, wanted, photos).of(answers)

    def ask_all(
        self,
        user: UUID,
        photos: Sequence[Photo],
        now: datetime,
        wants: Callable[[Any], bool] = lambda spec: True,
        tell: Tell = lambda percent, step: None,
    ) -> Answers:
        """What all strategies propose; fallbacks, one after the other, only if nobody before proposed anything."""
        answers = Answers()
        for number, strategy in enumerate(self._strategies):
            spec = strategy.spec
            if not wants(spec):
                answers.told[spec.name] = {"plugin": strategy.plugin, "off": True}
            elif not (spec.fallback and answers.proposals):
                tell(10 + 65 * number // len(self._strategies), spec.name)
                asked = ask(strategy, user, photos, now)
                answers.proposals += asked.proposals
                answers.told[spec.name] = {"plugin": strategy.plugin, "proposed": len(asked.proposals)}
                if asked.faults:
                    answers.told[spec.name]["faults"] = list(asked.faults)
        return answers


class _Choice:
    """Which proposals become moments, with covers and reasons."""

    def __init__(self, view: LibraryView, known: Known, wanted: Preferences, photos: Mapping[UUID, Photo]) -> None:
        self._view = view
        self._known = known
        self._wanted = wanted
        self._photos = photos
        self._passed: Counter[str] = Counter()

    def of(self, answers: Answers) -> Generated:
        awake = [one for one in answers.proposals if not self._is_over(one)]
        there = {one.id: one.asset_ids for one in self._known.moments.values()}
        kept, rejected = without_overlaps(awake, there)
        self._passed["much the same as a better one"] += len(rejected)
        instead = _instead_of(rejected)
        changed = [one for one in kept if self._is_changed(one)]
        fresh = [one for one in kept if one.id not in there]
        made = list(self._made(fresh))
        rows = [self._row(one, covers, instead[one.id]) for one, covers in made]
        rows += [self._row(one, self._covers(one), instead[one.id]) for one in changed]
        report: Json = {
            "new": [{"id": str(one.id), "title": one.title} for one, _ in made],
            "refreshed": len(changed),
            "photos": len(self._photos),
            "strategies": answers.told,
            "passed": {why: count for why, count in self._passed.items() if count},
            "notes": self._wanted.notes,
        }
        if not made:
            report |= self._why_nothing(answers)
        return Generated(moments=tuple(rows), report=report)

    def _is_over(self, one: Proposal) -> bool:
        """Whether it was shown long enough, or is not to be seen again."""
        there = self._known.moments.get(one.id)
        is_hidden = there is not None and there.hidden
        is_resting = (one.id, one.hash) in self._known.resting
        over = "hidden by you" if is_hidden else "shown lately" if is_resting else ""
        self._passed.update([over] if over else ())
        return bool(over)

    def _is_changed(self, one: Proposal) -> bool:
        """Whether an existing moment gets its content anew. Those of today do, so that a run can be repeated."""
        there = self._known.moments.get(one.id)
        if there is None:
            return False
        changed = not there.saved and (there.hash != one.hash or there.day == self._known.now.date())
        self._passed["there already"] += not changed
        return changed

    def _made(self, fresh: Sequence[Proposal]) -> Iterator[tuple[Proposal, Covers]]:
        """The best new ones up to the day's number, each with covers; one without a photo fit for that is left out."""
        today = Counter(one.strategy for one in self._known.made_today())
        left = self._wanted.most_a_day - today.total()
        waiting = _by_strategy(fresh)
        while left > 0 and waiting:
            tired = {name: -group[-1].score * VARIETY ** today[name] for name, group in waiting.items()}
            best = min(waiting, key=lambda name: (tired[name], waiting[name][-1].rank))
            one = waiting[best].pop()
            if not waiting[best]:
                del waiting[best]
            covers = self._covers(one)
            if not covers.ids:
                self._passed["without a photo that is fit for a cover"] += 1
                continue
            today[best] += 1
            left -= 1
            yield one, covers
        self._passed["more than there are on one day"] += sum(map(len, waiting.values()))

    def _covers(self, one: Proposal) -> Covers:
        photos = [self._photos[asset_id] for asset_id in one.asset_ids]
        return choose_covers(photos, self._view.facts(one.asset_ids), self._view.vectors)

    def _row(self, one: Proposal, covers: Covers, instead: Sequence[Rejected]) -> Json:
        spec = one.strategy.spec
        told = sorted(instead, key=lambda other: other.proposal.rank)[:MOST_TOLD]
        return {
            "id": str(one.id),
            "strategy": spec.name,
            "grouping_type": spec.grouping_type,
            "title": one.title,
            "subtitle": one.subtitle,
            "score": round(one.score, 4),
            "asset_hash": one.hash,
            "asset_ids": [str(asset_id) for asset_id in one.asset_ids],
            "cover_asset_ids": [str(asset_id) for asset_id in covers.ids],
            "cover_spares": [str(asset_id) for asset_id in covers.spares],
            "keep_days": self._wanted.keep_days,
            "most_a_day": self._wanted.most_a_day,
            "grouping_criteria": {
                "plugin": one.strategy.plugin,
                "rule": spec.summary,
                "found": one.criteria,
                "covers": covers.reasons,
                "overlap": MOST_SHARED,
                "instead_of": [_told(other) for other in told],
            },
        }

    def _why_nothing(self, answers: Answers) -> Json:
        """Why there is no new moment, and the next step: a sentence for each."""
        broken = [name for name, told in answers.told.items() if told.get("faults") and not told["proposed"]]
        if self._wanted.most_a_day <= len(self._known.made_today()):
            why = f"Today has its {self._wanted.most_a_day} moments already."
            return {"why": why, "hint": "See `kizu moments today`, or `kizu moments settings --most N` for more a day."}
        if answers.proposals:
            reasons = ", ".join(f"{count:,} {why}" for why, count in self._passed.items() if count)
            return {"why": f"Nothing new among what was found: {reasons}.", "hint": "See `kizu moments list`."}
        if broken:
            return {"why": f"What looks for moments failed: {', '.join(broken)}.", "hint": "See `kizu plugins list`."}
        if all(told.get("off") for told in answers.told.values()):
            return {"why": "Every kind of moment is switched off.", "hint": "See `kizu moments settings`."}
        why = f"No moment was found in the {len(self._photos):,} photos of this library."
        return {"why": why, "hint": "Dates and places make moments: bring in more photos with `kizu run FOLDER`."}


def _id(photo: Photo) -> bytes:
    return photo.asset_id.bytes


def _nothing(wanted: Preferences, why: str, hint: str) -> Generated:
    return Generated(report={"new": [], "refreshed": 0, "why": why, "hint": hint, "notes": wanted.notes})


def _by_strategy(proposals: Iterable[Proposal]) -> dict[str, list[Proposal]]:
    """Strategy -> its proposals, the best last."""
    found: defaultdict[str, list[Proposal]] = defaultdict(list)
    for one in sorted(proposals, key=lambda one: one.rank, reverse=True):
        found[one.strategy.spec.name].append(one)
    return dict(found)


def _instead_of(rejected: Iterable[Rejected]) -> defaultdict[UUID, list[Rejected]]:
    found: defaultdict[UUID, list[Rejected]] = defaultdict(list)
    for one in rejected:
        found[one.by].append(one)
    return found


def _told(other: Rejected) -> Json:
    one = other.proposal
    return {
        "title": one.title,
        "strategy": one.strategy.spec.name,
        "photos": len(one.asset_ids),
        "score": round(one.score, 4),
        "in_common": other.share,
    }
