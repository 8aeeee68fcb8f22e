"""Trying again while the database is away."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from kizu_core.errors import DatabaseUnavailable

Result = TypeVar("Result")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 3.0
PATIENCE_S = 600.0
"""A server that is restarted or updated is back by then."""


def retrying(
    work: Callable[[], Result],
    for_s: float = PATIENCE_S,
    on_wait: Callable[[str], None] | None = None,
    revive: Callable[[], None] | None = None,
) -> Result:
    """`work()`, repeated with growing pauses for `for_s` seconds while it raises `DatabaseUnavailable`.

    `work` may have taken effect though its answer was lost, so it must be safe to repeat. `revive` is called
    before each repetition; `on_wait` twice, with a sentence: at the first failure, and when it is over. The last error
    is raised when the time is over.
    """
    waiting = False
    end = time.monotonic() + for_s
    pause = FIRST_PAUSE_S
    while True:
        try:
            result = work()
        except DatabaseUnavailable as error:
            if time.monotonic() + pause > end:
                raise
            if on_wait is not None and not waiting:
                on_wait(f"{error.message} Waiting until it is back, at most {for_s / 60:.0f} minutes.")
            waiting = True
        else:
            if on_wait is not None and waiting:
                on_wait("The database is back.")
            return result
        time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads processes, hides nothing
        pause = min(LONGEST_PAUSE_S, pause * 2)
        _revive(revive)


def _revive(revive: Callable[[], None] | None) -> None:
    if revive is None:
        return
    try:
        revive()
    except DatabaseUnavailable:
        return  # the next attempt finds out for itself
