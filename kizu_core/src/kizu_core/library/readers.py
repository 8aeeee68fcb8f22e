"""The parent's side of `inspect`: several reader processes, each with a time limit for every file."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final

from kizu_core.database.paths import text_to_path
from kizu_core.errors import LibraryError, UnreadablePicture
from kizu_core.library.answers import Answer, error_entry
from kizu_core.library.scan import FileSeen

SECONDS_A_FILE: Final = 30.0
BYTES_A_SECOND: Final = 4_000_000
"""A slow disk or network: large videos get the time to be hashed on top of `SECONDS_A_FILE`."""


class Readers:
    """Reader processes for the files under `root`; they start when the first file is read. A context manager."""

    def __init__(self, root: Path, count: int, *, seconds_a_file: float = SECONDS_A_FILE) -> None:
        self._root = root
        self._count = count
        self._seconds = seconds_a_file
        self._mine = threading.local()
        self._all: list[_Reader] = []
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="reader")

    def __enter__(self) -> Readers:
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

    def read(self, files: Iterable[FileSeen]) -> Iterator[tuple[FileSeen, Answer]]:
        """What `inspect.inspect_file` says of each file, in order; a few files ahead of the caller.

        Raises `LibraryError` if readers can't be started at all.
        """
        waiting: deque[tuple[FileSeen, Future[Answer]]] = deque()
        for file in files:
            waiting.append((file, self._threads.submit(self._ask, file)))
            if len(waiting) > 4 * self._count:
                first, answer = waiting.popleft()
                yield first, answer.result()
        for file, answer in waiting:
            yield file, answer.result()

    def _ask(self, file: FileSeen) -> Answer:
        reader: _Reader | None = getattr(self._mine, "reader", None)
        if reader is None or not reader.alive:
            reader = self._mine.reader = _Reader()
            self._all.append(reader)
        limit = self._seconds + file.size / BYTES_A_SECOND
        return reader.ask(self._root / text_to_path(file.path), file.kind, limit)


class _Reader:
    """One process. Its environment holds nothing of ours: it has no use for a password."""

    def __init__(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `stop`)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "kizu_core.library.inspect"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={"PYTHONUTF8": "1"},
            bufsize=0,
            start_new_session=True,
        )
        if not self._line(SECONDS_A_FILE):
            self._log.seek(0)
            last = self._log.read().decode(errors="replace").strip().rsplit("\n", 1)[-1]
            self.stop()
            raise LibraryError(f"The process that reads photos can't start: {last}", hint="Install kizu-core again.")

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, path: Path, kind: str, limit: float) -> Answer:
        assert self._process.stdin is not None  # noqa: S101 (given to Popen above)
        request = json.dumps({"path": str(path), "kind": kind}) + "\n"
        try:
            self._process.stdin.write(request.encode())
            line = self._line(limit)
        except BrokenPipeError:
            line = b""
        if line:
            answer: Answer = json.loads(line)
            return answer
        self.stop()
        if line is None:
            return {
                "error": error_entry(UnreadablePicture(f"Reading it took longer than {limit:.0f} s."), retryable=True)
            }
        return {"error": error_entry(UnreadablePicture("The reader crashed on this file."))}

    def _line(self, limit: float) -> bytes | None:
        """The next line; empty when the process ended, None when the time is up."""
        assert self._process.stdout is not None  # noqa: S101 (given to Popen above)
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + limit
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
