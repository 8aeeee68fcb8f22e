"""Whether the fused ranking is better than each kind of evidence alone.

    PYTHONPATH=tests/support python benchmarks/search_ranking.py [--photos 5000] [--queries 100] [--json]

Made-up libraries, five seeds that follow from the commit. Every question is understood by Kizu's own grammar with the
user's own names, then asked as that user: with all evidence, and with the same filters and one kind of evidence alone.
nDCG@10 against the truth; the worst seed is what counts. Models are made up too, with flaws (`kizu_support.filled`), so
the figures say how evidence is put together, and nothing about a real model.

- `fused`: words, objects and looks
- `words`, `objects`, `looks`: one of them, same filters; for a question that is all filters, the same list
- `looks, no filters`: the vector of the whole line and nothing else
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import date
from statistics import mean
from typing import Any

from kizu_core.search import Vocabulary, parse
from kizu_support.filled import SPACE, Filled
from kizu_support.made import SHARED, made, seeds
from kizu_support.searching import Server, hits, ndcg, server

TODAY = date(2025, 12, 31)
"""The last day of the made-up lives."""

WAYS = ("fused", "words", "objects", "looks", "looks, no filters")


def asked(filled: Filled, line: str, vocabulary: Vocabulary) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Way -> query and options of `Database.search`."""
    understood = parse(line, vocabulary, TODAY)
    query = understood.as_json()
    vector = {"vector": filled.embed(understood.text).tolist(), "space": SPACE} if understood.text else {}
    whole = {"vector": filled.embed(line).tolist(), "space": SPACE}
    return {
        "fused": (query, vector),
        "words": (query | {"labels": []}, {}),
        "objects": (query | {"text": ""}, {}),
        "looks": (query | {"text": "", "labels": []}, vector),
        "looks, no filters": ({}, whole),
    }


def scores(at: Server, filled: Filled) -> dict[str, float]:
    """Way -> mean nDCG@10 over all questions."""
    vocabulary = Vocabulary.of(at.api.vocabulary(filled.user))
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for question in filled.made.queries:
        if question["relevant_count"] > len(question["relevant"]):
            continue  # the truth keeps 2000 at most
        relevant = {filled.asset(one) for one in question["relevant"]}
        for way, (query, options) in asked(filled, question["query"], vocabulary).items():
            found[way].append(ndcg(hits(at.api, filled.user, query, 10, **options), relevant))
    return {way: mean(values) for way, values in found.items()}


def measure(photos: int, queries: int) -> dict[int, dict[str, float]]:
    with server() as at:
        return {
            seed: scores(at, at.fill(made(photos, seed, SHARED, queries=queries, vectors=True), f"seed {seed}"))
            for seed in seeds()
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.photos, options.queries)
    worst = min(one["fused"] - max(one[way] for way in WAYS[1:]) for one in found.values())
    if options.json:
        print(json.dumps({"ndcg_at_10": found, "worst_margin": worst}))
    else:
        _print(found, worst)


def _print(found: Mapping[int, Mapping[str, float]], worst: float) -> None:
    print(f"{'nDCG@10, seed':16}" + "".join(f"{way:>20}" for way in WAYS))
    for seed, row in found.items():
        print(f"{seed:<16}" + "".join(f"{row[way]:>20.3f}" for way in WAYS))
    print(f"fused less the best single one, worst seed: {worst:+.3f}")


if __name__ == "__main__":
    main()
