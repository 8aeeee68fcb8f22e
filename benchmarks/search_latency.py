"""How long a search takes in the database, beside numpy over the same vectors in memory.

    PYTHONPATH=tests/support python benchmarks/search_latency.py [--sizes 10000 100000 300000] [--rounds 15] [--json]

One user for each size, in one embedded server with Kizu's own settings; made-up photos with words, captions, objects,
faces and places. Asked as `authenticated` with claims, 20 hits with their reasons, call and answer included. The peer
is `matrix @ query` and the best 20 of it, float32, all vectors of that user in memory: no rows are read, nothing is
filtered, nobody's rights are checked. Both take turns in the same run; medians, and the ratio of `looks` to numpy.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from kizu_support.filled import SPACE, Filled
from kizu_support.made import SHARED, made, seeds
from kizu_support.searching import Server, server

LABELS = ["beach", "dinner", "snow", "street", "candles"]
SUMMER = {"dates": [["2019-06-01", "2019-09-01"]]}


def ways(filled: Filled) -> dict[str, Callable[[str], tuple[dict[str, Any], dict[str, Any]]]]:
    """What is measured: a label -> query and options of `Database.search`."""

    def looks(label: str) -> dict[str, Any]:
        return {"vector": filled.embed(label).tolist(), "space": SPACE}

    person = {"people": [[str(filled.person("p02"))]]}
    return {
        "looks": lambda label: ({}, looks(label)),
        "words and looks": lambda label: ({"text": label, "labels": [label]}, looks(label)),
        "words": lambda label: ({"text": label}, {}),
        "a summer, looks": lambda label: (SUMMER, looks(label)),
        "a person, words and looks": lambda label: ({"text": label, **person}, looks(label)),
        "a country, looks": lambda label: ({"places": [["germany"]]}, looks(label)),
    }


def measure_user(at: Server, filled: Filled, rounds: int) -> dict[str, float]:
    """Way -> median milliseconds."""
    matrix = np.ascontiguousarray(filled.made.vectors, np.float32)
    times: dict[str, list[float]] = {}
    for number in range(-2, rounds):  # two rounds to warm up
        label = LABELS[number % len(LABELS)]
        for name, way in ways(filled).items():
            query, options = way(label)
            started = time.perf_counter()
            at.api.search(filled.user, query, 20, **options)
            times.setdefault(name, []).append(time.perf_counter() - started)
        aim = filled.embed(label)
        started = time.perf_counter()
        likeness = matrix @ aim
        best = np.argpartition(-likeness, 20)[:20]
        best[np.argsort(-likeness[best])]
        times.setdefault("numpy", []).append(time.perf_counter() - started)
    return {name: 1000 * median(values[2:]) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 300_000])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with server() as at:
        users = [at.fill(made(size, seeds()[0], SHARED, vectors=True), f"{size}") for size in options.sizes]
        found = {len(one.assets): measure_user(at, one, options.rounds) for one in users}
    if options.json:
        print(json.dumps(found))
        return
    for size, row in found.items():
        print(f"{size} photos: looks {row['looks'] / row['numpy']:.1f} times numpy")
        print("\n".join(f"  {name:28}{value:9.1f} ms" for name, value in row.items()))


if __name__ == "__main__":
    main()
