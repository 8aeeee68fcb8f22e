"""What `kizu run` shows while it works: a live table on a terminal, plain lines elsewhere, NDJSON for scripts."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from kizu_core.cli.context import print_json
from kizu_core.cli.progress import Progress, Stage, duration, title_of

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from kizu_core.cli.milestones import Note
    from kizu_core.worker.events import Event

PLAIN_EVERY_S = 10.0
"""Without a terminal, a line this often: enough to see life in a log, not so many that it is drowned."""


class Display(Protocol):
    """Told what happens; `close` leaves the terminal as it was."""

    def say(self, sentence: str) -> None:
        """One sentence for a person."""

    def event(self, event: dict[str, Any]) -> None:
        """One event for a script."""

    def count(self, doing: str, done: int, total: int) -> None:
        """So much of something that takes long is done: "reading files", 3 of 10."""

    def note(self, note: Note) -> None:
        """Something worth a line of its own."""

    def progress(self, progress: Progress) -> None:
        """The counts have changed."""

    def conclude(self, event: dict[str, Any], lines: Iterable[str]) -> None:
        """The end: as an event for a script, as lines for a person."""

    def paused(self) -> AbstractContextManager[object]:
        """Nothing is drawn inside: the terminal is somebody else's."""

    def close(self) -> None: ...


class JsonDisplay:
    """Newline-delimited JSON, one object an event."""

    def say(self, sentence: str) -> None:
        print_json({"event": "message", "text": sentence})

    def event(self, event: dict[str, Any]) -> None:
        print_json(event)

    def count(self, doing: str, done: int, total: int) -> None:
        pass  # an event of its own tells it

    def note(self, note: Note) -> None:
        print_json(note.event)

    def progress(self, progress: Progress) -> None:
        stages = {
            stage.operation: {
                "waiting": stage.waiting,
                "retrying": stage.retrying,
                "done": stage.done,
                "failed": stage.failed,
                "per_second": round(stage.per_second, 2),
            }
            for stage in progress.stages
        }
        print_json({"event": "progress", "stages": stages})

    def conclude(self, event: dict[str, Any], lines: Iterable[str]) -> None:
        print_json(event)

    def paused(self) -> AbstractContextManager[object]:
        return nullcontext()

    def close(self) -> None:
        pass


class SilentDisplay(JsonDisplay):
    """For a command whose whole answer is one JSON document."""

    def say(self, sentence: str) -> None:
        pass

    def conclude(self, event: dict[str, Any], lines: Iterable[str]) -> None:
        pass


class PlainDisplay:
    """Lines for logs and pipes."""

    def __init__(self) -> None:
        self._last = 0.0

    def say(self, sentence: str) -> None:
        sys.stdout.write(sentence + "\n")
        sys.stdout.flush()

    def event(self, event: dict[str, Any]) -> None:
        pass

    def count(self, doing: str, done: int, total: int) -> None:
        if done == total or self._is_time():
            self.say(f"  {doing}: {done:,} of {total:,}")

    def note(self, note: Note) -> None:
        self.say(note.sentence)

    def progress(self, progress: Progress) -> None:
        working = [stage for stage in progress.stages if stage.left]
        if working and self._is_time():
            self.say("  " + "; ".join(_line(stage) for stage in working))

    def _is_time(self) -> bool:
        now = time.monotonic()
        if now - self._last < PLAIN_EVERY_S:
            return False
        self._last = now
        return True

    def conclude(self, event: dict[str, Any], lines: Iterable[str]) -> None:
        for line in lines:
            self.say(line)

    def paused(self) -> AbstractContextManager[object]:
        return nullcontext()

    def close(self) -> None:
        pass


class LiveDisplay:
    """A table that redraws itself below the sentences already said."""

    def __init__(self) -> None:
        from rich.live import Live

        from kizu_core.cli.context import console

        self._live: Live = Live(console=console(), refresh_per_second=4, transient=True)
        self._live.start()

    def say(self, sentence: str) -> None:
        self._live.console.print(sentence, markup=False)

    def event(self, event: dict[str, Any]) -> None:
        pass

    def count(self, doing: str, done: int, total: int) -> None:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_row(doing, ProgressBar(total=total, completed=done, width=24), f"{done:,}/{total:,}")
        self._live.update(table)

    def note(self, note: Note) -> None:
        if note.event["event"] != "estimate":  # the table has them
            self.say(note.sentence)

    def progress(self, progress: Progress) -> None:
        self._live.update(_table(progress))

    def conclude(self, event: dict[str, Any], lines: Iterable[str]) -> None:
        self._live.stop()
        for line in lines:
            self.say(line)

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def close(self) -> None:
        self._live.stop()


def sentence_of(event: Event) -> str:
    """What a person should know of an event at once; empty for most."""
    from kizu_core.worker import events

    match event:
        case events.Waiting() | events.Resumed() | events.ModelNotice():
            return event.message
        case events.ModelSwitched():
            about = "Searches" if event.kind == "embedder" else "People"
            return f"{about} are answered by {event.space} from now on."
        case events.OffersChanged():
            gained = [title_of(name) for name in event.gained]
            return f"What it needs has come, so this is done now as well: {', '.join(gained)}." if gained else ""
        case events.ChildRestarted():
            return f"The model process {event.reason}; a new one goes on."
        case events.EgressRefused():
            return f"{event.caller} tried to {event.action} {event.target}, which was refused."
        case events.HandlerOff():
            return f"{event.handler} can't be used here: {event.error.get('message')}"
    return ""


def open_display(*, as_json: bool) -> Display:
    """The display that fits where the output goes."""
    if as_json:
        return JsonDisplay()
    return LiveDisplay() if sys.stdout.isatty() else PlainDisplay()


def _line(stage: Stage) -> str:
    parts = [f"{stage.title} {stage.done + stage.failed:,}/{stage.total:,}"]
    if stage.per_second:
        parts.append(f"{stage.per_second:.1f} photos/s")
    if stage.seconds_left is not None:
        parts.append(f"{duration(stage.seconds_left)} left")
    return ", ".join(parts)


def _table(progress: Progress) -> Table:
    """Fits into 80 columns; what is rare has a column only when it happens."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    stages = progress.stages
    rare = {"retrying": [stage.retrying for stage in stages], "could not be read": [stage.failed for stage in stages]}
    rare = {title: counts for title, counts in rare.items() if any(counts)}
    table = Table(box=None, pad_edge=False)
    for title in ("", "", "photos", "photos/s", "time left", *rare):
        table.add_column(title, no_wrap=True)
    for row, stage in enumerate(stages):
        left = stage.seconds_left
        table.add_row(
            stage.title,
            ProgressBar(total=stage.total, completed=stage.done + stage.failed, width=16),
            f"{stage.done + stage.failed:,}/{stage.total:,}",
            f"{stage.per_second:.1f}" if stage.left else "done",
            duration(left) if stage.left and left is not None else "",
            *(str(counts[row] or "") for counts in rare.values()),
        )
    return table
