"""What a run would do, before it does it: what is there, what is new, how much disk it needs and where."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kizu_core.library.compare import Comparison
from kizu_core.library.ignore import type_name
from kizu_core.library.scan import FileSeen, Problem, Scan
from kizu_core.models.offers import Gap, Offer
from kizu_core.settings import Settings

# Averages over 110 photos of many cameras and phones, as `benchmarks/footprint.py` prints them, a little rounded up.
THUMBNAIL_BYTES: Final = 21_000
WEB_BYTES: Final = 1_700_000
ROW_BYTES: Final = 15_000
OPERATION_BYTES: Final[Mapping[str, int]] = {"embedding": 1_200, "ocr": 3_300}
OTHER_BYTES: Final = 3_000
"""Of an operation that was not measured yet: a guess."""

SHOWN_BY_BROWSERS: Final = frozenset({"JPEG", "PNG", "WEBP", "GIF", "AVIF"})
SHOWN_MIMES: Final = frozenset(f"image/{name.lower()}" for name in SHOWN_BY_BROWSERS)

LARGE_BYTES: Final = 6_000_000
"""A file of that size is likely to have more pixels than a web version may have."""

SAMPLE: Final = 50

SPARE_BYTES: Final = 500_000_000
"""What should stay free besides: a database on a full disk stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one walk through a folder found; no file was read. `types`: name -> (files, bytes).

    `problems`: places that could not be looked at. `examples`: some paths by rule, or by extension for types that are
    no photos. `todo`: new and changed files. `sample`: the newest pictures of those, of all if none is new: to try how
    long work on them takes.
    """

    folder: str
    types: Mapping[str, tuple[int, int]]
    ignored: Mapping[str, int]
    unknown: Mapping[str, int]
    problems: Sequence[Problem]
    examples: Mapping[str, Sequence[str]]
    new: int
    changed: int
    known: int
    gone: int
    todo: Sequence[FileSeen]
    sample: Sequence[FileSeen]

    @classmethod
    def of(cls, folder: str, seen: Sequence[FileSeen], scan: Scan, found: Comparison) -> Findings:
        """From a finished scan and its comparison with what is known."""
        todo = (*found.new, *found.changed)
        files: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        for file in seen:
            files[name := type_name(file.path)] += 1
            sizes[name] += file.size
        return cls(
            folder=folder,
            types={name: (count, sizes[name]) for name, count in files.most_common()},
            ignored=dict(scan.ignored),
            unknown=dict(scan.unknown),
            problems=tuple(scan.problems),
            examples=dict(scan.examples),
            new=len(found.new),
            changed=len(found.changed),
            known=len(found.same) + len(found.renumbered),
            gone=len(found.gone),
            todo=todo,
            sample=_newest(todo) or _newest(seen),
        )

    @property
    def pictures(self) -> list[FileSeen]:
        """New and changed files that models can look at."""
        return _pictures(self.todo)


def _pictures(files: Iterable[FileSeen]) -> list[FileSeen]:
    return [file for file in files if file.kind == "image"]


def _newest(files: Iterable[FileSeen]) -> list[FileSeen]:
    """By the time of the file: when a picture was taken is not known before it is read."""
    return sorted(_pictures(files), key=lambda file: -file.mtime_ns)[:SAMPLE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Bytes that a run is expected to write."""

    thumbnails: int
    web: int
    database: int

    @property
    def blobs(self) -> int:
        return self.thumbnails + self.web


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A disk that is written to: one folder on it, bytes expected there, bytes free there."""

    folder: Path
    needed: int
    free: int

    @property
    def fits(self) -> bool:
        """Whether the expected will go there."""
        return self.needed <= self.free

    @property
    def tight(self) -> bool:
        """Whether little would be left."""
        return self.needed + SPARE_BYTES > self.free


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run that has not begun. `offers`: what can be done at once; `gaps`: what can't; `backlog`: operation -> photos
    that are known already and wait for it.
    """

    findings: Findings
    offers: Sequence[Offer]
    gaps: Sequence[Gap]
    needed: Needed
    places: Sequence[Place]
    backlog: Mapping[str, int]

    def photos(self, operation: str) -> int:
        """How many photos an operation is to be done on."""
        return len(self.findings.pictures) + self.backlog.get(operation, 0)

    @property
    def waiting(self) -> list[Gap]:
        """What photos will wait for: models that are installed and lack something."""
        return [gap for gap in self.gaps if gap.model and self.photos(gap.operation)]

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be done on any photo."""
        return not any(self.photos(offer.entry) for offer in self.offers)

    def as_dict(self) -> dict[str, Any]:
        """The event `plan`."""
        found = self.findings
        return {
            "event": "plan",
            "folder": found.folder,
            "types": {name: {"files": files, "bytes": size} for name, (files, size) in found.types.items()},
            "ignored": found.ignored,
            "not_photos": found.unknown,
            "problems": [asdict(problem) for problem in found.problems],
            "examples": found.examples,
            "files": {"new": found.new, "changed": found.changed, "known": found.known, "gone": found.gone},
            "operations": [
                {"operation": one.entry, "model": one.plugin, "photos": self.photos(one.entry)} for one in self.offers
            ],
            "not_possible": [asdict(gap) for gap in self.gaps],
            "disk": {
                "expected": asdict(self.needed),
                "places": [{**asdict(one), "fits": one.fits} for one in self.places],
            },
        }


def make_plan(
    findings: Findings, settings: Settings, offers: Sequence[Offer], gaps: Sequence[Gap], backlog: Mapping[str, int]
) -> Plan:
    """The plan for what was found: `offers` will be done, at once or when they can be; `gaps` say what is lacking."""
    needed = needed_for(findings.pictures, {offer.entry for offer in offers})
    database = settings.paths.home if settings.database_url is None else None
    return Plan(
        findings=findings,
        offers=[offer for offer in offers if offer.ready],
        gaps=gaps,
        needed=needed,
        places=places_for(needed, database, settings.blobs_dir),
        backlog=backlog,
    )


def needed_for(pictures: Iterable[FileSeen], operations: Collection[str]) -> Needed:
    """What the pictures will add, going by averages; type and size of a file tell if it may get a web version."""
    files = list(pictures)
    web = sum(type_name(file.path) not in SHOWN_BY_BROWSERS or file.size > LARGE_BYTES for file in files)
    optimize = "optimize" in operations
    rows = ROW_BYTES + sum(OPERATION_BYTES.get(one, OTHER_BYTES) for one in operations if one != "optimize")
    return Needed(
        thumbnails=len(files) * THUMBNAIL_BYTES * optimize, web=web * WEB_BYTES * optimize, database=len(files) * rows
    )


def needs_web_version(columns: Mapping[str, Any]) -> bool:
    """Whether a browser can't show the picture, or not well: as `kizu_enqueue_stale` decides it."""
    from kizu_core.media.render import WEB_MAX_SIDE

    large = max(columns.get("width") or 0, columns.get("height") or 0) > WEB_MAX_SIDE
    return large or columns.get("mime") not in SHOWN_MIMES


def places_for(needed: Needed, database: Path | None, blobs: Path) -> list[Place]:
    """The disks that are written to: of the data folder (None for a database elsewhere) and of the blobs."""
    parts = [(folder, size) for folder, size in ((database, needed.database), (blobs, needed.blobs)) if folder]
    by_disk: dict[int, Place] = {}
    for folder, size in parts:
        there = _existing(folder)
        disk = there.stat().st_dev
        first = by_disk.get(disk)
        by_disk[disk] = Place(
            folder=first.folder if first else folder,
            needed=size + (first.needed if first else 0),
            free=shutil.disk_usage(there).free,
        )
    return list(by_disk.values())


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists())
