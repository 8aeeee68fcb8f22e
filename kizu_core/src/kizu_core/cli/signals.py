"""Ctrl-C and the wish to end: once to finish in order, twice to go at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stopping(on_first: Callable[[], None], on_second: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """While inside, the first signal calls `on_first` and every later one `on_second`.

    Gives a function that tells whether a signal came. Only in the main thread.
    """
    came: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        (on_first if len(came) == 1 else on_second)()

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """While inside, the wish to end is an exception whichever way it comes, so that everything is cleaned up."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
