"""Whether search finds what comparing with every vector finds: recall@20 under every combination of filters.

    PYTHONPATH=tests/support python benchmarks/search_recall.py [--photos 20000] [--queries 5] [--json]

Two users of one database: one owns 99.5 % of the photos, the other 0.5 %. Each asks, as `authenticated` with claims,
for what a few labels look like, under every combination of dates, places, people and type. The truth is computed in
numpy from the vectors as they are stored, over the photos that pass the filters. Search ends its list where nothing
fits any more, so `recall` is over the first 20 of the truth, or as many as the list has; `early` counts lists that
ended before 20 although more photos passed the filters, and it is checked that nothing better was left out of those.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import combinations
from typing import Any
from uuid import UUID

import numpy as np
import psycopg

from kizu_support.filled import SPACE, Filled
from kizu_support.made import SHARED, made, seeds
from kizu_support.searching import Server, hits, server

K = 20
SHARE = 0.005

Row = tuple[Any, ...]


def filters(filled: Filled) -> dict[str, Any]:
    return {
        "dates": [["2018-01-01", "2022-07-01"]],
        "places": [["germany", "italy"]],
        "people": [[str(filled.person("p00")), str(filled.person("p01"))]],
        "type": "image",
    }


def queries(filled: Filled) -> Iterator[dict[str, Any]]:
    every = filters(filled)
    for size in range(len(every) + 1):
        for names in combinations(every, size):
            yield {name: every[name] for name in names}


PASSING = """
select a.id from assets a where a.user_id = %(user)s
  and (%(dates)s::text is null or a.taken_local >= '2018-01-01' and a.taken_local < '2022-07-01')
  and (%(places)s::text is null or a.country in ('Germany', 'Italy'))
  and (%(people)s::text is null or exists (select from face_embeddings f where f.asset_id = a.id
       and f.cluster_id in (%(one)s, %(other)s)))
  and (%(type)s::text is null or a.media_kind = 'image')
"""


def passing(owner: psycopg.Connection[Row], filled: Filled, query: dict[str, Any]) -> set[UUID]:
    """The photos that pass the filters, by plain SQL of another shape than the search's."""
    people = {"one": filled.person("p00"), "other": filled.person("p01")}
    values = {name: "x" if name in query else None for name in ("dates", "places", "people", "type")}
    return {row[0] for row in owner.execute(PASSING, {"user": filled.user, **people, **values}).fetchall()}


def measure_user(at: Server, filled: Filled, labels: list[str]) -> dict[str, Any]:
    stored = filled.made.vectors.astype(np.float16).astype(np.float32)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    assets = filled.assets
    found: dict[str, Any] = {"asked": 0, "worst": 1.0, "early": 0, "left_out": 0}
    with psycopg.connect(at.owner) as owner:
        for query in queries(filled):
            allowed = passing(owner, filled, query)
            rows = [number for number, asset in enumerate(assets) if asset in allowed]
            for label in labels:
                aim = filled.embed(label)
                got = hits(at.api, filled.user, query, K, vector=aim.tolist(), space=SPACE)
                _judge(found, got, [assets[row] for row in rows], stored[rows] @ aim)
    return found


def _judge(found: dict[str, Any], got: list[UUID], assets: list[UUID], likeness: np.ndarray[Any, Any]) -> None:
    """Photos whose likeness differs in the last digits only, such as copies, may change places."""
    order = np.argsort(-likeness)
    length = min(K, len(got))
    by_asset = dict(zip(assets, likeness, strict=True))
    least = likeness[order[length - 1]] - 1e-4 if length else 0.0
    right = sum(by_asset.get(asset, -1.0) >= least for asset in got)
    found["asked"] += 1
    found["worst"] = min(found["worst"], right / length if length else 1.0)
    if length < min(K, len(assets)):
        found["early"] += 1
        lowest = min((by_asset[asset] for asset in got), default=1.0)
        found["left_out"] += int((likeness > lowest + 1e-4).sum() > length)


def measure(photos: int, asked: int) -> dict[str, Any]:
    seed = seeds()[0]
    few = max(100, round(photos * SHARE))
    with server() as at:
        many = at.fill(made(photos - few, seed, SHARED, vectors=True), "many")
        small = at.fill(made(few, seeds()[1], SHARED, vectors=True), "few")
        labels = ["beach", "dinner", "snow", "street", "candles", "mountain", "cat"][:asked]
        return {f"{len(one.assets)} photos": measure_user(at, one, labels) for one in (many, small)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.photos, options.queries)
    if options.json:
        print(json.dumps(found))
        return
    print(f"{'user':>16}{'searches':>10}{'worst recall@20':>18}{'ended early':>13}{'of those wrong':>16}")
    for name, row in found.items():
        print(f"{name:>16}{row['asked']:>10}{row['worst']:>18.3f}{row['early']:>13}{row['left_out']:>16}")


if __name__ == "__main__":
    main()
