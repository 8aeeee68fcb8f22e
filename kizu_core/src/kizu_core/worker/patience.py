"""Calls to a database that may be away for a while: a worker waits, says so once, and goes on."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from kizu_core.database import OpenDatabase
from kizu_core.errors import DatabaseUnavailable, DiskFull
from kizu_core.worker.events import Event, Resumed, Waiting

Result = TypeVar("Result")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 3.0
LAST_TRY_S = 2.0
"""How long calls are repeated once the worker is to stop; what they were to give back comes back by its lease."""


class Patience:
    """Shared by the threads of a worker, so that one outage is told of once. `stopping` ends the waiting."""

    def __init__(self, database: OpenDatabase, emit: Callable[[Event], None], stopping: threading.Event) -> None:
        self._database = database
        self._emit = emit
        self._stopping = stopping
        self._lock = threading.Lock()
        self._reviving = threading.Lock()
        self._away = False

    def call(self, work: Callable[[], Result], until: float | None = None) -> Result:
        """`work()`, repeated while the database is away or its disk is full: `work` must be safe to repeat.

        Raises `DatabaseUnavailable` or `DiskFull` when the monotonic time `until` has come or the worker is to stop.
        """
        pause = FIRST_PAUSE_S
        last_try: float | None = None
        while True:
            try:
                result = work()
            except (DatabaseUnavailable, DiskFull) as error:
                self._gone(error)
                now = time.monotonic()
                if self._stopping.is_set():
                    last_try = last_try or now + LAST_TRY_S
                ends = [end for end in (until, last_try) if end is not None]
                if ends and now >= min(ends):
                    raise
                # Up to the very end: what is given up is done again from the beginning.
                pause = max(FIRST_PAUSE_S, min([pause, *(end - now for end in ends)]))
            else:
                self._back()
                return result
            self._pause(pause)
            pause = min(LONGEST_PAUSE_S, pause * 2)

    def _pause(self, seconds: float) -> None:
        spread = seconds * random.uniform(0.8, 1.2)  # noqa: S311 - spreads workers, hides nothing
        if self._stopping.is_set():
            time.sleep(min(spread, 0.2))
        else:
            self._stopping.wait(spread)
        with self._reviving, suppress(DatabaseUnavailable, DiskFull):  # the next attempt finds out for itself
            self._database.revive()

    def _gone(self, error: DatabaseUnavailable | DiskFull) -> None:
        with self._lock:
            first, self._away = not self._away, True
        if first:
            self._emit(Waiting(message=f"{error.message} Waiting until it is back."))

    def _back(self) -> None:
        if not self._away:
            return
        with self._lock:
            was, self._away = self._away, False
        if was:
            self._emit(Resumed(message="The database is back."))
