"""The child process: runs handlers, and with them every model. `python -P -m kizu_core.worker.child FD`.

It has no database, no key and no secret in its environment. All it knows arrives through the socket whose
descriptor is its only argument; when the other end closes, it ends.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys

from kizu_core.privacy.guard import install
from kizu_core.privacy.isolation import Level, isolate

_PR_SET_PDEATHSIG = 1


def guard() -> Level:
    """What must hold before anything else is imported; what the system refuses from now on."""
    # Ctrl-C at the terminal is the parent's to judge: it lets the job finish or kills this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A core file would hold the user's pictures.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    level = isolate()
    install("child")
    if sys.platform == "linux":
        # Native code that never returns to Python would not notice the closed socket. The kernel sends this when
        # the *thread* that started us ends, so the parent starts children from threads that outlive them.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return level


def main(arguments: list[str]) -> int:
    """Serve until the parent says stop or is gone."""
    level = guard()
    from kizu_core.privacy import redact
    from kizu_core.worker.channel import Channel
    from kizu_core.worker.messages import Hello

    redact.install()
    channel = Channel(socket.socket(fileno=int(arguments[0])))
    channel.send(Hello(pid=os.getpid(), level=level))
    from kizu_core.worker.serve import serve

    return serve(channel)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
