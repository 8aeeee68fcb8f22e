"""`kizu search` by what photos show, end to end: the first one, the next ones, and one without a model left loaded.

    PYTHONPATH=tests/support python benchmarks/search_warm.py [--weights tiny|full] [--rounds 5] [--json]

Each round is a command of its own, from the shell's call to its exit, with a running database. `cold`: no process is
left from a search before; `warm`: there is one; `alone`: KIZU_SEARCH_KEEP=0. `words`: the vector alone, inside a
running Python program. `peer` is the code that everybody writes first: a fresh Python that loads the same weights with
open_clip and encodes the words, no database, no search. `--weights full` are ViT-B/32's towers with random numbers: as
large and as slow as the real ones, and they find nothing. Medians; ratios are of the peer in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kizu_core.models.selection import load_catalog
from kizu_core.plugins.specs import EmbedderSpec
from kizu_core.settings import load_settings
from kizu_core.types import ModelType
from kizu_core.worker.warm import WarmTexts, end_keeper
from kizu_support.retrieval import save_shape_photos
from kizu_support.weights import random_clip_towers, tiny_clip

WORDS = "a red circle"
KIZU = str(Path(sys.executable).with_name("kizu"))
PEER = """
import json, sys, open_clip, torch
from pathlib import Path
folder = Path(sys.argv[1])
config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
model = open_clip.CLIP(**config)
weights = next(folder.glob("*.safetensors"))
open_clip.load_checkpoint(model, str(weights))
model.eval()
tokens = open_clip.SimpleTokenizer(context_length=model.context_length)([sys.argv[2]])
with torch.inference_mode():
    model.encode_text(tokens, normalize=True)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", choices=["tiny", "full"], default="tiny")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    weights = random_clip_towers() if chosen.weights == "full" else tiny_clip()
    with tempfile.TemporaryDirectory(prefix="kizu-warm-") as folder:
        found = measure(Path(folder), weights, chosen.rounds)
    if chosen.json:
        print(json.dumps(found))
        return 0
    for name, seconds in found.items():
        print(f"{name:<6} {seconds:8.3f} s   {seconds / found['peer']:6.2f} x peer")
    return 0


def measure(folder: Path, weights: Path, rounds: int) -> dict[str, float]:
    """Seconds of each way, the median of some rounds."""
    environ = {**os.environ, "KIZU_HOME": str(folder / "home"), "KIZU_LOAD_PLUGINS": "core,clip"}
    environ |= {"CLIP_MODEL": str(weights), "KIZU_SEARCH_KEEP": "5"}
    photos = save_shape_photos(folder / "photos", 1)
    for extra in sorted(photos.iterdir())[4:]:
        extra.unlink()

    def run(*arguments: str, **more: str) -> None:
        subprocess.run(arguments, env={**environ, **more}, check=True, stdout=subprocess.DEVNULL)

    settings = load_settings(environ=environ)
    run(KIZU, "run", str(photos), "--operations", "embedding")
    run(KIZU, "db", "start")
    try:
        cold = _timed(rounds, lambda: run(KIZU, "search", WORDS), before=lambda: end_keeper(settings.paths))
        warm = _timed(rounds, lambda: run(KIZU, "search", WORDS))
        alone = _timed(rounds, lambda: run(KIZU, "search", WORDS, KIZU_SEARCH_KEEP="0"))
        peer = _timed(rounds, lambda: run(sys.executable, "-c", PEER, str(weights), WORDS))
        catalog = load_catalog(settings)
        spec = catalog.model(ModelType.EMBEDDER)
        assert isinstance(spec, EmbedderSpec)
        texts = WarmTexts(settings, catalog)
        texts.embed(spec, WORDS)
        words = _timed(rounds * 4, lambda: texts.embed(spec, WORDS))
        texts.close()
    finally:
        run(KIZU, "db", "stop")
    return {"cold": cold, "warm": warm, "alone": alone, "words": words, "peer": peer}


def _timed(rounds: int, work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    seconds = []
    for _ in range(rounds):
        before()
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    raise SystemExit(main())
