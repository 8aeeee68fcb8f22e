"""A process that reads strangers' files for this one: both of its sides. One JSON request a line, one JSON answer.

Parsers of foreign files may crash or hang: here that costs one file, never the caller. Like the process that runs
plugins, it has nothing to say to the network, and its environment holds nothing of ours: it has no use for a password.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final, TypeVar

from kizu_core.errors import LibraryError, UnreadablePicture
from kizu_core.library.answers import Answer, error_entry
from kizu_core.privacy.guard import install
from kizu_core.privacy.isolation import isolate

START_S: Final = 30.0
Key = TypeVar("Key")
Request = Mapping[str, Any]


def serve(answer: Callable[[Request], Answer]) -> None:
    """The process's own side: answers requests until stdin ends. Ctrl-C is the parent's business: it closes stdin."""
    isolate()
    install("child")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints must not mix with answers
    answers.write('{"ready": true}\n')
    answers.flush()
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


class ReaderPool:
    """Processes that run `module`, which calls `serve`; each starts when it is needed. A context manager."""

    def __init__(self, module: str, count: int) -> None:
        self._module = module
        self._count = count
        self._mine = threading.local()
        self._all: list[_Reader] = []
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="reader")

    def __enter__(self) -> ReaderPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            for reader in self._all:
                reader.kill()  # threads that wait for an answer see the end of the pipe
        self._threads.shutdown(cancel_futures=True)
        for reader in self._all:
            reader.stop()

    def ask(self, questions: Iterable[tuple[Key, Request, float]]) -> Iterator[tuple[Key, Answer]]:
        """The answers in order, some ahead of the caller. A question: whose it is, the request, seconds it may take.

        A reader that dies or takes longer answers with an error. Raises `LibraryError` if none can be started at all.
        """
        waiting: deque[tuple[Key, Future[Answer]]] = deque()
        for key, request, limit_s in questions:
            waiting.append((key, self._threads.submit(self._ask, request, limit_s)))
            if len(waiting) > 4 * self._count:
                first, answer = waiting.popleft()
                yield first, answer.result()
        for key, answer in waiting:
            yield key, answer.result()

    def _ask(self, request: Request, limit_s: float) -> Answer:
        reader: _Reader | None = getattr(self._mine, "reader", None)
        if reader is None or not reader.alive:
            reader = self._mine.reader = _Reader(self._module)
            self._all.append(reader)
        return reader.ask(request, limit_s)


class _Reader:
    """One process."""

    def __init__(self, module: str) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `stop`)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={"PYTHONUTF8": "1"},
            bufsize=0,
            start_new_session=True,
        )
        if not self._line(START_S):
            self._log.seek(0)
            last = self._log.read().decode(errors="replace").strip().rsplit("\n", 1)[-1]
            self.stop()
            raise LibraryError(f"The process that reads photos can't start: {last}", hint="Install kizu-core again.")

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Request, limit_s: float) -> Answer:
        assert self._process.stdin is not None  # noqa: S101 (given to Popen above)
        try:
            self._process.stdin.write((json.dumps(request) + "\n").encode())
            line = self._line(limit_s)
        except BrokenPipeError:
            line = b""
        if line:
            answer: Answer = json.loads(line)
            return answer
        self.stop()
        if line is None:
            return {
                "error": error_entry(UnreadablePicture(f"Reading it took longer than {limit_s:.0f} s."), retryable=True)
            }
        return {"error": error_entry(UnreadablePicture("The reader crashed on this file."))}

    def _line(self, limit_s: float) -> bytes | None:
        """The next line; empty when the process ended, None when the time is up."""
        assert self._process.stdout is not None  # noqa: S101 (given to Popen above)
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + limit_s
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            chunk = os.read(descriptor, 65536)
            if not chunk:
                return b""
            line += chunk
        return line

    def kill(self) -> None:
        self._process.kill()

    def stop(self) -> None:
        """End the process and give everything back; may be called twice."""
        self.kill()
        self._process.wait()
        self._log.close()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
