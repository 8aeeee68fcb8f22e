"""What a worker does besides jobs: it tells that it lives, looks what it can do, and now and then tidies up for all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from kizu_core.database import Database
from kizu_core.errors import StorageError
from kizu_core.worker.settle import BlobStore, Settler

NOTE_S = 30.0
"""How often a worker tells of itself, whatever its lease: after two minutes of silence it counts as gone."""

TIDY_S = 600.0
"""How often it asks whether there is something to tidy up, which database and folder know."""


ASK_S = 60.0
"""How often it asks whether work for whole libraries is due."""


class Upkeep:
    """Small steps, one a call of `tick`. `hello` registers the worker once more; `look` finds out whether weights came
    or went; `ask` queues what is due; `keep_days`: see `kizu_prune`.
    """

    def __init__(
        self,
        *,
        database: Database,
        blobs: BlobStore,
        settler: Settler,
        worker_id: str,
        hello: Callable[[], None],
        look: Callable[[], None],
        ask: Callable[[], None],
        keep_days: int,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._settler = settler
        self._worker_id = worker_id
        self._hello = hello
        self._look = look
        self._ask = ask
        self._keep_days = keep_days
        self._next_note = self._next_ask = self._next_tidy = 0.0
        self._is_pruning = False
        self._sweep: Iterator[int] = iter(())

    def tick(self) -> None:
        """To be called every few seconds. Raises the database's errors; the next call goes on."""
        self._look()
        now = time.monotonic()
        if now >= self._next_note:
            self._next_note = now + NOTE_S
            self._note()
        if now >= self._next_ask:
            self._next_ask = now + ASK_S
            self._ask()
        if now >= self._next_tidy:
            self._next_tidy = now + TIDY_S
            self._is_pruning, self._sweep = True, self._blobs.sweep(self._database.orphan_blobs)
        if self._is_pruning:
            self._is_pruning = bool(self._database.prune(self._keep_days)["more"])
        with suppress(StorageError):  # it can wait until somebody who needs the folder meets the same and says so
            next(self._sweep, None)

    def _note(self) -> None:
        """A worker that slept for a day with its computer was forgotten meanwhile."""
        summary = self._settler.summary
        if not self._database.worker_note(
            self._worker_id, {"restarts": summary.restarts, "notices": list(summary.notices)}
        ):
            self._hello()
