"""The runtimes that were chosen, and what was measured then: `runtimes.json` in the models folder.

A record counts for the weights, the kind of processor and the version of the engine that it was made with; what does
not count any more, or can't be read, is as if it were not there, and the model runs on its reference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from kizu_core.models.manifest import write_private
from kizu_core.models.runtimes.identity import weights_digest
from kizu_core.models.runtimes.machine import Machine, this_machine
from kizu_core.models.runtimes.possible import engine_of
from kizu_core.plugins.specs import ModelSpec
from kizu_core.settings import Settings
from kizu_core.types import Runtime

NAME = "runtimes.json"
EQUAL = 1.1
"""Candidates whose CPU time differs by less than this factor count as equals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one runtime was found to be worth. `cpu_ms`, `wall_ms`: for one picture; `fidelity`: 1 is the reference
    exactly, see `gate`. `obstacle`: why it can't be used, None if it can.
    """

    runtime: Runtime
    cpu_ms: float | None = None
    wall_ms: float | None = None
    fidelity: float | None = None
    obstacle: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`weights`, `processor`, `libraries`: what it was measured with and counts for; `measured`: when (ISO 8601)."""

    runtime: Runtime
    weights: str
    processor: str
    libraries: Mapping[str, str]
    measured: str
    trials: tuple[Trial, ...] = ()


_FILE = TypeAdapter(dict[str, Record])


def choose(spec: ModelSpec, settings: Settings) -> Runtime | None:
    """The runtime to load the model for: the recorded one, else its reference; None if the plugin declares none."""
    found = recorded(spec, settings)
    if found is not None:
        return found.runtime
    return spec.runtimes[0] if spec.runtimes else None


def recorded(spec: ModelSpec, settings: Settings, machine: Machine | None = None) -> Record | None:
    """The record of this model if it counts here and now."""
    if not spec.runtimes:
        return None
    try:
        found = _load(settings.models_dir / NAME).get(_key(spec))
    except (OSError, ValidationError):  # damaged: nothing is recorded
        return None
    return found if found and _counts(found, spec, settings, machine or this_machine()) else None


def record(spec: ModelSpec, settings: Settings, trials: Sequence[Trial]) -> Record | None:
    """Chooses among the trials and keeps that; None, and nothing kept, if not even the reference could be used.

    Call it under `manifest.locked`: other models are in the same file.
    """
    chosen = fastest(trials)
    if chosen is None:
        return None
    machine, path = this_machine(), settings.models_dir / NAME
    entry = Record(
        runtime=chosen.runtime,
        weights=weights_digest(spec, settings),
        processor=machine.fingerprint,
        libraries=machine.libraries,
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
        trials=tuple(trials),
    )
    try:
        others = _load(path)
    except (OSError, ValidationError):
        others = {}
    entries = dict(sorted({**others, _key(spec): entry}.items()))
    write_private(path, json.dumps(_FILE.dump_python(entries, mode="json"), indent=2) + "\n")
    return entry


def fastest(trials: Sequence[Trial]) -> Trial | None:
    """The one that takes least CPU time among those that can be used; between equals the shorter wait decides."""
    usable = [
        (one.cpu_ms, one.wall_ms, one)
        for one in trials
        if one.obstacle is None and one.cpu_ms is not None and one.wall_ms is not None
    ]
    least = min((cpu_ms for cpu_ms, _, _ in usable), default=0.0)
    equals = [(wall_ms, one) for cpu_ms, wall_ms, one in usable if cpu_ms <= least * EQUAL]
    return min(equals, key=lambda pair: pair[0])[1] if equals else None


def _counts(found: Record, spec: ModelSpec, settings: Settings, machine: Machine) -> bool:
    engine = engine_of(found.runtime, machine.libraries)
    return (
        found.runtime in spec.runtimes
        and found.processor == machine.fingerprint
        and engine is not None
        and found.libraries.get(engine) == machine.libraries[engine]
        and found.weights == weights_digest(spec, settings)
    )


def _key(spec: ModelSpec) -> str:
    return f"{spec.kind}/{spec.name}"


def _load(path: Path) -> Mapping[str, Record]:
    return _FILE.validate_json(path.read_bytes()) if path.exists() else {}
