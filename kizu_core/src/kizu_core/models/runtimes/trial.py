"""A model on one runtime after the other, in a process that does nothing else: `kizu models bench`.

The reference is looked at first, alone, and closed; then each candidate, so that no two lie in memory together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kizu_core.errors import KizuError
from kizu_core.models.loading import build
from kizu_core.models.runtimes.convert import CONVERT, convert
from kizu_core.models.runtimes.drawings import drawings
from kizu_core.models.runtimes.gate import judge, observe
from kizu_core.models.runtimes.measure import cost
from kizu_core.models.runtimes.possible import needs_conversion
from kizu_core.models.runtimes.record import Trial
from kizu_core.plugins.specs import ModelSpec
from kizu_core.settings import Settings
from kizu_core.types import Picture, Runtime


def trials(
    spec: ModelSpec, settings: Settings, runtimes: Sequence[Runtime], on_step: Callable[[str], None]
) -> Iterator[Trial]:
    """One trial for each of `runtimes`, the reference first. `on_step` is told what comes next: whoever watches this
    process then knows what killed it.

    Raises what the reference raises: a model that does not work at all is compared with nothing.
    """
    pictures = drawings()
    reference = spec.runtimes[0]
    on_step(reference)
    seen, trial = _look(spec, settings, reference, pictures)
    yield trial
    failure: str | None = None
    if any(needs_conversion(spec, one) for one in runtimes):
        on_step(CONVERT)
        failure = _convert(spec, settings)
    for runtime in [one for one in runtimes if one != reference]:
        if failure is not None and needs_conversion(spec, runtime):
            yield Trial(runtime=runtime, obstacle=failure)
        else:
            on_step(runtime)
            yield _compare(spec, settings, runtime, pictures, seen)


def _look(spec: ModelSpec, settings: Settings, runtime: Runtime, pictures: Sequence[Picture]) -> tuple[Any, Trial]:
    """What the model makes of the pictures on that runtime, and what it costs."""
    model = build(spec, settings, runtime)
    try:
        seen = observe(model, spec.kind, pictures)
        cpu, wall = cost(model, spec.kind, pictures)
    finally:
        model.close()
    return seen, Trial(runtime=runtime, cpu_ms=1000 * cpu, wall_ms=1000 * wall, fidelity=1.0)


def _compare(
    spec: ModelSpec, settings: Settings, runtime: Runtime, pictures: Sequence[Picture], reference: Any
) -> Trial:
    """A candidate that fails, in whatever way, is out; that is what it is tried for."""
    try:
        seen, trial = _look(spec, settings, runtime, pictures)
        verdict = judge(spec.kind, reference, seen)
    except KizuError as error:
        return Trial(runtime=runtime, obstacle=error.message)
    except Exception as error:  # noqa: BLE001 - a plugin and the libraries below it may raise anything
        return Trial(runtime=runtime, obstacle=f"it failed: {type(error).__name__}: {error}"[:300])
    return Trial(
        runtime=runtime,
        cpu_ms=trial.cpu_ms,
        wall_ms=trial.wall_ms,
        fidelity=verdict.fidelity,
        obstacle=verdict.reason,
    )


def _convert(spec: ModelSpec, settings: Settings) -> str | None:
    """Why the converted form can't be had; None if it is there."""
    try:
        convert(spec, settings)
    except (KizuError, OSError) as error:
        return str(error)[:300]
    return None
