"""Which model's vectors answer, and the change to another."""

from __future__ import annotations

from collections.abc import Mapping

from kizu_core.database.functions import Functions, Json
from kizu_core.types import ModelType


class SwitchFunctions(Functions):
    """All are for workers and for who owns the database. Spaces are of the whole database, all users."""

    def models_known(self) -> list[Json]:
        """Spaces of embedders and face models: `{kind, space, model, settings, state, since}`."""
        known: list[Json] = self._call("models_known")
        return known

    def model_adopt(self, kind: ModelType, space: str, model: str, settings: Mapping[str, str]) -> Json:
        """The record that answers: this model's, if there was none of the kind or it is of the same space."""
        record: Json = self._call("model_adopt", kind=kind, space=space, model=model, settings=settings)
        return record

    def model_next(self, kind: ModelType, space: str, model: str, settings: Mapping[str, str]) -> None:
        """From now on this space is filled."""
        self._call("model_next", kind=kind, space=space, model=model, settings=settings)

    def model_cancel(self, kind: ModelType) -> int:
        """The next space is filled no further; how many jobs ended by that."""
        return int(self._call("model_cancel", kind=kind))

    def model_progress(self, kind: ModelType) -> Json:
        """`{photos, left, seconds}`: in the active space, of them not in the next one, for one photo so far."""
        progress: Json = self._call("model_progress", kind=kind)
        return progress

    def model_switch(self, kind: ModelType, *, anyway: bool = False) -> Json:
        """`{switched, left}`: the next space answers from now on, if no photo is left behind."""
        answer: Json = self._call("model_switch", kind=kind, anyway=anyway)
        return answer

    def model_prune(self, kind: ModelType) -> Json:
        """Remove a share of the vectors that nothing uses any more: `{photos, more}`."""
        answer: Json = self._call("model_prune", kind=kind)
        return answer
