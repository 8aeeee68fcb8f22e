"""Damaged pictures through the real reader and the real worker: nothing hangs, nothing swells, every end has a cause.

    PYTHONPATH=tests/support python -m kizu_support.mutate --count 1000 --seed 1

Thumbnails, web versions and embeddings of the histogram plugin, with a library of its own in a scratch folder. The
worker gets the pictures that the reader refuses as well. The exit status is 0 if all kept within the limits.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
from psycopg.rows import dict_row

from kizu_core.api import Library, open_library
from kizu_core.library.readers import Readers
from kizu_core.library.scan import FileSeen
from kizu_core.types import JobTable
from kizu_core.worker.events import Event, JobDone, JobEvent, JobFailed, JobReturned, JobStarted
from kizu_core.worker.limits import PICTURES_MB
from kizu_core.worker.options import WorkerOptions
from kizu_support.distributions import ROOT
from kizu_support.embedded import settings_for
from kizu_support.mutations import mutate

LOOK_S = 0.02
LIMIT_S = 120.0
"""The limit of `optimize` for one job."""

PICTURES = ("*.jpg", "*.png", "*.gif", "*.webp", "*.avif", "*.heic")


@dataclass
class Report:
    """`readers`, `jobs`: how often which end; `peak_mb`: largest resident size by kind of process, and
    `longest_s`: seconds of the longest attempt at a job and of the longest look by a reader.
    """

    count: int
    seed: int
    readers: Counter[str] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)
    peak_mb: dict[str, int] = field(default_factory=dict)
    longest_s: dict[str, float] = field(default_factory=dict)
    slowest: str = ""
    restarts: int = 0
    seconds: float = 0.0

    def faults(self) -> list[str]:
        """What is not as it was promised; empty if all is."""
        found = [f"a {kind} grew to {mb} MB" for kind, mb in self.peak_mb.items() if mb >= PICTURES_MB]
        found += [f"a {kind} took {seconds:.0f} s" for kind, seconds in self.longest_s.items() if seconds > LIMIT_S]
        found += [
            f"{count} {end}" for end, count in self.jobs.items() if end.endswith((" unfinished", " without cause"))
        ]
        if sum(self.readers.values()) != self.count or sum(self.jobs.values()) != 2 * self.count:
            found.append("some pictures are missing")
        return found


KINDS = {"kizu_core.worker.child": "model process", "kizu_core.library.inspect": "reader"}


class Peaks(threading.Thread):
    """Watches the largest resident size of our reader and model processes, as the kernel keeps it."""

    def __init__(self) -> None:
        super().__init__(name="peaks", daemon=True)
        self.mb: dict[str, int] = {}
        self.over = threading.Event()

    def run(self) -> None:
        kinds: dict[int, str] = {}
        while not self.over.wait(LOOK_S):
            for child in psutil.Process().children():
                if child.pid not in kinds:
                    kinds[child.pid] = _kind(child)
                if kinds[child.pid]:
                    self._look(child.pid, kinds[child.pid])

    def _look(self, pid: int, kind: str) -> None:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return
        peak = next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)
        self.mb[kind] = max(peak, self.mb.get(kind, 0))


def _kind(process: psutil.Process) -> str:
    try:
        command = process.cmdline()
    except psutil.Error:
        return ""
    return next((kind for module, kind in KINDS.items() if module in command), "")


@contextmanager
def watched(report: Report) -> Iterator[None]:
    """Notes the peaks of what runs inside."""
    peaks = Peaks()
    peaks.start()
    try:
        yield
    finally:
        peaks.over.set()
        peaks.join()
        report.peak_mb = peaks.mb


class Clock:
    """How long each attempt at a job took, from its start in the child to its end."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._begun: dict[UUID, float] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, JobStarted):
            self._begun[event.job_id] = time.monotonic()
        elif isinstance(event, JobDone | JobFailed | JobReturned):
            self._ended(event)

    def _ended(self, event: JobEvent) -> None:
        seconds = time.monotonic() - self._begun.pop(event.job_id, time.monotonic())
        if seconds > self._report.longest_s.get("job", 0):
            self._report.longest_s["job"] = seconds
            self._report.slowest = f"{event.photo} ({', '.join(event.todo)})"


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, always in the same order."""
    return sorted(path for pattern in PICTURES for path in folder.glob(pattern))


def run(pictures: Sequence[Path], folder: Path, count: int, seed: int) -> Report:
    """Damages pictures into `folder/photos`, which is made, and takes them through a library in `folder/home`."""
    photos = folder / "photos"
    photos.mkdir()
    return take(mutate(pictures, photos, count, seed), folder / "home", seed)


def take(made: Sequence[Path], home: Path, seed: int = 0) -> Report:
    """Takes files of one folder through the reader and the worker of a new library in `home`."""
    report = Report(count=len(made), seed=seed)
    settings = settings_for(home, load_plugins=("core", "histogram"))
    started = time.monotonic()
    with open_library(settings, pin=True) as library, watched(report):
        _read(made, report)
        _register(library, made)
        library.enqueue()
        report.restarts = library.worker(WorkerOptions(drain=True)).run(Clock(report)).restarts
        report.jobs = Counter(_ends(library))
    report.seconds = time.monotonic() - started
    return report


def _read(made: Sequence[Path], report: Report) -> None:
    """What the reader says of each, which is what an import would store."""
    files = [FileSeen(path.name, "image", path.stat().st_size, 0, 0) for path in made]
    with Readers(made[0].parent, 2) as readers:
        before = time.monotonic()
        for _, answer in readers.read(files):
            now = time.monotonic()
            report.longest_s["look"] = max(now - before, report.longest_s.get("look", 0))
            before = now
            report.readers[answer["error"]["code"] if "error" in answer else "read"] += 1


def _register(library: Library, made: Sequence[Path]) -> None:
    """All of them as photos of the library, as if the reader had found nothing wrong."""
    worker = library.database.worker
    root = worker.root(library.user, made[0].parent, "1")
    assert root is not None
    for start in range(0, len(made), 100):
        worker.import_files(UUID(root["id"]), [_row(path) for path in made[start : start + 100]])


def _row(path: Path) -> dict[str, Any]:
    facts = {"media_kind": "image", "mime": "image/jpeg", "bytes": path.stat().st_size}
    # The name joins the content: copies of the same bytes would be one photo.
    digest = hashlib.sha256(path.name.encode() + path.read_bytes()).hexdigest()
    place = {"path": path.name, "size": path.stat().st_size, "mtime_ns": 0, "inode": 0, "mount": ""}
    return {**place, "asset": facts, "sha256": digest}


def _ends(library: Library) -> Iterator[str]:
    """How each job ended, in the words of its cause."""
    query = "select status, errors -> -1 ->> 'code' as code, table_name from kizu.jobs where asset_id is not null"
    with psycopg.connect(library.database.listen_url, row_factory=dict_row) as connection:
        connection.execute("set role service_role")
        for row in connection.execute(query).fetchall():
            job = "optimize" if row["table_name"] == JobTable.IMAGE else "embedding"
            if row["status"] == "completed":
                yield f"{job} completed"
            elif row["status"] == "failed":
                yield f"{job} {row['code'] or 'without cause'}"
            else:
                yield f"{job} unfinished"


def main() -> int:
    """Prints the report as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--photos", type=Path, default=ROOT.parent / "shared" / "photos")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kizu-mutate-") as folder:
        report = run(pictures_in(asked.photos), Path(folder), asked.count, asked.seed)
    sys.stdout.write(json.dumps(vars(report) | {"faults": report.faults()}, indent=2) + "\n")
    return 1 if report.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
