"""How well searches by words find the photos that the tiny CLIP was made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from kizu_support.weights.shapes import CLASSES, caption, shape_photo


def save_shape_photos(folder: Path, each: int) -> Path:
    """`red-circle-0.jpg`, ...: photos of every class that no training saw."""
    folder.mkdir(parents=True, exist_ok=True)
    for colour, shape in CLASSES:
        for number in range(each):
            shape_photo(colour, shape, seed=1000 + number).save(folder / f"{colour}-{shape}-{number}.jpg", quality=92)
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """Over one query a class. `first`: queries whose first hit is right; `at_k`: right ones among the first k hits,
    where k photos of a class exist; `shown`: right ones among all hits; `found`: photos of the class among all hits.
    """

    first: float
    at_k: float
    shown: float
    found: float


def measure(search: Callable[[str], Mapping[str, Any]], each: int) -> Retrieval:
    """Asks for each class. `search` gives a page as `Library.search` does; `each`: photos of a class."""
    right = []
    for colour, shape in CLASSES:
        names = [Path(hit["path"]).name for hit in search(caption(colour, shape))["hits"]]
        right.append([name.startswith(f"{colour}-{shape}-") for name in names])
    return Retrieval(
        first=mean(bool(hits[:1] and hits[0]) for hits in right),
        at_k=mean(sum(hits[:each]) / each for hits in right),
        shown=mean(sum(hits) / max(len(hits), 1) for hits in right),
        found=mean(sum(hits) / each for hits in right),
    )
