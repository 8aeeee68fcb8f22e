"""What can be done here: entries of a job's `todo` that an installed handler does and whose model is ready."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from kizu_core.errors import NoSuchModel
from kizu_core.models.weights import Readiness, readiness
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.specs import JobHandlerSpec
from kizu_core.settings import Settings
from kizu_core.types import OPERATION_MODELS, SELFTEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One entry that can be done now: by which handler, which plugin, at which output version. `memory_mb`: what its
    model takes once loaded.
    """

    entry: str
    handler: JobHandlerSpec
    plugin: str
    version: str
    space: str | None = None
    memory_mb: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One operation that can't be done now: why, and the next step."""

    operation: str
    reason: str
    hint: str


def offers(
    catalog: Catalog,
    settings: Settings,
    only: Iterable[str] | None = None,
    operations: Collection[str] | None = None,
) -> tuple[Offer, ...]:
    """All offers, or those of the handlers named by `only`, or those among `operations`."""
    chosen = None if only is None else set(only)
    return tuple(
        offer
        for handler in catalog.handlers()
        if chosen is None or handler.name in chosen
        for entry in handler.offers
        if operations is None or entry in operations
        if (offer := _offer(entry, handler, catalog, settings)) is not None
    )


def gaps(catalog: Catalog, settings: Settings) -> tuple[Gap, ...]:
    """Operations of `image_ai` without a ready model, in their usual order."""
    found = []
    for operation, kind in OPERATION_MODELS.items():
        try:
            state = readiness(catalog.model(kind), settings)
        except NoSuchModel as error:
            state = Readiness(False, error.message, error.hint or "")
        if not state.ready:
            found.append(Gap(operation=operation, reason=state.reason, hint=state.hint))
    return tuple(found)


def _offer(entry: str, handler: JobHandlerSpec, catalog: Catalog, settings: Settings) -> Offer | None:
    if entry == SELFTEST and not settings.selftest:
        return None
    kind = OPERATION_MODELS.get(entry)
    if kind is None:
        version = handler.versions.get(entry, "1")
        return Offer(entry=entry, handler=handler, plugin=catalog.author(handler).name, version=version)
    try:
        spec = catalog.model(kind)
    except NoSuchModel:
        return None
    if not readiness(spec, settings).ready:
        return None
    space: str | None = getattr(spec, "space", None)
    return Offer(
        entry=entry,
        handler=handler,
        plugin=spec.name,
        version=spec.output_version,
        space=space,
        memory_mb=spec.memory_mb,
    )


def photo_offers(catalog: Catalog, settings: Settings, operations: Collection[str] | None = None) -> tuple[Offer, ...]:
    """What can be done here with every photo; limited to `operations` if given."""
    found = offers(catalog, settings, operations=operations)
    return tuple(offer for offer in found if offer.entry == "optimize" or offer.entry in OPERATION_MODELS)


_QUICK = ("embedding", "faces", "objects")
_NORMAL, _LATER = 100, 200
"""Priorities of `kizu_claim`: lower first."""


def wanted(found: Iterable[Offer]) -> list[dict[str, object]]:
    """Offers about photos in the form that `kizu_enqueue_stale` takes.

    Quick operations form one job and slow ones another that comes later, so that search is usable early.
    """
    entries: list[dict[str, object]] = []
    for offer in found:
        slow = offer.entry in OPERATION_MODELS and offer.entry not in _QUICK
        job = "optimize" if offer.entry == "optimize" else "slow" if slow else "quick"
        priority = _LATER if slow else _NORMAL
        ledger = {"operation": offer.entry, "plugin": offer.plugin, "version": offer.version, "space": offer.space}
        entries.append({**ledger, "job": job, "priority": priority})
    return entries
