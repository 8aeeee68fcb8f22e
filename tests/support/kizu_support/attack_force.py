"""Workers for an attack: started one after the other, killed at random, started again."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from kizu_core.database.embedded.processes import server_pid
from kizu_support.command import Kizu

STAGGER_S = 0.3
SERVER_REST_S = 10.0
"""Shortest life of a server, so that work is done between two of its deaths."""


@dataclass(frozen=True, slots=True)
class Death:
    """One kill. `kind`: child, parent or server; `worker`: whose, by its id."""

    kind: str
    worker: str
    at: datetime


@dataclass(slots=True)
class Slot:
    """A place for one worker at a time. `killed`: its end is our doing; `drained`: it ended since nothing was left."""

    number: int
    worker: str = ""
    process: subprocess.Popen[str] | None = None
    killed: bool = False
    drained: bool = False


class Force:
    """All workers of an attack. Read at the end: `deaths`, and `surprises`, ends that nobody ordered."""

    def __init__(self, kizu: Kizu, workers: int, lease_s: int, chance: random.Random, *, kill_server: bool) -> None:
        self._kizu = kizu
        self._lease_s = lease_s
        self._chance = chance
        self._kinds = self._chosen_kinds(kill_server=kill_server)
        self._slots = [Slot(number) for number in range(workers)]
        self._numbers = itertools.count(1)
        self._next_start = self._next_server = 0.0
        self.deaths: list[Death] = []
        self.surprises: list[str] = []

    @property
    def alive(self) -> int:
        return sum(slot.process is not None for slot in self._slots)

    @property
    def is_drained(self) -> bool:
        return all(slot.drained for slot in self._slots)

    def faults(self) -> dict[str, int]:
        """Deaths by kind."""
        return dict(sorted(Counter(death.kind for death in self.deaths).items()))

    def tend(self) -> None:
        """Buries the dead and fills one empty place, not all at once."""
        for slot in self._slots:
            if slot.process is not None and slot.process.poll() is not None:
                self._bury(slot, slot.process.returncode)
        empty = [slot for slot in self._slots if slot.process is None and not slot.drained]
        if empty and time.monotonic() > self._next_start:
            self._next_start = time.monotonic() + STAGGER_S
            self._start(empty[0])

    def strike(self) -> None:
        """One fault, at a worker that is at work; none once there is nothing left for them."""
        slot = self._chance.choice(self._slots)
        child = _child(slot)
        if slot.process is None or child is None or any(one.drained for one in self._slots):
            return
        match next(self._kinds):
            case "server":
                self._kill_server()
            case "parent":
                slot.killed = self._kill("parent", slot.worker, slot.process.pid)
            case "child":
                self._kill("child", slot.worker, child)

    def end(self) -> None:
        """Nothing of it is left running, but for the database server."""
        for slot in self._slots:
            if slot.process is not None:
                slot.process.kill()
                slot.process.wait()

    def _chosen_kinds(self, *, kill_server: bool) -> Iterator[str]:
        """Each kind once, then at random."""
        kinds = {"child": 3, "parent": 2} | ({"server": 2} if kill_server else {})
        yield from kinds
        while True:
            yield self._chance.choices(list(kinds), list(kinds.values()))[0]

    def _start(self, slot: Slot) -> None:
        slot.worker, slot.killed = f"attack-{next(self._numbers)}", False
        log = self._kizu.home / "logs" / f"{slot.worker}.out"
        options = ["--only", "selftest", "--drain", "--lease-seconds", str(self._lease_s)]
        slot.process = self._kizu.start("worker", "--worker-id", slot.worker, *options, out=log)

    def _bury(self, slot: Slot, status: int) -> None:
        slot.process = None
        if slot.killed:
            return
        slot.drained = status in {0, 3}
        if not slot.drained:
            self.surprises.append(f"{slot.worker} ended with status {status}")

    def _kill_server(self) -> None:
        pid = server_pid(self._kizu.home.resolve() / "database")
        if pid is not None and time.monotonic() > self._next_server:
            self._next_server = time.monotonic() + SERVER_REST_S
            self._kill("server", "", pid)

    def _kill(self, kind: str, worker: str, pid: int) -> bool:
        now = datetime.now(UTC)
        try:
            psutil.Process(pid).send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return False
        self.deaths.append(Death(kind, worker, now))
        return True


def _child(slot: Slot) -> int | None:
    """The process that does the jobs of a worker, once it has one."""
    try:
        children = psutil.Process(slot.process.pid).children() if slot.process else []
        return next((one.pid for one in children if "kizu_core.worker.child" in one.cmdline()), None)
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None
