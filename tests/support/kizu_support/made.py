"""Made-up libraries with known truth, by the generator in the shared folder: what scores are measured on.

Seeds follow from the commit, so that nothing can be tuned to one of them. What a program under test may see is in
`Made.assets` and `photos_of`; `Made.truth` is for scoring alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from kizu_core.library import places
from kizu_core.types import Photo
from kizu_support.distributions import ROOT
from kizu_support.weights.cache import cache_folder, cached, version_of

SHARED = ROOT.parent / "shared"
"""Where the generator is, for programs that have no fixture."""

Row = dict[str, Any]


def seeds(count: int = 5) -> list[int]:
    """Numbers that follow from the commit that is checked out: the same for everybody who measures it."""
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    commit = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return [int(hashlib.sha256(f"{commit} {number}".encode()).hexdigest()[:8], 16) for number in range(count)]


@dataclass(frozen=True)
class Made:
    """One made-up library of `n` assets, in `folder`; what is read is kept."""

    folder: Path
    n: int
    seed: int

    @cached_property
    def assets(self) -> list[Row]:
        """What the program may see of each asset, in the order of upload."""
        return _rows(self.folder / "assets.jsonl")

    @cached_property
    def truth(self) -> dict[UUID, Row]:
        """For scoring only: asset -> its trip, event, people, true place and time."""
        rows = _rows(self.folder / "assets.jsonl.truth.jsonl")
        return {asset_uuid(row["id"]): row for row in rows}

    @cached_property
    def summary(self) -> Row:
        """Trips, people, places and counts of the whole library."""
        found: Row = json.loads((self.folder / "summary.json").read_text())
        return found

    @cached_property
    def queries(self) -> list[Row]:
        """Questions with the filter that each means and the ids (as the generator has them) that answer it."""
        return _rows(self.folder / "queries.jsonl")

    @cached_property
    def names(self) -> dict[str, str]:
        """Person of the truth -> name."""
        return {one["id"]: one["name"] for one in self.summary["people"]}

    @cached_property
    def places(self) -> list[Row | None]:
        """City, county, state and country by the offline gazetteer for each asset, None where it has no position."""
        return [json.loads(line) for line in (self.folder / "places.jsonl").read_text().splitlines()]

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """(n, 512), a unit vector an asset; only if asked for."""
        return np.asarray(np.load(self.folder / "made.clip.npy"), np.float32)

    @cached_property
    def face_vectors(self) -> NDArray[np.float32]:
        """(faces, 512), a unit vector a row of `faces`; only if asked for."""
        return np.asarray(np.load(self.folder / "made.faces.npy"), np.float32)

    @cached_property
    def faces(self) -> list[Row]:
        """Asset, person and box (left, top, width, height, relative) of each face; only if asked for."""
        return _rows(self.folder / "made.faces.jsonl")


def made(n: int, seed: int, shared: Path, *, queries: int = 0, vectors: bool = False, years: int = 12) -> Made:
    """A made-up library, generated once for all processes of this machine. `shared`: the folder beside the checkout."""
    generator = shared / "tools" / "make_library.py"
    options = ["--n", str(n), "--seed", str(seed), "--years", str(years)]

    def build(folder: Path) -> None:
        _forget_old()
        wanted = ["--out", "assets.jsonl", "--split-truth", "--summary", "summary.json"]
        wanted += ["--queries", str(queries), "--queries-out", "queries.jsonl"] if queries else []
        wanted += ["--vectors", "made"] if vectors else []
        command = [sys.executable, str(generator), *options, *wanted]
        subprocess.run(command, check=True, cwd=folder, capture_output=True)
        _write_places(folder)

    recipe = [generator.read_text(), *options, str(queries), str(vectors)]
    version = "\n".join([*recipe, version_of(places, _write_places, libraries=("numpy", "reverse-geocode"))])
    return Made(cached("made", version, build), n, seed)


def asset_uuid(asset: str) -> UUID:
    """The id of an asset, from the generator's shorter one."""
    return UUID(int=int(asset, 16))


def photos_of(made: Made) -> list[Photo]:
    """The library as moment strategies see it, as if every face had been named and every object recognised.

    Time is what the camera wrote, wrong clocks included; a picture without one has its file's, untrusted. Names of
    places are the gazetteer's for the position in the file.
    """
    return [
        _photo(row, place, made.truth[asset_uuid(row["id"])], made.names)
        for row, place in zip(made.assets, made.places, strict=True)
    ]


def _photo(row: Row, place: Row | None, truth: Row, names: dict[str, str]) -> Photo:
    taken = datetime.fromisoformat(row["taken_at"] or row["mtime"]).replace(tzinfo=None)
    return Photo(
        asset_id=asset_uuid(row["id"]),
        taken=taken,
        trusted=row["taken_at"] is not None,
        latitude=row["lat"],
        longitude=row["lon"],
        people=tuple(names[person] for person in truth["people"]),
        labels=tuple(truth["labels"]),
        kind=row["kind"],
        **(place or {}),
    )


def _write_places(folder: Path) -> None:
    """The gazetteer takes a second and much memory to load: it is asked once, where the library is made."""
    spots = [(row["lat"], row["lon"]) for row in _rows(folder / "assets.jsonl")]
    with (folder / "places.jsonl").open("w", encoding="utf-8") as file:
        for spot, names in zip(spots, places.names_of(spots), strict=True):
            known = {name: getattr(names, name) for name in ("city", "county", "state", "country")}
            file.write(json.dumps(None if None in spot else known) + "\n")


def _forget_old() -> None:
    """Each commit has seeds of its own, and a library takes up to a gigabyte: those of three days ago are dropped."""
    for folder in cache_folder().glob("made-*"):
        if time.time() - folder.stat().st_mtime > 3 * 86400:
            shutil.rmtree(folder, ignore_errors=True)


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
