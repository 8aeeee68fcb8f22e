"""How large the model process of a worker is, over many jobs.

    python benchmarks/worker_memory.py [--jobs 2000] [--plugin histogram] [--set NAME=VALUE ...] [--json]

Generated 24-MP JPEGs through the real worker. Its child's resident memory is looked at ten times a second; after a
warm-up of a tenth of the jobs, the mean of the last fifth is held to at most 10 % above that of the first. Means, for
between two looks a picture may be decoded or none; the peak is told beside them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
from typing import Any

import psutil
from worker_photos import Site, site

from kizu_core.worker.events import Event, JobDone

GOAL = 1.10
LOOK_S = 0.1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--plugin", default="histogram")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the plugin")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with site(chosen.jobs, 24, (chosen.plugin,), dict(one.split("=", 1) for one in chosen.set)) as place:
        found = measure(place)
    print(json.dumps(found, indent=2) if chosen.json else _told(found))
    return 0


def measure(place: Site) -> dict[str, Any]:
    """Runs the worker to its end and judges what was seen meanwhile."""
    samples: list[tuple[int, float]] = []  # jobs done, MiB
    done, over = [0], threading.Event()

    def note(event: Event) -> None:
        done[0] += isinstance(event, JobDone)

    def look() -> None:
        here = psutil.Process()
        while not over.wait(LOOK_S):
            samples.extend((done[0], size) for size in _sizes(here))

    thread = threading.Thread(target=look)
    thread.start()
    summary = place.worker().run(note)
    over.set()
    thread.join()
    return {**_judged(samples, done[0]), "restarts": summary.restarts}


def _sizes(here: psutil.Process) -> list[float]:
    found = []
    for one in here.children():
        try:
            if "kizu_core.worker.child" in " ".join(one.cmdline()):
                found.append(one.memory_info().rss / 2**20)
        except psutil.Error:
            continue
    return found


def _judged(samples: list[tuple[int, float]], jobs: int) -> dict[str, Any]:
    fifths = [
        [size for done, size in samples if jobs * (0.1 + 0.18 * n) <= done < jobs * (0.28 + 0.18 * n)] for n in range(5)
    ]
    means = [statistics.fmean(part) for part in fifths]
    return {
        "jobs": jobs,
        "means_mb": means,
        "peak_mb": max(size for _, size in samples),
        "growth": means[-1] / means[0],
    }


def _told(found: dict[str, Any]) -> str:
    means = ", ".join(f"{mean:.0f}" for mean in found["means_mb"])
    verdict = "flat" if found["growth"] <= GOAL else "growing"
    return (
        f"{found['jobs']} jobs: {means} MB on average in each fifth after the warm-up, {found['peak_mb']:.0f} at most, "
        f"{found['restarts']} restarts; x{found['growth']:.3f}, {verdict}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
