"""The model that is to come: its space is filled behind all other work, and answers once no photo is left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from kizu_core.database import Database
from kizu_core.models.in_use import Record, as_recorded, in_use
from kizu_core.models.offers import Offer, offers, wanted
from kizu_core.models.selection import load_catalog
from kizu_core.plugins.catalog import Catalog
from kizu_core.settings import Settings
from kizu_core.types import NEXT, SPACED, ModelType
from kizu_core.worker.events import Event, ModelSwitched
from kizu_core.worker.options import WorkerOptions
from kizu_core.worker.values import child_values

TRY_S = 60.0
"""Between two looks whether a space is full, which goes over the ledger."""


class Succession:
    """What a worker knows of the models to come, nothing before `begin`. `settings`: with them as defaults."""

    def __init__(self, settings: Settings, catalog: Catalog, database: Database, options: WorkerOptions) -> None:
        self.settings = settings
        self._catalog = catalog
        self._database = database
        self._options = options
        self._known: set[tuple[str, str, str]] = set()
        self._records: tuple[Record, ...] = ()
        self._next_try = 0.0

    def begin(self) -> None:
        """Asks the database which they are. Raises its errors."""
        self._known = _signature(self._database.models_known())
        self._records = in_use(self.settings, self._catalog, self._database).following
        for record in self._records:
            self.settings = as_recorded(self.settings, self._catalog, record)
        if self._records:
            self._catalog = load_catalog(self.settings)

    @property
    def is_due(self) -> bool:
        """Whether there is a model to come."""
        return bool(self._records)

    @property
    def child_values(self) -> dict[str, object]:
        """As for other children, but with the models to come."""
        return child_values(self.settings, self._catalog)

    def offers(self) -> tuple[Offer, ...]:
        """What can be done for the models to come, as far as this worker is asked to."""
        entries = {NEXT + name for name, kind in SPACED.items() if kind in self._kinds}
        if self._options.operations is not None:
            entries &= set(self._options.operations)
        return offers(self._catalog, self.settings, self._options.only, entries)

    def is_outdated(self) -> bool:
        """Whether other models answer, or are to come, than when this worker began. Raises the database's errors."""
        return _signature(self._database.models_known()) != self._known

    def go_on(self, emit: Callable[[Event], None], *, now: bool = False) -> None:
        """Queues photos that came meanwhile, and changes over where none is left; to be called now and then.

        Raises the database's errors.
        """
        if not self.is_due or (time.monotonic() < self._next_try and not now):
            return
        self._next_try = time.monotonic() + TRY_S
        if mine := wanted(self.offers()):
            for user in self._database.users():
                self._database.enqueue_stale(UUID(user["id"]), mine)
        for record in self._records:
            if self._can_end(record) and self._database.model_switch(record["kind"])["switched"]:
                emit(ModelSwitched(kind=record["kind"], space=record["space"]))

    def _can_end(self, record: Record) -> bool:
        """It was not given up, or finished by another worker."""
        return any(
            (one["kind"], one["space"], one["state"]) == (record["kind"], record["space"], "next")
            for one in self._database.models_known()
        )

    @property
    def _kinds(self) -> set[ModelType]:
        return {ModelType(record["kind"]) for record in self._records}


def _signature(known: Sequence[Record]) -> set[tuple[str, str, str]]:
    return {(one["kind"], one["space"], one["state"]) for one in known if one["state"] in {"active", "next"}}
