"""`kizu run --dry-run`: the plan with times, measured on a few of the newest pictures, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizu_core.cli.context import DONE, print_json
from kizu_core.cli.display import Display, SilentDisplay, open_display
from kizu_core.cli.plan import in_order, plan_lines
from kizu_core.cli.progress import STAGES, duration, plural
from kizu_core.cli.signals import interruptible
from kizu_core.cli.summary import gap_lines, video_line

if TYPE_CHECKING:
    from kizu_core.api import Operations
    from kizu_core.library.plan import Plan
    from kizu_core.library.scan import FileSeen
    from kizu_core.settings import Settings
    from kizu_core.worker.probe import Probed, Sample

LIMIT_S = 180.0
"""The longest that the try may take: with slow models it is over after fewer pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Seconds of a whole run. `reading`: for new and changed files; `stages`: operation -> for all its photos;
    `total`: reading, then the slowest of the lanes that work side by side. `pictures`: how many were tried.
    """

    pictures: int
    reading: float
    each: dict[str, float]
    stages: dict[str, float]
    total: float

    def as_dict(self) -> dict[str, Any]:
        stages = {
            name: {"seconds_each": round(self.each[name], 3), "hours": round(seconds / 3600, 3)}
            for name, seconds in self.stages.items()
        }
        hours = {"reading_hours": round(self.reading / 3600, 3), "total_hours": round(self.total / 3600, 3)}
        return {"pictures": self.pictures, "stages": stages, **hours}


def dry_run(
    settings: Settings, folder: Path, user: str | None, operations: Operations, *, as_json: bool, verbose: bool
) -> int:
    """Shows what `kizu run` would do; the exit code. Raises `KizuError`."""
    from kizu_core.api import plan_folder

    display: Display = SilentDisplay() if as_json else open_display(as_json=False)
    with closing(display), interruptible():
        display.say(f"Looking through {folder}.")
        path, plan = plan_folder(settings, folder, user, operations, display.say)
        for line in plan_lines(plan, verbose=verbose):
            display.say(line)
        forecast = _forecast(settings, path, plan, display)
        display.conclude({}, _conclusion(plan, forecast))
    if as_json:
        print_json({**plan.as_dict(), "event": "dry_run", "forecast": forecast.as_dict() if forecast else None})
    return DONE


def _forecast(settings: Settings, folder: Path, plan: Plan, display: Display) -> Forecast | None:
    """Tries the newest pictures; None if there is nothing to do, or nothing that can be tried."""
    from kizu_core.models.selection import load_catalog
    from kizu_core.worker.probe import Probe

    newest = plan.findings.sample
    if plan.is_idle or not newest:
        return None
    display.say(f"Trying {plural(len(newest), 'picture')}, the newest, to see how long it takes. Nothing is kept.")
    began = time.monotonic()
    samples = _read(settings, folder, newest)
    reading = (time.monotonic() - began) / len(newest)
    if not samples:
        return None
    probe = Probe(settings, load_catalog(settings), plan.offers, limit_s=LIMIT_S)
    probed = probe.run(samples, lambda done, total: display.count("trying pictures", done, total))
    return _scaled(plan, probed, len(samples), reading)


def _read(settings: Settings, folder: Path, files: Sequence[FileSeen]) -> list[Sample]:
    """The facts in their headers, read where that can do no harm; those that can't be read are left out."""
    from kizu_core.database.paths import text_to_path
    from kizu_core.library.plan import needs_web_version
    from kizu_core.library.readers import Readers
    from kizu_core.worker.probe import Sample

    with Readers(folder, settings.thread_count) as readers:
        return [
            Sample(path=folder / text_to_path(file.path), columns=columns, web=needs_web_version(columns))
            for file, answer in readers.read(files)
            if (columns := answer.get("asset")) is not None
        ]


def _scaled(plan: Plan, probed: Probed, pictures: int, reading: float) -> Forecast:
    each = dict(probed.seconds)
    stages = {name: each[name] * plan.photos(name) for name in each}
    lanes = [sum(stages.get(name, 0.0) for name in lane) for lane in probed.lanes]
    whole = reading * len(plan.findings.todo)
    return Forecast(pictures=pictures, reading=whole, each=each, stages=stages, total=whole + max(lanes, default=0.0))


def _conclusion(plan: Plan, forecast: Forecast | None) -> Iterator[str]:
    found = plan.findings
    if forecast is not None:
        yield from _times(plan, forecast)
    elif plan.is_idle:
        yield "There is nothing to do on any photo."
    else:
        yield "How long it takes can't be told: no picture here could be read."
    if "video" in found.types:
        yield video_line(found.types["video"][0])
    if found.types:
        yield from gap_lines(plan.gaps)
    yield "This was a dry run: nothing was changed."


def _times(plan: Plan, forecast: Forecast) -> Iterator[str]:
    yield f"Time, going by {plural(forecast.pictures, 'picture')}:"
    yield f"  {'reading files':<18} {duration(forecast.reading)}"
    for offer in in_order(plan.offers):
        name = offer.entry
        title = STAGES.get(name, name)
        if name not in forecast.stages:
            yield f"  {title:<18} not known: no picture was done in {duration(LIMIT_S)}"
            continue
        photos = plural(plan.photos(name), "photo")
        yield f"  {title:<18} {duration(forecast.stages[name])} ({photos}, {forecast.each[name]:.2f} s each)"
    both = "optimize" in forecast.stages and len(forecast.stages) > 1
    beside = "; thumbnails are made beside the rest" if both else ""
    yield f"  {'all':<18} {duration(forecast.total)}{beside}"
