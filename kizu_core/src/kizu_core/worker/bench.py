"""Which runtime is best for a model on this machine: tried in a process of its own, written down here.

A candidate that kills the process is out, and the others are tried in a new one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from kizu_core.errors import KizuError, ModelUnavailable, WorkerError, from_dict
from kizu_core.models.manifest import locked, make_private
from kizu_core.models.runtimes.convert import CONVERT
from kizu_core.models.runtimes.identity import find_converted
from kizu_core.models.runtimes.machine import this_machine
from kizu_core.models.runtimes.possible import needs_conversion, possible
from kizu_core.models.runtimes.record import Record, Trial, record
from kizu_core.plugins.catalog import Catalog
from kizu_core.plugins.specs import ModelSpec
from kizu_core.settings import Settings
from kizu_core.types import Runtime
from kizu_core.worker.limits import PICTURES_MB
from kizu_core.worker.messages import Bench, BenchDone, BenchProgress, Convert, Message
from kizu_core.worker.process import ChildProcess
from kizu_core.worker.trial import elsewhere
from kizu_core.worker.values import child_values

TICK_S = 0.1
LIMIT_S = 900.0
"""For one model, conversion included: minutes on a slow machine. What was not tried by then is out."""

COPIES = 5
"""A conversion holds a model several times: as it was, as a graph, as the bytes of a file, and once more as int8."""

MEMORY_SHARE = 0.7
"""Of the machine's memory, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benched:
    """`chosen`: what was written down; None if the model can't be used at all, and `error` says why."""

    spec: ModelSpec
    trials: Sequence[Trial]
    chosen: Record | None = None
    error: KizuError | None = None


def bench(
    spec: ModelSpec,
    settings: Settings,
    catalog: Catalog,
    on_step: Callable[[str], None] = lambda step: None,
    *,
    limit_s: float = LIMIT_S,
) -> Benched:
    """Tries the runtimes that the model can have here, chooses, and writes that down.

    `on_step` is told what is tried next. Call it from a thread that outlives it: the process ends with it. Raises
    `WorkerError` if no process starts.
    """
    make_private(settings.models_dir)  # else the child would convert elsewhere
    candidates = possible(spec, this_machine())
    impossible = {one.runtime: Trial(runtime=one.runtime, obstacle=one.obstacle) for one in candidates if one.obstacle}
    bench = _Bench(spec, settings, catalog, on_step, time.monotonic() + limit_s)
    try:
        if spec.runtimes[0] in impossible:
            raise ModelUnavailable(f"{spec.name} can't run here: {impossible[spec.runtimes[0]].obstacle}.")
        found = bench.run([one.runtime for one in candidates if not one.obstacle]) | impossible
    except WorkerError:
        raise
    except KizuError as error:
        return Benched(spec=spec, trials=tuple(impossible.values()), error=error)
    trials = [found[runtime] for runtime in spec.runtimes]
    with locked(settings.models_dir, lambda: None):
        return Benched(spec=spec, trials=trials, chosen=record(spec, settings, trials))


def convert(spec: ModelSpec, settings: Settings, catalog: Catalog, *, limit_s: float = LIMIT_S) -> Path:
    """The folder of the converted model, made now if need be. Call it as `bench`.

    Raises `ModelUnavailable` if it can't be converted, `WorkerError` if no process starts.
    """
    if (found := find_converted(spec, settings)) is not None:
        return found
    make_private(settings.models_dir)
    bench = _Bench(spec, settings, catalog, lambda step: None, time.monotonic() + limit_s)
    death = bench.ask(Convert(kind=spec.kind, name=spec.name))
    found = find_converted(spec, settings)
    if death is not None or found is None:
        raise ModelUnavailable(f"{spec.name} was not converted: its process {death or 'left nothing'}.")
    return found


class _Bench:
    """The processes of one model, one after the other, and what came of each runtime."""

    def __init__(
        self, spec: ModelSpec, settings: Settings, catalog: Catalog, on_step: Callable[[str], None], until: float
    ) -> None:
        self._spec = spec
        self._settings = settings
        self._catalog = catalog
        self._on_step = on_step
        self._until = until
        self._found: dict[Runtime, Trial] = {}
        self._step: str | None = None

    def run(self, runtimes: Sequence[Runtime]) -> dict[Runtime, Trial]:
        """A trial for each. Raises what makes the model useless: its reference fails."""
        left = list(runtimes)
        while left:
            wanted = list(dict.fromkeys([self._spec.runtimes[0], *left]))  # each process needs its own reference
            death = self._try(wanted)
            if death is not None:
                self._blame(wanted, death)
            left = [one for one in runtimes if one not in self._found]
        return self._found

    def _blame(self, wanted: Sequence[Runtime], death: str) -> None:
        """Puts out what the process was at when it ended, or all the rest once the time is over."""
        if time.monotonic() > self._until:
            blamed = [one for one in wanted if one not in self._found]
        elif self._step == CONVERT:
            blamed = [one for one in wanted if needs_conversion(self._spec, one)]
            death = f"the process that converts it {death}"
        else:
            blamed = [one for one in wanted if one == self._step]
        if not blamed or self._spec.runtimes[0] in blamed:
            raise ModelUnavailable(f"{self._spec.name} can't be tried: its process {death}.")
        for one in blamed:
            self._found[one] = Trial(runtime=one, obstacle=death)

    def _try(self, runtimes: Sequence[Runtime]) -> str | None:
        return self.ask(Bench(kind=self._spec.kind, name=self._spec.name, runtimes=tuple(runtimes)))

    def ask(self, wanted: Bench | Convert) -> str | None:
        """One process; None if it came to its end, else how it ended: "was killed by SIGSEGV"."""
        self._step = None
        with tempfile.TemporaryDirectory(prefix="kizu-bench-") as folder:
            place = elsewhere(self._settings, Path(folder))
            child = ChildProcess("bench", place, child_values(place, self._catalog), _limit_mb(self._spec, place))
            try:
                with suppress(OSError):  # a child that died is found out when its answer is read
                    child.send(wanted)
                return self._watch(child)
            finally:
                child.kill()

    def _watch(self, child: ChildProcess) -> str | None:
        while True:
            if child.rss_mb() > child.limit_mb:
                return f"needed more than {child.limit_mb} MB"
            if time.monotonic() > self._until:
                return "took too long"
            try:
                message = child.receive(TICK_S)
            except TimeoutError:
                continue
            except WorkerError as error:
                return f"sent garbage ({error.message})"
            if message is None:
                return child.epitaph()
            if isinstance(message, BenchDone):
                self._end(message)
                return None
            self._take(message)

    def _take(self, message: Message) -> None:
        match message:
            case BenchProgress(step=str(step)):
                self._step = step
                self._on_step(step)
            case BenchProgress(trial=Trial() as trial):
                self._found[trial.runtime] = trial

    def _end(self, message: BenchDone) -> None:
        if message.error is not None:
            raise from_dict(dict(message.error))


def _limit_mb(spec: ModelSpec, settings: Settings) -> int:
    if settings.max_child_mb is not None:
        return settings.max_child_mb
    most = int(psutil.virtual_memory().total * MEMORY_SHARE / 2**20)
    return min(most, PICTURES_MB + COPIES * spec.memory_mb)
