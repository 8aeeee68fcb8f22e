"""How much memory decoding pictures may take: held to by the kernel, whatever the files make decoders ask for.

The kernel's limit is one for the whole process, so whoever decodes in several threads, or beside something else that
takes memory, shares it. Who fails in company may have been denied what a neighbour took: it has its verdict only once
it failed `alone`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DECODE_MB = 1152
"""For one picture, on top of what the process holds already. 180 megapixels of PNG take some 760."""

_STATM = Path("/proc/self/statm")
_DATA = 5  # its field: pages of data and stack


class _Gate:
    """Who reads foreign bytes now, and the limit that follows from it."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._inside: dict[object, tuple[int, int]] = {}  # ticket: bytes held when it began, bytes it may take
        self._owner: int | None = None
        self._allowance = 0
        self._before: tuple[int, int] | None = None

    def enter(self, size: int) -> object:
        """The ticket for `leave`. Waits while another thread is `alone`."""
        ticket = object()
        with self._turn:
            self._turn.wait_for(lambda: self._owner in (None, threading.get_ident()))
            self._inside[ticket] = (_held(), size)
            self._limit()
        return ticket

    def leave(self, ticket: object) -> None:
        with self._turn:
            del self._inside[ticket]
            self._limit()
            self._turn.notify_all()

    def own(self) -> None:
        """Waits until nobody is inside, and lets nobody in but this thread until `disown`."""
        with self._turn:
            self._turn.wait_for(lambda: self._owner is None)
            self._owner = threading.get_ident()
            self._turn.wait_for(lambda: not self._inside)

    def disown(self) -> None:
        with self._turn:
            self._owner = None
            self._turn.notify_all()

    def busy(self) -> bool:
        with self._turn:
            return bool(self._inside)

    def set_allowance(self, size: int) -> int:
        """Sets the allowance and tells what it was."""
        with self._turn:
            before, self._allowance = self._allowance, size
            return before

    def _limit(self) -> None:
        """Counted from the first of those inside: what one of them takes is never the next one's starting point."""
        if sys.platform != "linux" or not _STATM.exists():
            return
        import resource

        if not self._inside:
            if self._before is not None:
                resource.setrlimit(resource.RLIMIT_DATA, self._before)
            self._before = None
            return
        soft, hard = self._before = self._before or resource.getrlimit(resource.RLIMIT_DATA)
        starts, sizes = zip(*self._inside.values(), strict=True)
        wanted = [min(starts) + sum(sizes) + self._allowance]
        wanted += [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min(wanted), hard))


_gate = _Gate()


@contextmanager
def bounded(mb: int = DECODE_MB) -> Iterator[None]:
    """Inside, this process can grow by `mb` for each thread that is inside, and no further: beyond, native code is
    refused and Python raises `MemoryError`. Not to be nested.

    By `RLIMIT_DATA`, which counts what is allocated, and only while foreign bytes are read. Looking at the process
    from outside comes too late for a decoder that asks for gigabytes at once. `RLIMIT_AS`, or a limit for as long as
    the process lives, would hit model libraries, which reserve many times what they use. Elsewhere than on Linux
    nothing happens here, and the look from outside remains.
    """
    ticket = _gate.enter(mb * 2**20)
    try:
        yield
    finally:
        _gate.leave(ticket)


@contextmanager
def alone() -> Iterator[None]:
    """Inside, no other thread decodes: what fails here failed by itself, and without a limit but its own `bounded`.

    For a second try, and for what takes much memory, such as loading a model. Not to be entered from `bounded`.
    """
    _gate.own()
    try:
        yield
    finally:
        _gate.disown()


@contextmanager
def allowance(mb: int) -> Iterator[None]:
    """Inside, other threads may take `mb` while pictures are decoded, without being refused what `bounded` guards."""
    before = _gate.set_allowance(mb * 2**20)
    try:
        yield
    finally:
        _gate.set_allowance(before)


def busy() -> bool:
    """Whether any thread decodes now."""
    return _gate.busy()


def _held() -> int:
    """Bytes of data that this process has; 0 where that can't be told."""
    if not _STATM.exists():
        return 0
    import resource

    return int(_STATM.read_text().split()[_DATA]) * resource.getpagesize()
