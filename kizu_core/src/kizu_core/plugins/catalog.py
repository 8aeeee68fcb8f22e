"""What the usable plugins bring: specs by kind, sorted by name, one default per kind, no name twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from kizu_core.errors import NoSuchModel
from kizu_core.plugins.contract import CORE
from kizu_core.plugins.discovery import PluginRecord, PluginState
from kizu_core.plugins.specs import AnySpec, CommandSpec, JobHandlerSpec, ModelSpec, MomentStrategySpec
from kizu_core.plugins.suggestions import install_command, suggested
from kizu_core.types import ModelType

Spec = TypeVar("Spec", CommandSpec, JobHandlerSpec, MomentStrategySpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something installed that can't be used, with the next step."""

    plugin: str
    message: str
    hint: str


class Catalog:
    """Everything that can be used, decided once from the records of `discover`.

    `defaults`: kind -> name of the model that the settings choose. `ready`: whether a model's library and
    weights are there; it decides only between models when the settings choose none. `declared`: the records before
    their models were set up, to do so again.
    """

    def __init__(
        self,
        records: Iterable[PluginRecord],
        defaults: Mapping[str, str] | None = None,
        ready: Callable[[ModelSpec], bool] = lambda spec: True,
        declared: Iterable[PluginRecord] = (),
    ) -> None:
        self.records = tuple(records)
        self.declared = tuple(declared) or self.records
        self._defaults = dict(defaults or {})
        self._ready = ready
        self._authors = {id(spec): record for record in self.records for spec in record.specs}
        self._specs, conflicts = self._without_conflicts()
        broken = [Problem(plugin=r.name, message=r.reason, hint=r.hint) for r in self.records if r.is_problem]
        self.problems = (*broken, *conflicts)

    def _without_conflicts(self) -> tuple[list[AnySpec], list[Problem]]:
        """Specs whose name is theirs alone. Kizu's own yield to nobody; else none of the contenders is used."""
        groups: dict[tuple[type, str], list[AnySpec]] = defaultdict(list)
        for record in self.records:
            for spec in record.specs:
                groups[type(spec), spec.name].append(spec)
        kept: list[AnySpec] = []
        problems: list[Problem] = []
        for (cls, name), group in groups.items():
            winners = group if len(group) == 1 else [spec for spec in group if self.author(spec).name == CORE][:1]
            kept += winners
            if len(group) > 1:
                problems.append(self._conflict(cls, name, group, bool(winners)))
        return sorted(kept, key=lambda spec: spec.name), problems

    def _conflict(self, cls: type, name: str, group: list[AnySpec], core_wins: bool) -> Problem:
        authors = [self.author(spec) for spec in group]
        who = " and ".join(f"{author.name} ({author.distribution})" for author in authors)
        used = "only Kizu's own is used" if core_wins else "neither is used"
        return Problem(
            plugin=authors[-1].name,
            message=f"The plugins {who} both bring the {cls.__name__} {name!r}, so {used}.",
            hint=f"`kizu plugins disable {authors[-1].name}`, or uninstall one of them.",
        )

    def author(self, spec: AnySpec | ModelSpec) -> PluginRecord:
        """The plugin that brought a spec."""
        return self._authors[id(spec)]

    def specs(self, kind: ModelType) -> tuple[ModelSpec, ...]:
        """Models of one kind, by name, whether or not their weights are there."""
        return tuple(spec for spec in self._specs if isinstance(spec, ModelSpec) and spec.kind is kind)

    def models(self) -> tuple[ModelSpec, ...]:
        """Every model, in use or not, by kind and name."""
        return tuple(spec for kind in ModelType for spec in self.specs(kind))

    def default(self, kind: ModelType) -> ModelSpec | None:
        """The model of a kind: the one that the settings name, else Kizu's own, else the first that is ready, else the
        first.

        None if nothing installed is of that kind. Raises `NoSuchModel` if the settings name one that is not there.
        """
        if kind in self._defaults:
            return self._named(kind, self._defaults[kind])
        specs = sorted(self.specs(kind), key=lambda spec: self.author(spec).name != CORE)
        return next((spec for spec in specs if self._ready(spec)), specs[0] if specs else None)

    def model(self, kind: ModelType, name: str | None = None) -> ModelSpec:
        """The named model of a kind, or its default. Raises `NoSuchModel` listing what there is."""
        spec = self._named(kind, name) if name else self.default(kind)
        if spec is None:
            raise NoSuchModel(f"No plugin in use has a model of the kind {kind}.", hint=self._suggestion(kind))
        return spec

    def _named(self, kind: ModelType, name: str) -> ModelSpec:
        specs = self.specs(kind)
        for spec in specs:
            if spec.name == name:
                return spec
        there = ", ".join(spec.name for spec in specs)
        hint = f"Installed: {there}. Choose with `kizu models use {kind} NAME`." if there else self._suggestion(kind)
        raise NoSuchModel(f"There is no model {name!r} of kind {kind}.", hint=hint)

    def _suggestion(self, kind: ModelType) -> str:
        distribution = suggested(kind)
        if distribution is None:
            return "No plugin for it is published yet."
        for record in self.records:
            if record.distribution == distribution and record.state is PluginState.DISABLED:
                return f"`kizu plugins enable {record.name}` switches one on."
        return f"Install one, for example: {install_command(distribution)}"

    def handlers(self) -> tuple[JobHandlerSpec, ...]:
        """Job handlers, by name."""
        return self._of(JobHandlerSpec)

    def commands(self) -> tuple[CommandSpec, ...]:
        """Sub-commands of `kizu`, by name."""
        return self._of(CommandSpec)

    def strategies(self) -> tuple[MomentStrategySpec, ...]:
        """Ways to find moments, by name."""
        return self._of(MomentStrategySpec)

    def _of(self, cls: type[Spec]) -> tuple[Spec, ...]:
        return tuple(spec for spec in self._specs if isinstance(spec, cls))
