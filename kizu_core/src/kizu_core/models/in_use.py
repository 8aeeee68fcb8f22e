"""Which embedder and which face model answer: the database remembers, whatever the settings say today.

Vectors of two models can't be compared, so a changed setting alone must not change what is searched: it would find
nothing. The database records the model that its vectors are of, with the settings that make it so, and that is the one
that is used until `kizu models switch` has filled the space of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import Any

from kizu_core.database import Database
from kizu_core.errors import NoSuchModel
from kizu_core.models.selection import load_catalog
from kizu_core.models.weights import readiness
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.specs import EmbedderSpec, FaceModelSpec, ModelSpec
from kizu_core.settings import Settings, variables_of
from kizu_core.types import SPACED, ModelType

Record = Mapping[str, Any]
"""What `kizu_models_known` tells of one space."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The settings ask for another model than the one that answers. `record`: of the latter."""

    spec: ModelSpec
    record: Record

    @property
    def sentence(self) -> str:
        """For people, with the next step."""
        return (
            f"The settings ask for {space_of(self.spec)}; your photos are known by {self.record['space']}, which goes "
            f"on answering. To change over: kizu models switch {self.spec.kind} {self.spec.name}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """Settings and catalog in which the default models are those that answer. `following`: spaces being filled."""

    settings: Settings
    catalog: Catalog
    wishes: tuple[Wish, ...] = ()
    following: tuple[Record, ...] = ()
    active: Mapping[str, str] = field(default_factory=dict)


def in_use(settings: Settings, catalog: Catalog, database: Database) -> InUse:
    """What the database says of today's models. Nothing is written."""
    known = database.models_known()
    wishes = []
    for record in known:
        kind = ModelType(record["kind"])
        spec = default_of(catalog, kind)
        if record["state"] != "active" or (spec is not None and space_of(spec) == record["space"]):
            continue
        if spec is not None and spec.fault is None:
            wishes.append(Wish(spec, record))
        settings = as_recorded(settings, catalog, record)
    return InUse(
        settings=settings,
        catalog=load_catalog(settings) if wishes else catalog,
        wishes=tuple(wishes),
        following=tuple(one for one in known if one["state"] == "next"),
        active=active_spaces(known),
    )


def active_spaces(known: Sequence[Record]) -> dict[str, str]:
    """Kind -> the space that answers."""
    return {one["kind"]: one["space"] for one in known if one["state"] == "active"}


def adopt(settings: Settings, catalog: Catalog, database: Database) -> None:
    """Records the models in use where none is recorded. For who is about to make results."""
    for kind in SPACED.values():
        spec = default_of(catalog, kind)
        if spec is not None and readiness(spec, settings).ready:
            database.model_adopt(kind, space_of(spec), spec.name, own_variables(spec, settings))


def as_recorded(settings: Settings, catalog: Catalog, record: Record) -> Settings:
    """The settings with which the recorded model is the default of its kind, set up as it was then."""
    kind, name = ModelType(record["kind"]), str(record["model"])
    spec = next((one for one in catalog.specs(kind) if one.name == name), None)
    names = set(variables_of(resolve_name(spec.settings))) if spec is not None and spec.settings else set()
    return settings.using({str(kind): name}, dict.fromkeys(names) | dict(record["settings"]))


def default_of(catalog: Catalog, kind: ModelType) -> ModelSpec | None:
    """The default model of a kind; None if there is none, or the settings name one that is not installed."""
    try:
        return catalog.default(kind)
    except NoSuchModel:
        return None


def space_of(spec: ModelSpec) -> str:
    """The space of an embedder or face model."""
    assert isinstance(spec, EmbedderSpec | FaceModelSpec)  # noqa: S101 - what `SPACED` says
    return spec.space


def own_variables(spec: ModelSpec, settings: Settings) -> dict[str, str]:
    """What is set of the model's own settings, by environment name."""
    return settings.variables(resolve_name(spec.settings)) if spec.settings else {}
