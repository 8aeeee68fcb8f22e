"""What the models cost: the code that everybody writes first against Kizu's plugins, in the same run.

    python benchmarks/models.py [--only clip] [--only yolo] [--rounds 5] [--json]

Each case is a process of its own in which both sides take turns on ONE thread; the figure is the median of the CPU
seconds of all rounds. Kizu's side runs on what `kizu models bench` chose on this machine just before, and loads its
models as a worker does. Weights that no package ships are random ones of full size: they cost what real ones cost, and
the fidelity beside each figure says how far Kizu's answer is from the naive one, not how good either is.

Goals with bf16 count only where the CPU has it; elsewhere the lower one does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import naive_models
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kizu_core import ModelType, Picture
from kizu_core.media.decode import decode, to_picture
from kizu_core.models.environment import quiet_libraries
from kizu_core.models.loading import build
from kizu_core.models.runtimes.machine import this_machine
from kizu_core.models.runtimes.record import recorded
from kizu_core.models.selection import build_catalog
from kizu_core.settings import load_settings
from kizu_support import weights
from kizu_support.weights.faces import fake_face_pack, random_iresnet50
from kizu_support.weights.yolo import random_yolo

TEXT = (
    "GARDEN CONCERT", "Saturday 18:45 at the old mill", "Tickets 12 EUR at the door", "Please bring a chair",
    "Wind quintet and friends", "Rain date: 24 August", "No dogs, no umbrellas", "Parking behind the church",
)  # fmt: skip
CAPTION_TOKENS = 48
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "KIZU_THREADS"), "1")


@dataclass(frozen=True, kw_only=True)
class Duel:
    """Two ways to the same answer. `fidelity`: how near the second is to the first, in words; `runtime`: Kizu's."""

    naive: Callable[[], Any]
    kizu: Callable[[], Any]
    fidelity: Callable[[Any, Any], str]
    items: int
    runtime: str


@dataclass(frozen=True)
class Goal:
    """How many times faster: where the CPU has bf16, and elsewhere."""

    bf16: float
    plain: float


def ours(kind: ModelType, name: str, home: Path, environ: Mapping[str, str], *, gated: bool = True) -> tuple[Any, str]:
    """A model as a worker loads it, on the runtime that was found best for it; what there is to say of that runtime.

    Not `gated`: the fastest one, though its answers may differ from the reference's. The boxes and words of random
    weights are many and near ties, which any rounding turns over; a real model's are not.
    """
    command = [str(Path(sys.executable).with_name("kizu")), "models", "bench", name]
    subprocess.run(command, check=True, stdout=sys.stderr, env={**os.environ, **environ, "KIZU_HOME": str(home)})
    settings = load_settings({"home": home, "threads": 1}, environ=environ)
    spec = build_catalog(settings).model(kind, name)
    found = recorded(spec, settings)
    if found is None:
        raise SystemExit(f"{name} has no measured runtime")
    trials = {trial.runtime: trial for trial in found.trials if trial.cpu_ms}
    runtime = found.runtime if gated else min(trials, key=lambda one: trials[one].cpu_ms or 0)
    verdict = "" if trials[runtime].obstacle is None else "; on random weights refused by the gate"
    return build(spec, settings, runtime), f"{runtime}{verdict}"


def seen(path: Path, min_side: int | None = None) -> Picture:
    """What a worker shows to a model."""
    return to_picture(decode(path, max_side=None if min_side else 2048, min_side=min_side))


def clip_encoder(folder: Path) -> Duel:
    """Vectors of small pictures, whose decoding costs next to nothing on either side."""
    towers = weights.random_clip_towers()
    paths = [photo(folder / f"{number}.png", number) for number in range(8)]
    naive = naive_models.clip(towers)
    model, runtime = ours(ModelType.EMBEDDER, "clip", folder / "home", {"CLIP_MODEL": str(towers)})
    pictures = [seen(path) for path in paths]
    return Duel(
        naive=lambda: np.stack([naive(path) for path in paths]),
        kizu=lambda: model.embed_images(pictures),
        fidelity=cosines,
        items=len(paths),
        runtime=runtime,
    )


def yolo(folder: Path) -> Duel:
    """Boxes in a picture of 1280 x 960; both sides make 640 x 480 of it."""
    checkpoint = random_yolo("m")
    path = photo(folder / "photo.png", 1, (1280, 960))
    naive = naive_models.yolo(checkpoint)
    model, runtime = ours(ModelType.DETECTOR, "yolo", folder / "home", {"YOLO_WEIGHTS": str(checkpoint)}, gated=False)
    picture = seen(path)
    return Duel(
        naive=lambda: naive(path),
        kizu=lambda: model.detect([picture])[0],
        fidelity=lambda theirs, mine: f"{len(theirs)} boxes and {len(mine)}; see `kizu models bench` for raw agreement",
        items=1,
        runtime=runtime,
    )


def faces(folder: Path) -> Duel:
    """Vectors of eight aligned faces, which both sides are given: crops of (112, 112, 3)."""
    pack = folder / "pack"
    shutil.copytree(fake_face_pack().parent if fake_face_pack().is_file() else fake_face_pack(), pack)
    recogniser = next(path for path in pack.iterdir() if path.name == random_iresnet50().name)
    shutil.copy(random_iresnet50(), recogniser)
    naive = naive_models.arcface(recogniser)
    environ = {"FACE_MODEL_NAME": str(pack)}
    model, runtime = ours(ModelType.FACE_MODEL, "insightface", folder / "home", environ)
    noise = np.random.default_rng(3)
    crops = [noise.integers(0, 256, (112, 112, 3), np.uint8) for _ in range(8)]
    return Duel(
        naive=lambda: naive(crops),
        kizu=lambda: model._recogniser.get_feat(crops),
        fidelity=cosines,
        items=len(crops),
        runtime=runtime,
    )


def ocr(name: str) -> Callable[[Path], Duel]:
    """A page of 1 MP with eight lines. The fidelity is that to the truth."""

    def case(folder: Path) -> Duel:
        path = page(folder / "page.png")
        naive = naive_models.easyocr()
        model, runtime = ours(ModelType.OCR, name, folder / "home", {})
        picture = seen(path)
        return Duel(
            naive=lambda: naive(path),
            kizu=lambda: [span.text for span in model.read_text([picture])[0]],
            fidelity=lambda theirs, mine: f"likeness to the truth {likeness(mine):.3f}, naive {likeness(theirs):.3f}",
            items=1,
            runtime=runtime,
        )

    return case


def florence(folder: Path) -> Duel:
    """A caption of at most `CAPTION_TOKENS` tokens."""
    directory = weights.random_florence()
    path = photo(folder / "photo.png", 1, (1024, 768))
    naive = naive_models.florence(directory, CAPTION_TOKENS)
    environ = {"FLORENCE_MODEL": str(directory)}
    model, runtime = ours(ModelType.VLM, "florence", folder / "home", environ, gated=False)
    picture = seen(path)
    return Duel(
        naive=lambda: naive(path),
        kizu=lambda: model.describe([picture])[0].text,
        fidelity=lambda theirs, mine: (
            f"likeness of the words {SequenceMatcher(None, theirs.strip(), mine).ratio():.3f}"
        ),
        items=1,
        runtime=runtime,
    )


def likeness(lines: list[str]) -> float:
    """To the page, 1 for the same text."""
    return SequenceMatcher(None, " ".join(TEXT), " ".join(lines), autojunk=False).ratio()


def cosines(theirs: Any, mine: Any) -> str:
    """How alike vectors are, also after what all of them have in common is taken away."""

    def of(first: Any, second: Any) -> float:
        lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        return float((np.sum(first * second, axis=1) / lengths).min())

    return f"cosine >= {of(theirs, mine):.5f}, centred >= {of(theirs - theirs.mean(0), mine - mine.mean(0)):.5f}"


def photo(path: Path, seed: int, size: tuple[int, int] = (480, 360)) -> Path:
    """A drawn scene: ground, shapes and grain."""
    noise = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(noise.integers(0, 256, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = int(noise.integers(0, size[0])), int(noise.integers(0, size[1]))
        radius = int(noise.integers(20, size[1] // 3))
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=tuple(noise.integers(0, 256, 3).tolist()))
    grain = np.asarray(image, np.int16) + noise.integers(-12, 13, (size[1], size[0], 3))
    Image.fromarray(grain.clip(0, 255).astype(np.uint8)).save(path)
    return path


def page(path: Path) -> Path:
    """1280 x 800 pixels with the lines of `TEXT`."""
    image = Image.new("RGB", (1280, 800), (244, 240, 228))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(TEXT):
        draw.text(
            (90, 50 + 88 * number), line, fill=(25, 30, 50), font=ImageFont.load_default(size=52 if number else 64)
        )
    image.save(path)
    return path


CASES: Mapping[str, tuple[str, Callable[[Path], Duel], Goal]] = {
    "clip": ("CLIP ViT-B/32, a picture", clip_encoder, Goal(5, 1.3)),
    "yolo": ("YOLOv8m, a picture", yolo, Goal(4, 1.3)),
    "faces": ("ArcFace IResNet-50, a face", faces, Goal(3, 1.3)),
    "easyocr": ("EasyOCR, a page of 1 MP", ocr("easyocr"), Goal(3, 1.3)),
    "rapidocr": ("RapidOCR against EasyOCR, a page of 1 MP", ocr("rapidocr"), Goal(3, 3)),
    "florence": ("Florence-2-base, a caption", florence, Goal(1.8, 1.3)),
}


def measure(name: str, rounds: int, folder: Path) -> dict[str, Any]:
    """One case, in this process."""
    quiet_libraries(folder)
    duel = CASES[name][1](folder)
    answers = duel.naive(), duel.kizu()
    spent: dict[str, list[float]] = {"naive": [], "kizu": []}
    for _ in range(rounds):
        for side, call in (("naive", duel.naive), ("kizu", duel.kizu)):
            started = time.process_time()
            call()
            spent[side].append((time.process_time() - started) / duel.items)
    figures: dict[str, Any] = {side: statistics.median(values) for side, values in spent.items()}
    return {**figures, "runtime": duel.runtime, "fidelity": duel.fidelity(*answers)}


def run_case(name: str, rounds: int) -> dict[str, Any]:
    """One case, in a process of its own; its own error if it can't be run here."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--case", name, folder, "--rounds", str(rounds)]
        environ = {**os.environ, **ONE_THREAD}  # before any library counts the cores
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, env=environ)
    if done.returncode != 0:
        return {"error": f"ended with status {done.returncode}; its words are above"}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    goal = goal_of(name)
    ratio = figures["naive"] / figures["kizu"]
    return {**figures, "ratio": round(ratio, 2), "goal": goal, "met": ratio >= goal}


def goal_of(name: str) -> float:
    """The goal that counts on this machine."""
    goal = CASES[name][2]
    return goal.bf16 if this_machine().has_bf16 else goal.plain


def print_table(results: Mapping[str, dict[str, Any]]) -> None:
    print(f"{'case':42} {'naive ms':>9} {'Kizu ms':>9} {'times':>6} {'goal':>5}")
    for name, row in results.items():
        if "error" in row:
            print(f"{CASES[name][0]:42} {row['error']}")
            continue
        naive, kizu = row["naive"] * 1000, row["kizu"] * 1000
        verdict = "pass" if row["met"] else "FAIL"
        print(f"{CASES[name][0]:42} {naive:9.1f} {kizu:9.1f} {row['ratio']:6.2f} {row['goal']:5} {verdict}")
        print(f"    {row['runtime']}; {row['fidelity']}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CASES, action="append", help="this case only (may be repeated)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(options.case[0], options.rounds, Path(options.case[1]))))
        return 0
    results = {name: run_case(name, options.rounds) for name in options.only or CASES}
    if options.json:
        print(json.dumps(results, indent=1))
    else:
        print_table(results)
    return 0 if all(row.get("met") for row in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
