"""Resident memory of a worker with the five torch models at full size, within a budget.

    python benchmarks/five_models_memory.py [--budget 2500] [--photos 4]

CLIP ViT-B/32, YOLOv8m, IResNet-50 and Florence-2-base with random numbers, EasyOCR with its own weights, on generated
photos of 12 MP. They do not fit into the budget together: they take turns in it. Prints the peak of the process that
holds them, which may be the budget and what pictures need (`worker/limits.py`), and how often it had to be replaced.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from torch_free_memory import TICK_S, draw, family, rss_mb

from kizu_core.worker.limits import PICTURES_MB
from kizu_support.weights import random_clip_towers, random_florence
from kizu_support.weights.everything import PLUGINS
from kizu_support.weights.faces import fake_face_pack, random_iresnet50
from kizu_support.weights.yolo import random_yolo

KIZU = Path(sys.executable).with_name("kizu")


def environment(folder: Path, budget: int) -> dict[str, str]:
    """Settings of the five models at full size."""
    pack = folder / "pack"
    shutil.copytree(fake_face_pack(), pack)
    shutil.copy(random_iresnet50(), pack)
    return {
        **os.environ,
        "KIZU_HOME": str(folder / "home"),
        "KIZU_MODELS_MB": str(budget),
        "KIZU_LOAD_PLUGINS": ",".join(PLUGINS),
        "KIZU_DESCRIBE": "on",
        "CLIP_MODEL": str(random_clip_towers()),
        "YOLO_WEIGHTS": str(random_yolo("m")),
        "FACE_MODEL_NAME": str(pack),
        "FLORENCE_MODEL": str(random_florence()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=int, default=2500, help="MB that models may take together")
    parser.add_argument("--photos", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder / "photos", options.photos)
        command = [str(KIZU), "run", str(folder / "photos"), "--json"]
        environ = environment(folder, options.budget)
        told = folder / "events.jsonl"  # a pipe that nobody reads would fill up and stop it
        with told.open("w") as out:
            process = subprocess.Popen(command, env=environ, stdout=out)
        peak = 0.0
        while process.poll() is None:
            peak = max([peak, *(rss_mb(one) for one in family(psutil.Process(process.pid)) if one != process.pid)])
            time.sleep(TICK_S)
        summary = json.loads(told.read_text().splitlines()[-1])
    worked = summary["worked"]
    done = {operation: tally["done"] for operation, tally in worked["operations"].items()}
    print(f"done: {done}; model process replaced {worked['restarts']} times")
    print(f"peak of the model process: {peak:.0f} MB; allowed: {options.budget} + {PICTURES_MB} MB")
    return 0 if process.returncode == 0 and peak <= options.budget + PICTURES_MB else 1


if __name__ == "__main__":
    sys.exit(main())
