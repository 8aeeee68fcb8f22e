"""How well, how fast and in how much memory faces become people, beside HDBSCAN and the specification's own rule.

    PYTHONPATH=tests/support python benchmarks/faces.py [--sizes 5000 20000 100000] [--peers 5000] [--json]

The faces are made up (`kizu_support.faces`), with known truth: a library of each size for each seed, five of which
follow from the commit, so that nothing can be tuned to one. The worst of them is what counts. Peers take the smaller
sizes only: they compare each face with each other one. Each measurement has a process of its own, which reads its faces
from a file first: memory is what comes on top of that, libraries included. It needs Linux for that figure.

- `kizu`: the ClusteringService with its default, the leader method
- `hdbscan`: the library of that name, as `kizu_plugin_hdbscan` calls it; groups of at least 4
- `rule, cosine`: the specification read literally: HDBSCAN on the half that came first, then each new face joins the
  person whose mean face is nearest, if the cosine similarity is at least 0.6
- `rule, distance`: the same where the cosine *distance* is at most 0.6, as Kizu reads FACE_THRESHOLD
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import numpy as np

from kizu_support.faces import Faces, b_cubed, broken_links, made_faces, pair_f1
from kizu_support.made import seeds

Found = Sequence[int | None]
LEAST = 4
THRESHOLD = 0.6
WORSE = {"b_cubed": min, "pair_f1": min, "cpu_s": max, "mb": max, "broken": max}


def by_kizu(faces: Faces) -> Found:
    from kizu_core.people.leader import LeaderClusterer
    from kizu_core.people.service import ClusteringService
    from kizu_core.testing.library import GivenLibrary, face_table

    table = face_table(
        [UUID(int=number) for number in range(len(faces))], cast("Any", faces.photos), cast("Any", faces.vectors)
    )
    grouping = ClusteringService(LeaderClusterer()).group(table, GivenLibrary().people())
    found: list[int | None] = [None] * len(faces)
    for number, rows in enumerate(grouping.persons.values()):
        for row in rows:
            found[row] = number
    return found


def by_hdbscan(faces: Faces) -> Found:
    from hdbscan import HDBSCAN

    labels = HDBSCAN(min_cluster_size=LEAST, core_dist_n_jobs=1).fit_predict(faces.vectors)
    return [None if label < 0 else int(label) for label in labels]


def by_rule(least_similarity: float) -> Callable[[Faces], Found]:
    def rule(faces: Faces) -> Found:
        half = len(faces) // 2
        known = list(by_hdbscan(Faces(faces.vectors[:half], faces.people[:half], faces.photos[:half])))
        labels = np.array([-1 if one is None else one for one in known])
        means = np.stack([faces.vectors[:half][labels == one].mean(axis=0) for one in range(labels.max() + 1)])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        similarity = faces.vectors[half:] @ means.T
        near = similarity.max(axis=1) >= least_similarity
        return known + [int(one) if ok else None for one, ok in zip(similarity.argmax(axis=1), near, strict=True)]

    return rule


METHODS: dict[str, Callable[[Faces], Found]] = {
    "kizu": by_kizu,
    "hdbscan": by_hdbscan,
    "rule, cosine": by_rule(THRESHOLD),
    "rule, distance": by_rule(1 - THRESHOLD),
}


def measure(method: str, folder: Path) -> dict[str, Any]:
    """One method on the faces in a folder, in this process."""
    faces = Faces(*(np.load(folder / f"{name}.npy") for name in ("vectors", "people", "photos")))
    before, started = _peak_mb(), time.process_time()
    found = METHODS[method](faces)
    cpu_s, mb = time.process_time() - started, _peak_mb() - before
    return {
        "b_cubed": b_cubed(faces.people, found),
        "pair_f1": pair_f1(faces.people, found),
        "cpu_s": cpu_s,
        "mb": mb,
        "broken": broken_links(faces.photos, found),
    }


def measure_apart(method: str, folder: Path) -> dict[str, Any]:
    """As `measure`, in a process of its own."""
    command = [sys.executable, __file__, "--one", method, "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compared(size: int, methods: Sequence[str], chosen: Sequence[int]) -> list[dict[str, Any]]:
    """All methods on libraries of one size."""
    rows = []
    for seed in chosen:
        with tempfile.TemporaryDirectory(prefix="kizu-faces-") as folder:
            _write(made_faces(size, seed), Path(folder))
            rows += [{"size": size, "method": one, "seed": seed, **measure_apart(one, Path(folder))} for one in methods]
        for row in rows[-len(methods) :]:
            print(_line(row, f"seed {seed}"), file=sys.stderr, flush=True)
    return rows


def worst(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each size and method the worst of each figure."""
    keys = dict.fromkeys((row["size"], row["method"]) for row in rows)
    found = []
    for size, method in keys:
        some = [row for row in rows if (row["size"], row["method"]) == (size, method)]
        figures = {name: choose(row[name] for row in some) for name, choose in WORSE.items()}
        found.append({"size": size, "method": method, **figures})
    return found


def _write(faces: Faces, folder: Path) -> None:
    for name in ("vectors", "people", "photos"):
        np.save(folder / f"{name}.npy", getattr(faces, name))


def _peak_mb() -> int:
    """The most memory that this process ever took; `ru_maxrss` would start from its parent's."""
    (line,) = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


def _line(row: dict[str, Any], name: str) -> str:
    return (
        f"{row['size']:>7,}  {row['method']:<15} {name:<16} B-cubed F1 {row['b_cubed']:.4f}  "
        f"pair F1 {row['pair_f1']:.4f}  {row['cpu_s']:7.1f} CPU s  {row['mb']:5} MB  {row['broken']} broken"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5_000, 20_000, 100_000], help="faces of a library")
    parser.add_argument("--peers", type=int, default=5_000, help="largest library that the peers are given")
    parser.add_argument("--seeds", type=int, nargs="+", help="default: five that follow from the commit")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--one", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        print(json.dumps(measure(given.one, given.folder)))
        return
    chosen, rows = given.seeds or seeds(), []
    for size in given.sizes:
        rows += compared(size, list(METHODS) if size <= given.peers else ["kizu"], chosen)
    if given.json:
        print(json.dumps({"measured": rows, "worst": worst(rows)}))
    else:
        for row in worst(rows):
            print(_line(row, f"worst of {len(chosen)}"))


if __name__ == "__main__":
    main()
