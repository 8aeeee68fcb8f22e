"""Make the database agree with a folder: which photos are new, edited, moved, gone. Originals are only read."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

from kizu_core.database.opening import OpenDatabase
from kizu_core.database.paths import path_to_text, readable, text_to_path
from kizu_core.errors import LibraryError
from kizu_core.library.alone import alone
from kizu_core.library.answers import Answer
from kizu_core.library.compare import Comparison, KnownFile, compare
from kizu_core.library.known import PAGE, Rows, known_below
from kizu_core.library.place import Place, device_of, is_gone, resolved_folder, why_offline
from kizu_core.library.places import name_rows
from kizu_core.library.plan import Findings
from kizu_core.library.readers import Readers
from kizu_core.library.report import Progress, ReconcileReport, Unreadable
from kizu_core.library.scan import FileSeen, Scan
from kizu_core.settings import Paths

BATCH: Final = 500
BATCH_SECONDS: Final = 5.0
Item = TypeVar("Item")
Result = TypeVar("Result")
OnEvent = Callable[[Progress], None]
OnFound = Callable[[Findings], None]


class Reconciler:
    """Scans folders of one user.

    `paths`: Kizu's own folder, where its lock lies, and which is never scanned as a part of another one.
    `readers`: how many processes read files. `on_event`: told of each step.
    """

    def __init__(
        self, database: OpenDatabase, user: UUID, *, paths: Paths, readers: int, on_event: OnEvent = lambda _: None
    ) -> None:
        self._open = database
        self._database = database.worker
        self._user = user
        self._paths = paths
        self._readers = max(1, readers)
        self._say = on_event

    def run(self, folder: Path, on_found: OnFound = lambda _: None) -> ReconcileReport:
        """Scan `folder` and write what changed. Only new and changed files are read.

        `on_found` is told what was found before any file is read; what it raises ends the run there.
        A folder that is known, but absent, empty or on another disk, is reported as offline; nothing is marked
        missing then. Raises `LibraryError` for a folder that is not there and never was, and database errors.
        """
        started = time.monotonic()
        with alone(self._paths, self._user, self._wait_in_line):  # a second scan finds nothing left to read
            report = self._reconcile(folder, on_found)
        report.seconds = time.monotonic() - started
        self._say(Progress(stage="done", done=report.read, total=report.read))
        return report

    def _wait_in_line(self) -> None:
        message = "Another Kizu is reading photos into this library; this one goes on when it has finished."
        self._say(Progress(stage="waiting", message=message))

    def _reconcile(self, folder: Path, on_found: OnFound) -> ReconcileReport:
        place = self._place(folder)
        report = ReconcileReport(root_id=place.root_id, root=readable(str(place.root)), below=readable(place.below))
        self._say(Progress(stage="scanning", message=f"Looking through {place.shown}."))
        known = self._known(place)
        scan = Scan(place.root, place.below, without=(self._paths.home,))
        seen = self._seen(scan) if place.is_there else []
        report.found, report.ignored, report.unknown = dict(scan.found), dict(scan.ignored), dict(scan.unknown)
        report.problems = [_unreadable(one.path, LibraryError(one.message).as_dict()) for one in scan.problems]
        device = device_of(place.root)
        report.offline = why_offline(place, device, seen, known, scan.problems)
        if report.offline:
            if not place.below:
                self._call(lambda: self._database.root_state(place.root_id, "offline"))
            return report
        found = compare(seen, known, other_device=device != place.device)
        found.gone = [file for file in found.gone if is_gone(place, file, scan.problems)]
        on_found(Findings.of(place.shown, seen, scan, found))
        report.unchanged = len(found.same) + len(found.renumbered)
        report.unreadable = [_unreadable(file.path, file.error) for file in found.same if file.error]
        self._write(place, found, report)
        self._call(lambda: self._database.root_state(place.root_id, "online", device))
        return report

    def _call(self, work: Callable[[], Result]) -> Result:
        """A call that waits while the database is away; all of them may be repeated."""
        return self._open.retrying(work, on_wait=lambda message: self._say(Progress(stage="waiting", message=message)))

    def _place(self, folder: Path) -> Place:
        """Where the folder belongs; a folder seen for the first time becomes a root."""
        path = resolved_folder(folder)
        shown = readable(str(path))
        answer = self._call(lambda: self._database.root(self._user, path, device_of(path)))
        if answer is None:
            raise LibraryError(
                f"There is no folder {shown}.", hint="Check the name, and whether its disk is connected."
            )
        root, below = text_to_path(answer["path"]), text_to_path(answer["below"])
        return Place(UUID(answer["id"]), Path(root), below, answer["device"])

    def _known(self, place: Place) -> dict[str, KnownFile]:
        """Rows of the scanned part of the root, by path."""

        def page(after: str | None) -> Rows:
            return self._call(lambda: self._database.root_files(place.root_id, after, PAGE))

        return {file.path: file for file in known_below(page, path_to_text(place.below))}

    def _seen(self, scan: Scan) -> list[FileSeen]:
        seen = []
        for file in scan:
            seen.append(file)
            if len(seen) % PAGE == 0:
                self._say(Progress(stage="scanning", done=len(seen)))
        return seen

    def _write(self, place: Place, found: Comparison, report: ReconcileReport) -> None:
        """Read and import what is new or changed, then mark what is gone."""
        outcomes = _Outcomes(report, found.gone)
        for pairs in _batched(found.renumbered, BATCH):
            self._import(place, [_known_row(file, before) for file, before in pairs])
        total = len(found.new) + len(found.changed)
        with Readers(place.root, self._readers) as readers:
            for batch in _batches(self._in_good_order(found, readers)):
                rows = [_row(file, answer) for file, answer in batch]
                with suppress(LibraryError):  # without its gazetteer a later run names the places
                    name_rows(rows)
                outcomes.count(rows, self._import(place, rows))
                self._say(Progress(stage="reading", done=report.read, total=total))
        for files in _batched(found.gone, BATCH):
            self._mark_missing(place, [text_to_path(file.path) for file in files])
        report.missing = outcomes.not_found_again()

    def _import(self, place: Place, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        return self._call(lambda: self._database.import_files(place.root_id, rows))

    def _mark_missing(self, place: Place, paths: Sequence[str]) -> None:
        self._call(lambda: self._database.mark_missing(place.root_id, paths))

    @staticmethod
    def _in_good_order(found: Comparison, readers: Readers) -> Iterator[tuple[FileSeen, Answer]]:
        """New paths first, then changed ones whose content is known, then edits.

        So a photo that was copied or renamed before its path got new content is recognised by its content, and
        the edit does not change the photo under its copy.
        """
        yield from readers.read(found.new)
        contents = {file.sha256 for file in (*found.same, *found.gone)}
        changed = list(readers.read(found.changed))
        yield from sorted(changed, key=lambda one: one[1].get("sha256") not in contents)


class _Outcomes:
    """Counts what became of files that were read; known content at a new path was moved if its old path is gone."""

    def __init__(self, report: ReconcileReport, gone: Iterable[KnownFile]) -> None:
        self._report = report
        self._gone = Counter(file.sha256 for file in gone)

    def count(self, rows: Sequence[Mapping[str, Any]], outcomes: Sequence[Mapping[str, Any]]) -> None:
        by_path = {row["path"]: row for row in rows}
        report = self._report
        report.read += len(rows)
        for one in outcomes:
            row, outcome = by_path[one["path"]], one["outcome"]
            if outcome == "unreadable":
                report.unreadable.append(_unreadable(row["path"], row["error"]))
            elif outcome == "linked" and self._gone[row["sha256"]] > 0:
                self._gone[row["sha256"]] -= 1
                report.moved += 1
            elif outcome == "linked":
                report.copies += 1
            elif outcome == "same":
                report.unchanged += 1
            else:
                setattr(report, outcome, getattr(report, outcome) + 1)

    def not_found_again(self) -> int:
        """Files that are gone and were not moved."""
        return sum(self._gone.values())


def _batched(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _row(file: FileSeen, answer: Answer) -> dict[str, Any]:
    """A file as `kizu_import_files` takes it."""
    place = {"size": file.size, "mtime_ns": file.mtime_ns, "inode": file.inode, "mount": file.mount}
    return {"path": file.path, **place, **answer}


def _known_row(file: FileSeen, before: KnownFile) -> dict[str, Any]:
    return _row(file, {"error": before.error} if before.error else {"sha256": before.sha256})


def _unreadable(path: str, error: Mapping[str, Any]) -> Unreadable:
    return Unreadable(path=readable(text_to_path(path)), error=error)


def _batches(answers: Iterable[tuple[FileSeen, Answer]]) -> Iterator[list[tuple[FileSeen, Answer]]]:
    """Batches of a fair size that are never held back for long: what is written is not read again after a crash."""
    batch: list[tuple[FileSeen, Answer]] = []
    started = time.monotonic()
    for one in answers:
        batch.append(one)
        if len(batch) >= BATCH or time.monotonic() - started > BATCH_SECONDS:
            yield batch
            batch, started = [], time.monotonic()
    if batch:
        yield batch
