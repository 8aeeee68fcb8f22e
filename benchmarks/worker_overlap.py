"""Photos a second of a whole worker with two threads, beside what each of its stages costs alone.

    python benchmarks/worker_overlap.py [--photos 200] [--plugin histogram] [--set NAME=VALUE ...] [--json]

Generated 12-MP JPEGs, from waiting jobs to stored embeddings. If stages overlap, the slowest of them tells how long all
take: the worker is held to 0.85 of 1 / (CPU seconds a photo of that stage). The child decodes and infers, the parent
claims, looks for files and stores; the seconds of decoding and inference alone are taken in this process, with the
model that the worker uses, at the same number of threads. The first claims, in which the model is loaded, do not count.

It is wall time that is compared, so run it on a machine with nothing else to do; `cores busy` tells whether it was.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from worker_photos import Site, site

from kizu_core.models.registry import ModelRegistry
from kizu_core.models.selection import load_catalog
from kizu_core.pipeline.decoding import Wanted, decode_alone
from kizu_core.types import ModelType, Picture
from kizu_core.worker.events import Event, JobDone

GOAL = 0.85
WARM_UP = 16
BATCH = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--plugin", default="histogram")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the plugin")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    environ = dict(one.split("=", 1) for one in chosen.set)
    with site(chosen.photos + WARM_UP, 12, (chosen.plugin,), environ) as place:
        found = measure(place)
    print(json.dumps(found, indent=2) if chosen.json else _told(found))
    return 0


def measure(place: Site) -> dict[str, Any]:
    """The worker, then its stages alone."""
    whole = _whole(place)
    stages = _stages(place)
    stages["claim, find and store (parent)"] = whole.pop("parent_cpu_s")
    slowest = max(stages, key=lambda name: stages[name])
    return {**whole, "stages_cpu_s": stages, "slowest": slowest, "ratio": whole["photos_per_s"] * stages[slowest]}


def _whole(place: Site) -> dict[str, Any]:
    done: list[tuple[float, float, float]] = []
    here = psutil.Process()

    def note(event: Event) -> None:
        if isinstance(event, JobDone):
            done.append((time.monotonic(), time.process_time(), _children_cpu(here)))

    place.worker().run(note)
    (since, parent, child), (until, parent_end, child_end) = done[WARM_UP - 1], done[-1]
    count, wall = len(done) - WARM_UP, until - since
    return {
        "photos": count,
        "photos_per_s": count / wall,
        "parent_cpu_s": (parent_end - parent) / count,
        "child_cpu_s": (child_end - child) / count,
        "cores_busy": (parent_end - parent + child_end - child) / wall,
    }


def _children_cpu(here: psutil.Process) -> float:
    """Of the model processes, of which the worker has one."""
    times = [one.cpu_times() for one in here.children() if "kizu_core.worker.child" in " ".join(one.cmdline())]
    return float(sum(one.user + one.system for one in times))


def _stages(place: Site) -> dict[str, float]:
    """CPU seconds a photo of decoding and of inference, with nothing beside them."""
    catalog = load_catalog(place.settings)
    ModelRegistry.configure(catalog, place.settings)
    spec, model = ModelRegistry.spec(ModelType.EMBEDDER), ModelRegistry.get(ModelType.EMBEDDER)
    photos = place.photos[: 2 * BATCH]
    pictures: list[Picture] = []

    def decode() -> None:
        pictures[:] = [_decoded(photo, place.settings.max_image_size, spec.min_side) for photo in photos]

    def infer() -> None:
        for start in range(0, len(pictures), BATCH):
            model.embed_images(pictures[start : start + BATCH])

    for first in (decode, infer):  # imports, and what models do at their first call
        first()
    return {"decode": _cpu(decode) / len(photos), "infer": _cpu(infer) / len(photos)}


def _decoded(photo: Path, max_side: int, min_side: int | None) -> Picture:
    return decode_alone(Wanted(path=photo, max_side=max_side, min_side=min_side, orientation=None)).picture


def _cpu(work: Callable[[], object], rounds: int = 3) -> float:
    """The least of some rounds: whatever else runs only ever adds."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def _told(found: dict[str, Any]) -> str:
    lines = [f"{found['photos']} photos, {found['photos_per_s']:.2f} a second; cores busy: {found['cores_busy']:.2f}"]
    lines += [
        f"  {name:<32} {1000 * seconds:7.1f} ms of CPU a photo" for name, seconds in found["stages_cpu_s"].items()
    ]
    lines.append(f"  {'child in all':<32} {1000 * found['child_cpu_s']:7.1f} ms of CPU a photo")
    verdict = "reached" if found["ratio"] >= GOAL else "missed"
    lines.append(f"x{found['ratio']:.2f} of what the slowest stage ({found['slowest']}) allows; {GOAL} is {verdict}")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
