"""`Library.models`: which models answer for the whole database, and the change to others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kizu_core.database.opening import OpenDatabase
from kizu_core.errors import ModelUnavailable, SwitchError
from kizu_core.models.in_use import as_recorded, own_variables, space_of
from kizu_core.models.offers import offers, wanted
from kizu_core.models.selection import load_catalog
from kizu_core.models.weights import readiness
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.specs import EmbedderSpec, FaceModelSpec, ModelSpec
from kizu_core.settings import Settings
from kizu_core.types import NEXT, SPACED, ModelType

if TYPE_CHECKING:
    from kizu_core.worker.supervisor import Worker

Json = dict[str, Any]

ROW_BYTES = 450
"""Of a vector's row and its entries in indexes and the ledger, beside the numbers: measured with 100,000 photos."""

OPERATIONS: Mapping[ModelType, str] = {kind: operation for operation, kind in SPACED.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPlan:
    """What a change means. `left`: photos of `photos` that the new model has not seen; `seconds`: for them, if it is
    as quick as the present one, None if nobody knows; `disk_bytes`: that the new vectors take, both being kept.
    """

    kind: ModelType
    model: str
    space: str
    present: str
    photos: int
    left: int
    seconds: float | None
    disk_bytes: int

    def as_dict(self) -> Json:
        """For `--json`."""
        return asdict(self)


class Models:
    """`settings` and `catalog`: with the models that answer now as defaults."""

    def __init__(self, settings: Settings, catalog: Catalog, database: OpenDatabase) -> None:
        self._settings = settings
        self._catalog = catalog
        self._database = database.worker
        self._open = database

    def known(self) -> list[Json]:
        """Spaces that photos have vectors of: `{kind, space, model, settings, state, since}`."""
        return self._database.models_known()

    def plan(self, kind: ModelType, name: str, asked: Settings) -> SwitchPlan:
        """What changing to a model would mean, set up as the settings `asked` say. Changes nothing.

        Raises `NoSuchModel`, `ModelUnavailable`, `SwitchError`.
        """
        spec, _ = self._target(kind, name, asked)
        known = self.known()
        present = next((one["space"] for one in known if one["kind"] == kind and one["state"] == "active"), None)
        if present is None:
            raise SwitchError(
                f"Nothing was made with a model of the kind {kind} yet.", hint=f"kizu models use {kind} {name}"
            )
        if present == space_of(spec):
            raise SwitchError(f"{present} answers already.", hint="`kizu models list` shows what is in use.")
        progress = self._progress(kind, is_next=any(_is_next(one, kind, space_of(spec)) for one in known))
        return SwitchPlan(
            kind=kind,
            model=name,
            space=space_of(spec),
            present=present,
            **progress,
            disk_bytes=progress["left"] * (ROW_BYTES + 2 * _dim(spec)),
        )

    def _progress(self, kind: ModelType, *, is_next: bool) -> Json:
        found = self._database.model_progress(kind)
        left = found["left"] if is_next else found["photos"]
        return {
            "photos": found["photos"],
            "left": left,
            "seconds": None if found["seconds"] is None else left * found["seconds"],
        }

    def start(self, kind: ModelType, name: str, asked: Settings) -> None:
        """From now on workers fill the space of this model, behind all other work. Raises as `plan`."""
        spec, settings = self._target(kind, name, asked)
        self._database.model_next(kind, space_of(spec), spec.name, own_variables(spec, settings))
        self._enqueue(kind, settings)

    def filler(self, kind: ModelType) -> Worker:
        """A worker that fills the space to come until nothing more can be done; where no photo is left, the space
        answers by the end of its `run`. Raises `KizuError`.
        """
        from kizu_core.blobs.local import LocalBlobs
        from kizu_core.worker.options import WorkerOptions
        from kizu_core.worker.supervisor import Worker

        options = WorkerOptions(drain=True, operations=(NEXT + OPERATIONS[kind],))
        blobs = LocalBlobs(self._settings.blobs_dir)
        return Worker(self._settings, self._open, blobs, self._catalog, options)

    def switch(self, kind: ModelType, *, anyway: bool = False) -> Json:
        """The space to come answers: `{switched, left}`; not while photos are left, unless `anyway`."""
        return self._database.model_switch(kind, anyway=anyway)

    def cancel(self, kind: ModelType) -> int:
        """Gives up what is being filled; how many jobs ended by that."""
        return self._database.model_cancel(kind)

    def rollback(self, kind: ModelType) -> Json:
        """Makes the previous model the next one again, and switches if no photo came since: `{switched, left}`.

        Raises `SwitchError` if there is none, or it was pruned.
        """
        record = next((one for one in self.known() if one["kind"] == kind and one["state"] == "previous"), None)
        if record is None:
            raise SwitchError(f"There is no previous model of the kind {kind}.", hint="`kizu models list -v`")
        settings = as_recorded(self._settings, self._catalog, record)
        self._database.model_next(kind, record["space"], record["model"], record["settings"])
        answer = self.switch(kind)
        if not answer["switched"]:
            self._enqueue(kind, settings)
        return answer

    def prune(self, kind: ModelType) -> Iterator[int]:
        """Removes vectors that neither answer nor are being filled; yields how many photos' at a time."""
        while (answer := self._database.model_prune(kind))["more"]:
            yield answer["photos"]

    def _enqueue(self, kind: ModelType, settings: Settings) -> None:
        mine = wanted(offers(load_catalog(settings), settings, None, [NEXT + OPERATIONS[kind]]))
        for user in self._database.users():
            self._database.enqueue_stale(UUID(user["id"]), mine)

    def _target(self, kind: ModelType, name: str, asked: Settings) -> tuple[ModelSpec, Settings]:
        """The model as the settings would have it, and these with it as the default."""
        if kind not in OPERATIONS:
            kinds = " and ".join(sorted(OPERATIONS))
            raise SwitchError(f"Results of the kind {kind} are simply made anew.", hint=f"Switched are {kinds}.")
        settings = asked.using({str(kind): name}, {})
        spec = load_catalog(settings).model(kind, name)
        if spec.fault is not None:
            raise ModelUnavailable(spec.fault.reason, hint=spec.fault.hint)
        state = readiness(spec, settings)
        if not state.ready:
            raise ModelUnavailable(state.reason, hint=state.hint)
        return spec, settings


def _is_next(record: Mapping[str, Any], kind: ModelType, space: str) -> bool:
    return (record["kind"], record["space"], record["state"]) == (kind, space, "next")


def _dim(spec: ModelSpec) -> int:
    assert isinstance(spec, EmbedderSpec | FaceModelSpec)  # noqa: S101 - what `OPERATIONS` says
    return spec.dim
