"""The main job, shared by `kizu run` and `kizu demo`: import a folder, work until done, say what came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizu_core.cli.asking import is_terminal
from kizu_core.cli.context import DONE, DONE_WITH_FAILURES, INTERRUPTED
from kizu_core.cli.display import Display, open_display, sentence_of
from kizu_core.cli.lacking import fetch_lacking
from kizu_core.cli.milestones import Milestones
from kizu_core.cli.plan import plan_lines, refuse_small_disks
from kizu_core.cli.progress import Progress
from kizu_core.cli.signals import interruptible, stopping
from kizu_core.cli.summary import RunResult, next_lines, read_lines, summary_lines
from kizu_core.errors import DatabaseError, DatabaseUnavailable
from kizu_core.types import GENERATE_MOMENTS

if TYPE_CHECKING:
    from kizu_core.api import Library
    from kizu_core.library.plan import Plan
    from kizu_core.library.report import Progress as ScanProgress
    from kizu_core.settings import Settings
    from kizu_core.worker.events import Event, Summary

LOOK_EVERY_S = 1.0
LOOK_SHARE = 20.0
"""The next look at the counts waits this many times as long as the last one took."""

LOOK_LONGEST_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What was asked for. `operations`: None for all that can be done; `anyway`: even if the disk seems too small."""

    as_json: bool = False
    operations: tuple[str, ...] | None = None
    verbose: bool = False
    anyway: bool = False


def run_folder(settings: Settings, folder: Path, user: str | None, options: RunOptions, *, before: str = "") -> int:
    """Everything that `kizu run` does; the exit code. `before` is said first. Raises `KizuError`."""
    from kizu_core.api import open_library

    started = time.monotonic()
    display = open_display(as_json=options.as_json)
    try:
        if before:
            display.say(before)
        display.say("Opening the database.")
        with interruptible(), open_library(settings, user, display.say, pin=True) as library:
            for wish in library.wishes:
                display.say(wish.sentence)
            return _run(library, folder, options, display, started)
    finally:
        display.close()


def _run(library: Library, folder: Path, options: RunOptions, display: Display, started: float) -> int:
    report = library.import_folder(
        folder,
        lambda event: _scanned(event, display),
        lambda plan: _planned(library, plan, options, display),
        options.operations,
    )
    display.event({"event": "imported", "report": asdict(report)})
    for line in read_lines(report):
        display.say(line)
    worked, stopped = _work(library, options, display)
    result = RunResult(
        report=report,
        worked=worked,
        status=_status(library, stopped=stopped),
        **({} if stopped else _found(library, worked)),
        gaps=library.gaps_among(options.operations),
        seconds=time.monotonic() - started,
        stopped=stopped,
    )
    display.conclude(result.as_dict(), (*summary_lines(result), *next_lines(library, result)))
    if stopped:
        return INTERRUPTED
    return DONE_WITH_FAILURES if result.failed else DONE


def _status(library: Library, *, stopped: bool) -> Mapping[str, Any]:
    """The end of the story. Who wants to stop does not wait for a database that is away."""
    if not stopped:
        return library.patiently(library.status)
    try:
        return library.status()
    except DatabaseUnavailable:
        raise KeyboardInterrupt from None


def _found(library: Library, worked: Summary) -> dict[str, Any]:
    """What came of work for the library as a whole, and why none did; nothing there spoils a run."""
    tally = worked.operations.get(GENERATE_MOMENTS)
    try:
        moments = list(library.moments.all(today=True)) if tally and tally.done else []
        return {"causes": library.jobs.causes(), "people": len(library.people.all()), "moments": len(moments)}
    except DatabaseError:
        return {}


def _planned(library: Library, plan: Plan, options: RunOptions, display: Display) -> None:
    """Shows the plan before it is carried out, and asks for what it lacks. Raises `DiskFull` for one that can't be."""
    display.event(plan.as_dict())
    for line in plan_lines(plan, verbose=options.verbose):
        display.say(line)
    if not options.anyway:
        refuse_small_disks(plan)
    if plan.waiting and not options.as_json and is_terminal():
        with display.paused():
            fetch_lacking(library, plan.waiting)


def _scanned(event: ScanProgress, display: Display) -> None:
    display.event({"event": "scan", **asdict(event)})
    if event.message:
        display.say(event.message)
    elif event.stage == "reading" and event.total is not None:
        display.count("reading files", event.done, event.total)


def _work(library: Library, options: RunOptions, display: Display) -> tuple[Summary, bool]:
    """Queue what is missing and work until nothing is left: what was done, whether a signal ended it before."""
    from kizu_core.worker.options import WorkerOptions

    display.event({"event": "queued", "photos": library.enqueue(options.operations)})
    worker = library.worker(WorkerOptions(drain=True, operations=options.operations))

    def first() -> None:
        display.say("Stopping after the photo in hand. Press Ctrl-C again to stop at once; nothing is lost either way.")
        worker.stop()

    with stopping(first, worker.stop) as stopped, _watched(library, display):
        worked = worker.run(lambda event: _told(event, display))
    return worked, stopped()


def _told(event: Event, display: Display) -> None:
    display.event(event.as_dict())
    if sentence := sentence_of(event):
        display.say(sentence)


@contextmanager
def _watched(library: Library, display: Display) -> Iterator[None]:
    """Shows the counts while inside. They come from the database, so another worker's work is seen as well."""
    done = threading.Event()
    progress, milestones = Progress(), Milestones(library.searched)

    def watch() -> None:
        pause = 0.0
        while not done.wait(pause):
            pause = LOOK_EVERY_S
            looked = time.monotonic()
            try:
                progress.update(library.status()["jobs"])
            except DatabaseError:
                continue  # the worker says that it waits for the database
            display.progress(progress)
            for note in milestones.notes(progress):
                display.note(note)
            pause = max(LOOK_EVERY_S, min(LOOK_LONGEST_S, LOOK_SHARE * (time.monotonic() - looked)))

    watcher = threading.Thread(target=watch, name="kizu-display", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
