"""Resident memory of a worker without torch, with networks of full size: `python benchmarks/torch_free_memory.py`.

Embedding (ViT-B/32, random), objects (YOLOv8m, random), faces (SCRFD 2.5g if `shared` is beside the checkout, else a
small one; IResNet-50, random) and RapidOCR, on generated photos of 12 MP, where torch is not installed.
The bundles are made once, with torch, and cached. Prints the peak of parent and child together, in MB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests" / "support"))

from kizu_core.models.exported import export_onnx  # noqa: E402 - of the tests' support, found just above
from kizu_core.models.runtimes.convert import convert  # noqa: E402
from kizu_core.models.selection import build_catalog  # noqa: E402
from kizu_core.settings import load_settings  # noqa: E402
from kizu_core.types import ModelType  # noqa: E402
from kizu_support.environments import Environment, clean_environment, link_installed  # noqa: E402
from kizu_support.weights import cached, random_clip_towers  # noqa: E402
from kizu_support.weights.faces import fake_face_pack, random_iresnet50  # noqa: E402
from kizu_support.weights.yolo import random_yolo  # noqa: E402

MODELS = {"clip": ModelType.EMBEDDER, "yolo": ModelType.DETECTOR, "insightface": ModelType.FACE_MODEL}
KIZU = "import sys; from kizu_core.cli.app import main; sys.exit(main())"
TICK_S = 0.05


def main() -> None:
    """Makes, imports, runs, watches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=12)
    parser.add_argument("--openvino", action="store_true", help="have it installed there as well")
    parser.add_argument("--max-side", type=int, default=2048, help="MAX_IMAGE_SIZE of the run")
    parser.add_argument("--budget", type=int, help="KIZU_MODELS_MB of the run (default: half of the machine)")
    arguments = parser.parse_args()
    made = [bundle(name) for name in MODELS]
    with tempfile.TemporaryDirectory() as folder:
        machine = Environment.create(Path(folder), with_pip=False)
        names = ["kizu-core", "kizu-plugin-onnx", "kizu-plugin-rapidocr", "opencv-python-headless"]
        linked = link_installed(machine, *names, *(["openvino"] if arguments.openvino else []))
        machine.home.mkdir(mode=0o700)
        print(f"torch installed: {'torch' in linked}; OpenVINO: {'openvino' in linked}")
        machine.run([str(machine.python), "-c", KIZU, "models", "import", *map(str, made)])
        print(machine.run([str(machine.python), "-c", KIZU, "doctor"]))
        draw(Path(folder, "photos"), arguments.photos)
        environ = {"MAX_IMAGE_SIZE": str(arguments.max_side)}
        environ |= {"KIZU_MODELS_MB": str(arguments.budget)} if arguments.budget else {}
        peak, parent, child = watched(machine, Path(folder, "photos"), environ)
    print(f"peak of parent and child: {peak:.0f} MB (parent at most {parent:.0f}, child at most {child:.0f})")


def bundle(name: str) -> Path:
    """The exported model of full size, cached."""
    return cached(f"full-bundle-{name}", f"{name} 1", lambda folder: export(name, folder)) / "bundle"


def export(name: str, folder: Path) -> None:
    """In this environment, which has torch."""
    environ = {"CLIP_MODEL": str(random_clip_towers()), "YOLO_WEIGHTS": str(random_yolo("m"))}
    pack = folder / "pack"
    pack.mkdir()
    real = ROOT.parent / "shared" / "weights" / "scrfd_2.5g.onnx"
    detector = real if real.exists() else fake_face_pack() / "det_10g.onnx"
    (pack / "det_10g.onnx").symlink_to(detector)
    (pack / "w600k_r50.onnx").symlink_to(random_iresnet50())
    settings = load_settings({"home": folder / "home", "threads": 2}, environ=environ | {"FACE_MODEL_NAME": str(pack)})
    spec = build_catalog(settings).model(MODELS[name], name)
    export_onnx(spec, convert(spec, settings), folder / "bundle")


def draw(folder: Path, count: int) -> None:
    """Photos of 4000 x 3000, each with gradients of its own and a little noise."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(count):
        small = random.integers(0, 255, (60, 80, 3), np.uint8)
        Image.fromarray(small).resize((4000, 3000), Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=88)


def watched(machine: Environment, photos: Path, environ: dict[str, str]) -> tuple[float, float, float]:
    """MB at the peak: of `kizu run` and the processes that do jobs, of the command alone, of the largest other.

    The database's processes share their memory with each other, are there without models too, and are left out.
    """
    command = [str(machine.python), "-c", KIZU, "run", str(photos)]
    process = subprocess.Popen(command, env=clean_environment(machine.home) | environ, stdout=subprocess.DEVNULL)
    peak = parent = child = 0.0
    while process.poll() is None:
        sizes = {one: rss_mb(one) for one in family(psutil.Process(process.pid))}
        own = sizes.get(process.pid, 0.0)
        peak, parent = max(peak, sum(sizes.values())), max(parent, own)
        child = max(child, *(size for one, size in sizes.items() if one != process.pid), 0.0)
        time.sleep(TICK_S)
    if process.returncode != 0:
        sys.exit(f"kizu run ended with {process.returncode}")
    return peak, parent, child


def family(process: psutil.Process) -> list[int]:
    """The command and the Python processes below it."""
    try:
        below = process.children(recursive=True)
        return [process.pid, *(one.pid for one in below if "python" in one.name())]
    except psutil.Error:
        return []


def rss_mb(pid: int) -> float:
    """Resident memory, 0 for a process that ended meanwhile."""
    try:
        return float(psutil.Process(pid).memory_info().rss) / 1e6
    except psutil.Error:
        return 0.0


if __name__ == "__main__":
    main()
