"""What can be done here: entries of a job's `todo` that an installed handler does and whose model is ready; and what
could be done, if only its weights were there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from kizu_core.errors import NoSuchModel
from kizu_core.models import captions
from kizu_core.models.sources import source_of
from kizu_core.models.weights import Readiness, WeightState, readiness, stamp_of, state_of
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.specs import JobHandlerSpec, ModelSpec
from kizu_core.settings import Settings
from kizu_core.types import GENERATE_MOMENTS, NEXT, OPERATION_MODELS, SELFTEST, ModelType


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One entry that can be done: by which handler, which plugin, at which output version. `memory_mb`: what its model
    takes once loaded. `ready`: now; else its model lacks something. `only_if_named`: only where a job names it, which
    is never so for "all". `stamp`: changes when a file of its model does.
    """

    entry: str
    handler: JobHandlerSpec
    plugin: str
    version: str
    space: str | None = None
    memory_mb: int = 0
    ready: bool = True
    only_if_named: bool = False
    stamp: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One operation that is not done now: why, and the next step. `model`: the installed one that lacks something;
    `pull_bytes`: what `kizu models pull` would fetch for it, 0 if that is not what helps. `off`: it could be done, and
    is only done for photos whose job names it.
    """

    operation: str
    reason: str
    hint: str
    model: str | None = None
    pull_bytes: int = 0
    off: bool = False


def offers(
    catalog: Catalog,
    settings: Settings,
    only: Iterable[str] | None = None,
    operations: Collection[str] | None = None,
) -> tuple[Offer, ...]:
    """All that can be done now, or that of the handlers named by `only`, or what is among `operations`."""
    return tuple(one for one in _all_offers(catalog, settings, only, operations) if one.ready)


def waiting(
    catalog: Catalog,
    settings: Settings,
    only: Iterable[str] | None = None,
    operations: Collection[str] | None = None,
) -> tuple[Offer, ...]:
    """What an installed model could do if its weights, its library or a consent were there."""
    return tuple(one for one in _all_offers(catalog, settings, only, operations) if not one.ready)


def _all_offers(
    catalog: Catalog, settings: Settings, only: Iterable[str] | None, operations: Collection[str] | None
) -> Iterable[Offer]:
    chosen = None if only is None else set(only)
    for handler in catalog.handlers():
        if chosen is None or handler.name in chosen:
            entries = [one for one in handler.offers if _is_asked_for(one, operations)]
            found = (_offer(entry, handler, catalog, settings) for entry in entries)
            yield from (offer for offer in found if offer is not None)


def _is_asked_for(entry: str, operations: Collection[str] | None) -> bool:
    """What fills a space that is to come is done only by who sets its model up for that, and names it."""
    return not entry.startswith(NEXT) if operations is None else entry in operations


def _offer(entry: str, handler: JobHandlerSpec, catalog: Catalog, settings: Settings) -> Offer | None:
    if entry == SELFTEST and not settings.selftest:
        return None
    if entry == GENERATE_MOMENTS and not catalog.strategies():
        return None
    kind = OPERATION_MODELS.get(entry.removeprefix(NEXT))
    if kind is None:
        version = handler.versions.get(entry, "1")
        return Offer(entry=entry, handler=handler, plugin=catalog.author(handler).name, version=version)
    spec = _usable(catalog, kind)
    if spec is None:
        return None
    space: str | None = getattr(spec, "space", None)
    return Offer(
        entry=entry,
        handler=handler,
        plugin=spec.name,
        version=spec.output_version,
        space=space,
        memory_mb=spec.memory_mb,
        ready=readiness(spec, settings).ready,
        only_if_named=entry == captions.DESCRIBE and not captions.are_on(settings),
        stamp=stamp_of(spec, settings),
    )


def _usable(catalog: Catalog, kind: ModelType) -> ModelSpec | None:
    """The default model of a kind; None if there is none, or what it would be is not known."""
    try:
        spec = catalog.model(kind)
    except NoSuchModel:
        return None
    return None if spec.fault is not None else spec


def photo_offers(catalog: Catalog, settings: Settings, operations: Collection[str] | None = None) -> tuple[Offer, ...]:
    """What a run does with every photo here, at once or when it can (`ready`); limited to `operations` if given."""
    found = _all_offers(catalog, settings, None, operations)
    named = operations or ()
    return tuple(
        offer
        for offer in found
        if (offer.entry == "optimize" or offer.entry in OPERATION_MODELS)
        and (offer.entry in named or not offer.only_if_named)
    )


def gaps(catalog: Catalog, settings: Settings, operations: Collection[str] | None = None) -> tuple[Gap, ...]:
    """Operations of `image_ai` that are not done with every photo, in their usual order; or those among `operations`
    that can't be done now.
    """
    asked = [one for one in OPERATION_MODELS if operations is None or one in operations]
    found = (_gap(one, catalog, settings, named=operations is not None) for one in asked)
    return tuple(gap for gap in found if gap is not None)


def _gap(operation: str, catalog: Catalog, settings: Settings, *, named: bool) -> Gap | None:
    try:
        spec = catalog.model(OPERATION_MODELS[operation])
    except NoSuchModel as error:
        return Gap(operation=operation, reason=error.message, hint=error.hint or "")
    if operation == captions.DESCRIBE and not named and not captions.are_on(settings):
        return Gap(operation=operation, reason=captions.why_off(settings), hint=captions.HINT, off=True)
    state = readiness(spec, settings)
    return None if state.ready else _lacking(operation, spec, state, settings)


def _lacking(operation: str, spec: ModelSpec, state: Readiness, settings: Settings) -> Gap:
    missing = [one for one in spec.weights if state_of(spec, one, settings, digest=False) is WeightState.MISSING]
    can_pull = state.lacks_files and all(source_of(weight, settings) is not None for weight in missing)
    return Gap(
        operation=operation,
        reason=state.reason,
        hint=state.hint,
        model=spec.name,
        pull_bytes=sum(weight.bytes for weight in missing) if can_pull else 0,
    )


_QUICK = ("embedding", "faces", "objects")
_NORMAL, _LATER, _BEHIND = 100, 200, 300
"""Priorities of `kizu_claim`: lower first."""


def wanted(found: Iterable[Offer]) -> list[dict[str, Any]]:
    """Offers about photos in the form that `kizu_enqueue_stale` takes.

    Quick operations form one job and slow ones another that comes later, so that search is usable early.
    """
    entries: list[dict[str, Any]] = []
    for offer in found:
        job, priority = _job_of(offer.entry)
        ledger = {"operation": offer.entry, "plugin": offer.plugin, "version": offer.version, "space": offer.space}
        entries.append({**ledger, "job": job, "priority": priority})
    return entries


def _job_of(entry: str) -> tuple[str, int]:
    """The sort of job that an entry is done in, and its priority."""
    if entry.startswith(NEXT):
        return "next", _BEHIND
    if entry == "optimize":
        return "optimize", _NORMAL
    return ("slow", _LATER) if entry in OPERATION_MODELS and entry not in _QUICK else ("quick", _NORMAL)
