"""Wake-ups by LISTEN. A hint only: whoever uses it polls as well, and is correct without it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import psycopg

from kizu_core.database.direct import connect, uses_transaction_pooler
from kizu_core.errors import DatabaseError

CHANNEL = "kizu_jobs"
LOOK_AT_STOP_S = 0.5
LONGEST_PAUSE_S = 10.0


def listen(url: str, on_wake: Callable[[], None], stop: threading.Event) -> None:
    """Call `on_wake` for every notification, and after every connect for what was missed, until `stop` is set.

    Reconnects for ever. Returns at once behind a transaction pooler, which passes no notifications on.
    """
    if uses_transaction_pooler(url):
        return
    pause = 0.5
    while not stop.is_set():
        try:
            with connect(url, autocommit=True) as connection:
                connection.execute(f"listen {CHANNEL}".encode())
                pause = 0.5
                on_wake()
                while not stop.is_set():
                    for _ in connection.notifies(timeout=LOOK_AT_STOP_S, stop_after=1):
                        on_wake()
        except (psycopg.Error, DatabaseError):
            stop.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads workers, hides nothing
            pause = min(LONGEST_PAUSE_S, pause * 2)
