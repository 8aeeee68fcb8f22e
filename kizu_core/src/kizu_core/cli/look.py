"""`kizu look PHOTO`: one picture, all that the installed plugins see in it, and how long it took. Nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizu_core.cli.context import DONE, DONE_WITH_FAILURES, console, print_json, settings_of
from kizu_core.cli.progress import STAGES, plural

if TYPE_CHECKING:
    from kizu_core.models.offers import Gap, Offer
    from kizu_core.plugins.catalog import Catalog
    from kizu_core.settings import Settings
    from kizu_core.worker.look import Seen


def look(
    ctx: typer.Context,
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A picture, in the library or not.")],
    operations: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Only these, such as `ocr` or `embedding,faces`; all that can be done here."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what is seen in one picture, and how long it took.

    By each installed model, as in a real run; but no database is opened, and nothing is kept.

    Exit code 1 if the picture can't be read, 3 if an operation failed or is not available here.

    Examples:

      kizu look IMG_0042.jpg

      kizu look IMG_0042.jpg --operations ocr --json
    """
    from kizu_core.models.selection import load_catalog

    settings = settings_of(ctx)
    catalog = load_catalog(settings)
    offers, gaps, asked = _chosen(operations, catalog, settings)
    path = photo.expanduser().absolute()
    started = time.monotonic()
    facts = _facts(path)
    report = _Report(path, facts, as_json=as_json)
    for seen in _look(path, offers, settings, catalog):
        report.add(seen)
    report.conclude(gaps, time.monotonic() - started)
    raise typer.Exit(DONE_WITH_FAILURES if report.failed or (asked and gaps) else DONE)


def _chosen(operations: str | None, catalog: Catalog, settings: Settings) -> tuple[list[Offer], list[Gap], bool]:
    """What can be done, what can't, and whether that was asked for by name. Raises `SettingError`."""
    from kizu_core.errors import SettingError
    from kizu_core.models.offers import gaps, offers
    from kizu_core.types import OPERATION_MODELS

    names = [name.strip() for name in (operations or "").split(",") if name.strip()]
    known = ", ".join(OPERATION_MODELS)
    for name in names:
        if name not in OPERATION_MODELS:
            raise SettingError(f"There is no operation {name!r}.", hint=f"Operations are: {known}.")
    wanted = names or list(OPERATION_MODELS)
    found = {offer.entry: offer for offer in offers(catalog, settings) if offer.entry in wanted}
    # What runs leave out because it takes long (`describe`) is no trouble for one picture.
    missing = list(gaps(catalog, settings, wanted))
    return [found[name] for name in wanted if name in found], missing, bool(names)


def _facts(path: Path) -> dict[str, Any]:
    """What the file's headers say, read in a process of its own. Raises what is wrong with the file."""
    from kizu_core.database.paths import path_to_text
    from kizu_core.errors import LibraryError, SourceMissing, UnsupportedFormat, from_dict
    from kizu_core.library.readers import Readers
    from kizu_core.library.scan import FileSeen

    if path.is_dir():
        raise LibraryError(f"{path} is a folder.", hint="`kizu look` takes one picture, `kizu run` a folder.")
    if not path.exists():
        raise SourceMissing(f"There is no file {path}.", hint="Check its name.")
    file = FileSeen(path_to_text(path.name), "image", path.stat().st_size, 0, 0)
    with Readers(path.parent, 1) as readers:
        [(_, answer)] = readers.read([file])
    if "error" in answer:
        raise from_dict({**answer["error"], "message": f"{path.name}: {answer['error']['message']}"})
    asset: dict[str, Any] = answer["asset"]
    if asset["media_kind"] != "image":
        raise UnsupportedFormat(f"{path.name} is a {asset['media_kind']}, not a picture.")
    return asset


def _look(path: Path, offers: Sequence[Offer], settings: Settings, catalog: Catalog) -> Iterator[Seen]:
    """Raises `MediaError` at the first operation that could not decode the picture: no other one could."""
    from kizu_core.errors import MediaError
    from kizu_core.worker.look import look as look_at

    for seen in look_at(path, offers, settings, catalog):
        if isinstance(seen.error, MediaError):
            seen.error.message = f"{path.name}: {seen.error.message}"
            raise seen.error
        yield seen


class _Report:
    """Prints parts as they come, or all at the end as JSON."""

    def __init__(self, path: Path, facts: Mapping[str, Any], *, as_json: bool) -> None:
        self.failed = False
        self._out = None if as_json else console()
        self._document: dict[str, Any] = {"path": path, "facts": facts, "operations": []}
        self._say(path.name, *(f"  {line}" for line in _fact_lines(facts)))

    def add(self, seen: Seen) -> None:
        """One operation, its result or its error, and what its process was refused."""
        offer = seen.offer
        try:
            rows = [_plain(row, self._document["facts"]) for row in seen.values]
            lines = list(_result_lines(offer.entry, rows))
        except (AttributeError, KeyError, TypeError, ValueError):
            # The process that made it may have been taken over by the picture.
            seen, rows, lines = _formless(seen), [], []
        self.failed = self.failed or seen.error is not None or bool(seen.refusals)
        self._document["operations"].append(_seen_as_dict(seen, rows))
        self._say("", f"{_title(offer.entry)}: {offer.plugin} {offer.version}, {_times(seen)}{_computed(seen)}")
        if seen.error is not None:
            self._say(f"  ! {seen.error.message}", *([f"    {seen.error.hint}"] if seen.error.hint else []))
        else:
            self._say(*(f"  {line}" for line in lines))
        self._say(*(f"  ! {refusal.sentence}" for refusal in seen.refusals))

    def conclude(self, gaps: Sequence[Gap], seconds: float) -> None:
        """What is not available, and the time that all took."""
        for gap in gaps:
            self._say("", f"{_title(gap.operation)}: not available here. {gap.reason}", f"  {gap.hint}")
        self._say("", f"{seconds:.1f} s in all; nothing was kept.")
        if self._out is None:
            print_json({**self._document, "missing": [asdict(gap) for gap in gaps], "seconds": round(seconds, 3)})

    def _say(self, *lines: str) -> None:
        for line in lines:
            if self._out is not None:
                # Text in pictures is anybody's: what could steer a terminal is not passed on.
                self._out.print("".join(c if c.isprintable() else " " for c in line), markup=False)


def _title(operation: str) -> str:
    title = STAGES.get(operation, operation)
    return f"{title} ({operation})" if title != operation else title


def _times(seen: Seen) -> str:
    loaded = f"loaded in {seen.load_seconds:.2f} s, " if seen.load_seconds >= 0.005 else ""
    return f"{loaded}done in {seen.seconds:.2f} s" if seen.error is None else f"{loaded}failed"


def _computed(seen: Seen) -> str:
    return f" by {seen.runtime}" if seen.runtime else ""


def _fact_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """What the headers say; what they do not say is left out."""
    turned = f", turned (orientation {facts['orientation']})" if (facts["orientation"] or 1) > 1 else ""
    offset = facts["taken_offset_min"]
    zone = "" if offset is None else f" {'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    taken = facts["taken_local"]
    lines = {
        "format": f"{facts['metadata']['format']}, {facts['bytes']:,} bytes",
        "size": f"{facts['width']} x {facts['height']} pixels{turned}",
        "taken": taken and f"{taken.replace('T', ' ')}{zone} (from {facts['taken_source']})",
        "place": facts["latitude"] is not None and f"{facts['latitude']:.5f}, {facts['longitude']:.5f}",
        "camera": facts["camera"],
    }
    return (f"{name:<8}{value}" for name, value in lines.items() if value)


def _result_lines(operation: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The rows of one operation for people."""
    from kizu_core.cli import results

    if not rows:
        yield "nothing found"
    elif operation == "embedding":
        yield from (f"{results.embedding_line(row)}, length {row['norm']:.3f}" for row in rows)
    elif operation == "faces":
        yield plural(len(rows), "face")
        yield from map(results.face_line, rows)
    elif operation == "objects":
        yield from map(results.object_line, rows)
    elif operation == "ocr":
        yield from map(results.text_line, rows)
    else:
        yield from map(results.caption_line, rows)


def _formless(seen: Seen) -> Seen:
    from kizu_core.errors import ModelFailed

    return replace(seen, values=(), error=ModelFailed("It gave a result of a form that nobody knows."))


def _plain(row: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its places in pixels too; without its vector, of which only the length is told, and without what is
    said of the model elsewhere.
    """
    from kizu_core.pipeline.pixels import in_pixels

    kept = {
        name: value for name, value in row.items() if name not in ("embedding", "model", "output_version", "runtime")
    }
    if "embedding" in row:
        import numpy as np

        kept["norm"] = round(float(np.linalg.norm(row["embedding"])), 6)
    return in_pixels(kept, facts["width"], facts["height"])


def _seen_as_dict(seen: Seen, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "operation": seen.offer.entry,
        "model": seen.offer.plugin,
        "version": seen.offer.version,
        "runtime": seen.runtime,
        "load_seconds": seen.load_seconds,
        "seconds": round(seen.seconds, 3),
        "results": rows,
        "error": seen.error.as_dict() if seen.error else None,
        "refusals": [asdict(refusal) for refusal in seen.refusals],
    }
