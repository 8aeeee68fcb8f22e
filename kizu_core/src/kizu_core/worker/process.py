"""The child process as its parent sees it: start, talk, watch, end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import psutil

from kizu_core.errors import ChildCrashed, WorkerError
from kizu_core.privacy.probes import Probed
from kizu_core.settings import Settings
from kizu_core.worker.channel import Channel
from kizu_core.worker.limits import PICTURES_MB
from kizu_core.worker.messages import Configure, Hello, Message, Probe, ProbeDone, Ready, Stop

Kind = TypeVar("Kind", bound=Message)

START_S = 60
SEND_S = 30
STOP_S = 2
LOG_BYTES = 5 * 2**20

_ALLOWED = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR", "LANG", "LANGUAGE", "LD_LIBRARY_PATH"}
)
_ALLOWED_PREFIXES = ("LC_", "PYTHON", "CUDA_", "NVIDIA_", "DYLD_")
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "VIPS_CONCURRENCY",
)


def child_environment(environ: Mapping[str, str], threads: int) -> dict[str, str]:
    """What the child may know of the environment: an allow-list, so that no secret is in it by accident.

    Native libraries would each take all cores; they get the same explicit number.
    """
    kept = {name: value for name, value in environ.items() if name in _ALLOWED or name.startswith(_ALLOWED_PREFIXES)}
    return kept | dict.fromkeys(_THREADS, str(threads)) | {"PYTHONUNBUFFERED": "1"}


class ChildProcess:
    """One running child. Make it from a thread that outlives it (see `child.guard`)."""

    def __init__(self, name: str, settings: Settings, values: Mapping[str, Any], limit_mb: int = PICTURES_MB) -> None:
        """Starts the process, gives it the settings in `values`, waits until it is ready. Raises `WorkerError`.

        `limit_mb`: how large it may grow, which whoever uses it watches.
        """
        self.limit_mb = limit_mb
        self.log = settings.paths.logs / f"child-{name}.log"
        ours, theirs = socket.socketpair()
        with theirs, open_log(self.log, debug=settings.debug) as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "kizu_core.worker.child", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=child_environment(os.environ, settings.thread_count),
                start_new_session=True,  # a process group of its own: killed with all that it started
            )
        self._watched = psutil.Process(self.pid)
        self._channel = Channel(ours, send_timeout=SEND_S)
        self.send = self._channel.send
        self.receive = self._channel.receive
        self.used = False
        self.handlers = self._greet(values)

    def probe(self, ports: Mapping[str, int]) -> Sequence[Probed]:
        """What stops each way out of this process. Raises `WorkerError`, or `OSError` if it does not answer."""
        self.send(Probe(ports=ports))
        return self._expect(ProbeDone).results

    @property
    def pid(self) -> int:
        return self._process.pid

    def rss_mb(self) -> float:
        """Resident memory in MiB; 0 once it has ended."""
        try:
            return float(self._watched.memory_info().rss) / 2**20
        except psutil.Error:
            return 0.0

    def alive(self) -> bool:
        return not self._ends_within(0)

    def hear(self, seconds: float) -> Message | None:
        """The next message, None if none came in that time. Raises `ChildCrashed` once there will be no more: it has
        died, talked nonsense or grown over its limit, and is ended.
        """
        if self.rss_mb() > self.limit_mb:
            self.kill()
            raise ChildCrashed(
                f"The model process needed more than {self.limit_mb} MB.", hint="KIZU_MAX_CHILD_MB sets the limit."
            )
        try:
            message = self.receive(seconds)
        except TimeoutError:
            return None
        except WorkerError as error:
            self.kill()
            raise ChildCrashed(f"The model process sent garbage ({error.message}).") from error
        if message is None:
            raise ChildCrashed(f"The model process {self.epitaph()} while it worked on this.")
        return message

    def stop(self) -> None:
        """Ends an idle child politely, a deaf one by force."""
        with suppress(OSError):
            self.send(Stop())
        self._ends_within(STOP_S)
        self.kill()

    def kill(self) -> None:
        """Ends it now, with everything that it started."""
        if self._process.returncode is None:  # not yet waited for, so the number can't be somebody else's
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        self._channel.close()

    def epitaph(self) -> str:
        """How it ended, as the rest of a sentence: "was killed by SIGSEGV". Ends it if it has not."""
        by_itself = self._ends_within(STOP_S)
        self.kill()
        status = self._process.returncode
        if not by_itself:
            return "stopped talking"
        if status >= 0:
            return f"ended with status {status}"
        name = signal.Signals(-status).name
        return f"was killed by {name}" + (" (out of memory, perhaps)" if name == "SIGKILL" else "")

    def _ends_within(self, seconds: float) -> bool:
        """Waits for its end without collecting its status, which would give its number free."""
        end = time.monotonic() + seconds
        while self._process.returncode is None and psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() >= end:
                return False
            time.sleep(0.01)
        return True

    def _greet(self, values: Mapping[str, Any]) -> Sequence[str]:
        try:
            self.level = self._expect(Hello).level
            self.send(Configure(settings=values))
            return self._expect(Ready).handlers
        except (OSError, WorkerError) as error:  # TimeoutError is an OSError
            how = self.epitaph()
            raise WorkerError(f"The model process {how} while it started.", hint=f"See {self.log}.") from error

    def _expect(self, kind: type[Kind]) -> Kind:
        message = self.receive(START_S)
        if not isinstance(message, kind):
            raise WorkerError(f"{kind.__name__} was due, not {type(message).__name__}")
        return message


def open_log(path: Path, *, debug: bool) -> BinaryIO:
    """The child's output: our own stderr when debugging, else a file kept to about twice `LOG_BYTES`."""
    if debug:
        return os.fdopen(os.dup(2), "wb")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "ab")
