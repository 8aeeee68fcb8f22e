"""What moments cost, and whether they are the right ones: made-up libraries, five seeds of this commit, the worst told.

    PYTHONPATH=tests/support python benchmarks/moments.py [cost] [clustering] [quality] [--n 100000] [--json]

`cost`: all strategies on a library of `--n` photos, in a process of its own that holds the photos and nothing else.

`clustering`: our exact DBSCAN (5 km, 4 points) beside scikit-learn's, with its ball tree, on as many located points as
scikit-learn can hold, with the adjusted Rand index of the two (1: the same clusters); then ours alone on a million
points: those of a library repeated, each some hundred metres off, and others scattered so thinly that clusters just
begin to join. scikit-learn's memory grows with the pairs: it is not asked for more.

`quality`, by the truth that only this program sees. Trips: of those with four or more photos with a position, the share
that has a location moment of which 0.8 are photos of that trip. Mistaken: the share of location moments without 0.8
photos of one trip (home, or two trips mixed). Events of the last 90 days, of which at most five are proposed: the share
of the proposed whose photos are to 0.8 of one true event (`pure`), and the share of as many largest true events
(by shots as the plugin's README defines them: what was taken within three seconds counts once) that have such a moment
(`largest_found`). The generator lets a family be at two events at a time; true events that overlap in time within a
kilometre count as one, and `pure_strictly` is without that. Five events a seed are few: besides the worst seed there is
the mean of all.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from pkgutil import resolve_name
from statistics import mean
from typing import Any
from uuid import UUID

import numpy as np

from kizu_core import MomentCandidate, Photo
from kizu_core.moments.proposals import Proposal
from kizu_plugin_moments import events, location, trips
from kizu_plugin_moments.dbscan import dbscan
from kizu_plugin_moments.plugin import kizu_moment_strategies
from kizu_plugin_moments.sphere import EARTH_KM, far, points_of
from kizu_plugin_moments.table import BURST_SECONDS, seconds_of
from kizu_support.made import SHARED, Made, Row, made, photos_of, seeds

NOW = datetime.fromisoformat("2026-01-01T09:00")
"""The made-up lives end the evening before."""

STRATEGIES: dict[str, Callable[[object], Any]] = {
    spec.name: resolve_name(spec.factory) for spec in kizu_moment_strategies()
}
PURE = 0.8
PEER_POINTS, MANY_POINTS = 20_000, 1_000_000
KM, LEAST = trips.PLACE_KM, trips.PLACE_SHOTS

Degrees = np.ndarray[Any, np.dtype[np.float64]]


def alone(work: Callable[..., Row], *arguments: Any) -> Row:
    """What a function gives in a fresh process, with its CPU seconds and peak memory (all of the process, MB)."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, *arguments))


def _measured(work: Callable[..., Row], *arguments: Any) -> Row:
    before, started, used = peak_mb(), time.perf_counter(), cpu_seconds()
    found = work(*arguments)
    spent = {"seconds": round(time.perf_counter() - started, 2), "cpu_seconds": round(cpu_seconds() - used, 2)}
    return {**found, **spent, "peak_mb": peak_mb(), "peak_mb_before": before}


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_mb() -> int:
    """Of this program alone: `ru_maxrss` would count the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def all_strategies(photos: Sequence[Photo]) -> Row:
    """How many moments each proposes."""
    return {"proposed": {name: len(build(None).propose(photos, now=NOW)) for name, build in STRATEGIES.items()}}


def cost(n: int) -> Iterator[Row]:
    yield {"what": "all strategies", "photos": n, **alone(all_strategies, photos_of(made(n, seeds()[0], SHARED)))}


def ours(latitudes: Degrees, longitudes: Degrees) -> Row:
    return {"labels": dbscan(points_of(latitudes, longitudes), KM, LEAST)}


def theirs(latitudes: Degrees, longitudes: Degrees) -> Row:
    from sklearn.cluster import DBSCAN

    model = DBSCAN(eps=KM / EARTH_KM, min_samples=LEAST, metric="haversine", algorithm="ball_tree")
    return {"labels": model.fit_predict(np.radians(np.stack([latitudes, longitudes], axis=1)))}


def located(library: Made) -> tuple[Degrees, Degrees]:
    spots = np.array([(row["lat"], row["lon"]) for row in library.assets if row["lat"]], np.float64)
    return spots[:, 0], spots[:, 1]


def repeated(latitudes: Degrees, longitudes: Degrees, count: int) -> tuple[Degrees, Degrees]:
    """Each point many times, some hundred metres off."""
    drawn = np.random.default_rng(1)
    which = drawn.integers(0, len(latitudes), count)
    north, east = drawn.normal(0, 0.3 / 111.195, (2, count))
    shifted = longitudes[which] + east / np.cos(np.radians(latitudes[which]))
    return np.clip(latitudes[which] + north, -90, 90), (shifted + 180) % 360 - 180


def thin(count: int) -> tuple[Degrees, Degrees]:
    """Evenly over a land of such a size that a point has 4.5 others within 5 km."""
    drawn = np.random.default_rng(2)
    side = np.sqrt(count * np.pi * KM**2 / 4.5) / EARTH_KM
    north = np.arcsin(np.clip(drawn.uniform(0, side, count), -1, 1))
    return np.degrees(north), np.degrees(drawn.uniform(0, side, count))


def clustering(n: int) -> Iterator[Row]:
    from sklearn.metrics import adjusted_rand_score

    for seed in seeds():
        spots = located(made(n, seed, SHARED))
        some = np.random.default_rng(seed).permutation(len(spots[0]))[:PEER_POINTS]
        sample = spots[0][some], spots[1][some]
        both = {"ours": alone(ours, *sample), "scikit-learn": alone(theirs, *sample)}
        labels = [one.pop("labels") for one in both.values()]
        for name, one in both.items():
            yield {"what": f"DBSCAN, {name}", "points": len(some), "seed": seed, **one}
        ratio = both["scikit-learn"]["cpu_seconds"] / both["ours"]["cpu_seconds"]
        yield {"what": "DBSCAN, the two", "rand_index": adjusted_rand_score(*labels), "times_faster": round(ratio, 1)}
    for shape, points in {"repeated": repeated(*spots, MANY_POINTS), "thin": thin(MANY_POINTS)}.items():
        many = alone(ours, *points)
        clusters = int(many.pop("labels").max()) + 1
        yield {"what": f"DBSCAN, ours, {shape}", "points": MANY_POINTS, "clusters": clusters, **many}


def share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 1.0


def main_part(moment: MomentCandidate | Proposal, of: dict[UUID, str | None]) -> str | None:
    """The trip or event that enough of a moment's photos are of."""
    counted = Counter(of[asset] for asset in moment.asset_ids)
    name, photos = counted.most_common(1)[0]
    return name if photos >= PURE * len(moment.asset_ids) else None


def trips_scored(library: Made, photos: Sequence[Photo]) -> Row:
    trip = {asset: truth["trip"] for asset, truth in library.truth.items()}
    known = [one.asset_id for one in photos if library.truth[one.asset_id]["gps_state"] in ("ok", "noisy")]
    wanted = {name for name, count in Counter(trip[asset] for asset in known).items() if name and count >= LEAST}
    found = [main_part(one, trip) for one in location.build(None).propose(photos, now=NOW)]
    return {
        "true_trips": len(wanted),
        "trips_found": share(len(wanted.intersection(found)), len(wanted)),
        "location_moments": len(found),
        "mistaken": share(found.count(None), len(found)),
    }


def told_apart(truths: Sequence[Row]) -> dict[str, str]:
    """Event -> its name, which it shares with those that overlap it in time within a kilometre."""
    rows: dict[str, list[Row]] = {}
    for one in truths:
        rows.setdefault(one["event"], []).append(one)
    spans = {name: (min(one["local"] for one in of), max(one["local"] for one in of)) for name, of in rows.items()}
    spots = {name: np.median([(one["lat"], one["lon"]) for one in of], axis=0) for name, of in rows.items()}
    names: dict[str, str] = {}
    for name in sorted(rows, key=lambda one: spans[one]):
        points = points_of(*np.array([spots[name], *(spots[other] for other in names)]).T)
        near = far(points[1:], points[0]) <= 1
        same = [
            names[other]
            for other, is_near in zip(names, near, strict=True)
            if is_near and spans[other][1] >= spans[name][0]
        ]
        names[name] = same[0] if same else name
    return names


def shots_of(taken: Iterable[tuple[str, str]]) -> Counter[str]:
    """Event -> its shots, as the plugin's README counts them, from (event, true local time) of its photos."""
    times: dict[str, list[float]] = {}
    for name, local in taken:
        times.setdefault(name, []).append(seconds_of(datetime.fromisoformat(local)))
    return Counter({name: 1 + int((np.diff(sorted(of)) > BURST_SECONDS).sum()) for name, of in times.items()})


def events_scored(library: Made, moments: Sequence[MomentCandidate | Proposal]) -> Row:
    """`moments`: those of events alone."""
    since = (NOW - timedelta(days=90)).isoformat()
    recent = [one for one in library.truth.values() if one["event"] and one["local"] >= since]
    strict = {asset: truth["event"] for asset, truth in library.truth.items()}
    names = told_apart(recent)
    event = {asset: names.get(name, name) for asset, name in strict.items()}
    found = [main_part(one, event) for one in moments]
    sizes = shots_of((names[one["event"]], one["local"]) for one in recent)
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))[: len(found)]
    return {
        "events": len(found),
        "pure": share(len(found) - found.count(None), len(found)),
        "pure_strictly": share(sum(main_part(one, strict) is not None for one in moments), len(found)),
        "largest_found": share(len(set(largest).intersection(found)), len(largest)),
    }


def quality(n: int) -> Iterator[Row]:
    rows = []
    for seed in seeds():
        library = made(n, seed, SHARED)
        photos = photos_of(library)
        rows.append(
            {**trips_scored(library, photos), **events_scored(library, events.build(None).propose(photos, now=NOW))}
        )
        yield {"what": "quality", "photos": n, "seed": seed, **rows[-1]}
    good = ("trips_found", "pure", "pure_strictly", "largest_found")
    worst = {name: min(row[name] for row in rows) for name in good}
    yield {"what": "quality, the worst", "photos": n, **worst, "mistaken": max(row["mistaken"] for row in rows)}
    yield {
        "what": "quality, on average",
        "photos": n,
        **{name: round(mean(row[name] for row in rows), 3) for name in good},
    }


PARTS = {"cost": cost, "clustering": clustering, "quality": quality}


def tell(parts: Mapping[str, Callable[[int], Iterator[Row]]], about: str | None) -> None:
    """The parts that are named on the command line, a line or a JSON object for each row."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*parts, []], help="all, if none is named")
    parser.add_argument("--n", type=int, default=100_000, help="photos of a library")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    for part in arguments.parts or parts:
        for row in parts[part](arguments.n):
            if arguments.json:
                print(json.dumps(row), flush=True)
            else:
                what = row.pop("what")
                print(f"{what}: {', '.join(f'{name} {value}' for name, value in row.items())}", flush=True)


if __name__ == "__main__":
    tell(PARTS, __doc__)
