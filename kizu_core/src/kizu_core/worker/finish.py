"""What the child finished is stored and completed beside its work on the next jobs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from kizu_core.errors import DiskFull
from kizu_core.types import JobOutcome
from kizu_core.worker.member import Member
from kizu_core.worker.settle import Settler

MOST_READY = 50
"""Finished jobs that may wait to be completed together; with more, the child waits."""

_Item = tuple[Member, JobOutcome]


class Finisher:
    """A thread of one lane, from `with` to its end.

    What piles up while it talks to the database is completed in one transaction: quick jobs end together, a slow one
    at once.
    """

    def __init__(self, settler: Settler, name: str) -> None:
        self._settler = settler
        self._queue: queue.Queue[_Item | None] = queue.Queue(MOST_READY)
        self._full: DiskFull | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"{name}-finisher")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finishes what it has."""
        self._queue.put(None)
        self._thread.join()

    def put(self, member: Member, outcome: JobOutcome) -> None:
        """Hands over a job with its folder. Raises what made finishing jobs pointless."""
        self._check()
        self._queue.put((member, outcome))

    def flush(self) -> None:
        """Waits until all are at their end. Raises as `put`."""
        self._queue.join()
        self._check()

    def disk_full(self) -> DiskFull | None:
        """Why jobs were given back since this was last asked; None if there was space."""
        full, self._full = self._full, None
        return full

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while items := self._next():
            try:
                self._finish([item for item in items if item is not None])
            except Exception as error:  # noqa: BLE001 - raised where jobs are handed over
                self._error = error
            finally:
                for item in items:
                    if item is not None:
                        item[0].close()
                    self._queue.task_done()
            if items[-1] is None:
                return

    def _next(self) -> list[_Item | None]:
        items = [self._queue.get()]
        with suppress(queue.Empty):
            while items[-1] is not None and len(items) < MOST_READY:
                items.append(self._queue.get_nowait())
        return items

    def _finish(self, items: Sequence[_Item]) -> None:
        if self._error is not None:
            return  # still held, and given back with everything else when the worker ends
        ready = []
        for member, outcome in items:
            try:
                stored = self._settler.store(member.held, outcome, member.workdir)
            except DiskFull as error:
                self._full = error
                self._settler.release(member.held, error.message)
            else:
                ready += [stored] if stored is not None else []
        if ready:
            self._settler.complete(ready)
