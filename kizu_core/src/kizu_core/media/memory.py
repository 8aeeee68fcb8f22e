"""How much memory decoding one picture may take: held to by the kernel, whatever the file makes a decoder ask for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DECODE_MB = 1152
"""For one picture, on top of what the process holds already. 180 megapixels of PNG take some 760."""

_STATM = Path("/proc/self/statm")
_DATA = 5  # its field: pages of data and stack


@contextmanager
def bounded(mb: int = DECODE_MB) -> Iterator[None]:
    """Inside, this process can grow by `mb` and no further: beyond, native code is refused and Python raises
    `MemoryError`.

    By `RLIMIT_DATA`, which counts what is allocated, and only while foreign bytes are read. Looking at the process
    from outside comes too late for a decoder that asks for gigabytes at once. `RLIMIT_AS`, or a limit for as long as
    the process lives, would hit model libraries, which reserve many times what they use. Elsewhere than on Linux
    nothing happens here, and the look from outside remains.
    """
    if sys.platform != "linux" or not _STATM.exists():
        yield
        return
    import resource

    soft, hard = before = resource.getrlimit(resource.RLIMIT_DATA)
    used = int(_STATM.read_text().split()[_DATA]) * resource.getpagesize()
    wanted = [used + mb * 2**20, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
