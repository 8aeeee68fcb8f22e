"""Thumbnail and web version of one JPEG: Kizu against naive Pillow and against libvips' `vipsthumbnail`.

    python benchmarks/optimize.py [--rounds 7] [--only '12 MP'] [--json]

Naive is what a first version does: open, turn, two LANCZOS resizes from full size, two saves. Every measurement is
a fresh process, methods take turns, and the smallest of all rounds counts, as everything else that runs on the
machine only ever adds. CPU seconds are user and system time: of the work itself after the imports for Python, of the
whole process for `vipsthumbnail` (a worker lives for hours, a command is started for each picture); the last lines
compare whole processes on both sides. Memory is the peak of the whole process.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter, ImageOps

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos"
TILES = ("heic_office_2018.heic", "heic_omaha_2019.heic", "heic_no_pets_2020.heic", "full_moon_2014.jpg")
SIZES = {"12 MP": (4032, 3024), "12 MP turned": (4032, 3024), "20 MP": (5472, 3648), "48 MP": (8064, 6048)}
BATCH = 8

GOALS: tuple[tuple[str, str, str, float], ...] = (
    ("12 MP", "naive", "cpu_s", 1.9),
    ("12 MP turned", "naive", "cpu_s", 1.5),
    ("48 MP", "naive", "cpu_s", 5.0),
    ("12 MP", "vipsthumbnail", "cpu_s", 1.5),
)
MEMORY_GOALS_MB = {"12 MP": 130, "12 MP turned": 130, "48 MP": 200}
PSNR_GOAL_DB = 0.1


def naive(source: Path, out: Path) -> None:
    image = ImageOps.exif_transpose(Image.open(source))
    web = image.copy()
    web.thumbnail((4096, 4096), Image.Resampling.LANCZOS, reducing_gap=None)
    web.save(out / "web.jpg", quality=92)
    ImageOps.fit(image, (300, 300), Image.Resampling.LANCZOS).save(out / "thumb.jpg", quality=80)


def kizu(source: Path, out: Path) -> None:
    from kizu_core.media.render import render

    render(source, out, web=True)


def kizu_without_vips(source: Path, out: Path) -> None:
    sys.modules["pyvips"] = None  # type: ignore[assignment]
    kizu(source, out)


METHODS: dict[str, Callable[[Path, Path], None]] = {
    "naive": naive,
    "kizu": kizu,
    "kizu without pyvips": kizu_without_vips,
}


def child(method: str, source: Path, out: Path, times: int) -> None:
    """One measurement, printed as JSON. The small picture first keeps imports out of the figure."""
    small = out / "small.jpg"
    Image.new("RGB", (64, 48), "teal").save(small)
    METHODS[method](small, out)
    started = time.process_time()
    for _ in range(times):
        METHODS[method](source, out)
    cpu = time.process_time() - started
    print(json.dumps({"cpu_s": cpu, "rss_mb": peak_mb()}))


def peak_mb() -> float:
    """Peak memory of this process. Not `ru_maxrss`: on Linux that starts from the parent's."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024  # macOS counts in bytes


def measure(method: str, source: Path, out: Path, times: int = 1) -> dict[str, float]:
    """CPU seconds and peak memory of `method`; `whole_s` includes the start of the process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if method == "vipsthumbnail":
        result = vipsthumbnail(source, out, times)
    else:
        command = [sys.executable, __file__, "--child", method, str(source), str(out), str(times)]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result["whole_s"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result.setdefault("cpu_s", result["whole_s"])
    return {name: float(value) for name, value in result.items()}


def vipsthumbnail(source: Path, out: Path, times: int) -> dict[str, float]:
    """Two commands, as the tool makes one size each; many pictures may be given to each of them."""
    copies = []
    for number in range(times):
        copies.append(out / f"copy{number}.jpg")
        shutil.copyfile(source, copies[-1])
    peak = 0.0
    for options in (["--size", "4096x4096>"], ["--size", "300x300", "--smartcrop", "centre"]):
        quality = 92 if "4096x4096>" in options else 80
        target = f"{out}/v{quality}_%s.jpg[Q={quality},strip]"
        done = subprocess.run(
            ["/usr/bin/time", "-f", "%M", "vipsthumbnail", *map(str, copies), *options, "-o", target]
            if shutil.which("/usr/bin/time")
            else ["vipsthumbnail", *map(str, copies), *options, "-o", target],
            check=True,
            capture_output=True,
            text=True,
        )
        last = done.stderr.split()[-1:]
        peak = max(peak, int(last[0]) / 1024 if last and last[0].isdigit() else 0.0)
    return {"rss_mb": peak}


def make_source(name: str, folder: Path) -> Path:
    """A JPEG as phones write them (q90, 4:2:0), from real photos where they are at hand, else from noise."""
    width, height = SIZES[name]
    path = folder / f"{name.replace(' ', '_')}.jpg"
    picture = Image.new("RGB", (width, height))
    columns = 2 if width > 6000 else 1
    tile = (width // columns, height // columns)
    for number in range(columns * columns):
        picture.paste(_tile(number, tile), (number % columns * tile[0], number // columns * tile[1]))
    exif = Image.Exif()
    exif[0x0112] = 6 if name.endswith("turned") else 1
    picture.save(path, quality=90, subsampling="4:2:0", exif=exif)
    return path


def _tile(number: int, size: tuple[int, int]) -> Image.Image:
    photo = PHOTOS / TILES[number % len(TILES)]
    if photo.is_file():
        import pillow_heif

        pillow_heif.register_heif_opener()
        image = Image.open(photo).convert("RGB")
        return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    layers = [
        Image.effect_noise((size[0] // step + 1, size[1] // step + 1), 60).resize(size, Image.Resampling.BICUBIC)
        for step in (1, 8, 64)
    ]
    return Image.merge("RGB", [layer.filter(ImageFilter.GaussianBlur(1)) for layer in layers])


def psnr(source: Path, thumbnail: Path) -> float:
    """Of a thumbnail against a LANCZOS reference in floating point, from the full picture."""
    import numpy as np

    image = ImageOps.exif_transpose(Image.open(source))
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    wanted = []
    for channel in image.split():
        reference = channel.convert("F").resize(
            (300, 300), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side)
        )
        wanted.append(np.asarray(reference).clip(0, 255))
    got = np.asarray(Image.open(thumbnail), dtype=np.float64)
    return float(10 * np.log10(255**2 / np.mean((got - np.stack(wanted, axis=-1)) ** 2)))


def run(rounds: int, folder: Path, names: list[str]) -> dict[str, Any]:
    """Every method on every picture in `names`, interleaved; the smallest figures of all rounds."""
    methods = [*METHODS, *(["vipsthumbnail"] if shutil.which("vipsthumbnail") else [])]
    sources = {name: make_source(name, folder) for name in names}
    best: dict[str, dict[str, dict[str, float]]] = {name: {} for name in sources}
    for _ in range(rounds):
        for name, source in sources.items():
            for method in methods:
                out = folder / method.replace(" ", "_")
                out.mkdir(exist_ok=True)
                keep_best(best[name], method, measure(method, source, out))
                if method in METHODS:
                    best[name][method]["psnr_db"] = psnr(source, out / "thumb.jpg")
    batch: dict[str, dict[str, float]] = {}
    for _ in range(max(1, rounds // 2)):
        for method in methods:
            out = folder / method.replace(" ", "_")
            keep_best(batch, method, measure(method, sources[names[0]], out, BATCH))
    return {"rounds": rounds, "pictures": best, "batch": batch, "batch_of": names[0]}


def keep_best(table: dict[str, dict[str, float]], method: str, found: dict[str, float]) -> None:
    known = table.setdefault(method, dict(found))
    for name, value in found.items():
        known[name] = min(known[name], value)


def checks(results: dict[str, Any], ours: str) -> list[dict[str, Any]]:
    """Each goal with what was measured and whether it was met."""
    found = []
    pictures = results["pictures"]
    for name, peer, unit, goal in GOALS:
        if peer in pictures.get(name, {}):
            ratio = pictures[name][peer][unit] / pictures[name][ours][unit]
            found.append({"goal": f"{name}: {goal} x {peer}", "measured": round(ratio, 2), "met": ratio >= goal})
    for name, limit in MEMORY_GOALS_MB.items():
        if name not in pictures:
            continue
        peak = pictures[name][ours]["rss_mb"]
        found.append({"goal": f"{name}: at most {limit} MB", "measured": round(peak), "met": peak <= limit})
    for name, row in pictures.items():
        loss = row["naive"]["psnr_db"] - row[ours]["psnr_db"]
        goal_text = f"{name}: thumbnail within {PSNR_GOAL_DB} dB of naive"
        found.append({"goal": goal_text, "measured": round(-loss, 3), "met": loss <= PSNR_GOAL_DB})
    return found


def print_table(results: dict[str, Any]) -> None:
    print(f"{'picture':14} {'method':20} {'CPU s':>7} {'x naive':>8} {'peak MB':>8} {'thumb dB':>9}")
    for name, row in results["pictures"].items():
        for method, value in row.items():
            ratio = row["naive"]["cpu_s"] / value["cpu_s"]
            quality = f"{value['psnr_db']:9.2f}" if "psnr_db" in value else f"{'-':>9}"
            print(f"{name:14} {method:20} {value['cpu_s']:7.3f} {ratio:8.2f} {value['rss_mb']:8.0f} {quality}")
    print(f"\n{BATCH} pictures of {results['batch_of']}, whole processes from start to end, CPU s:")
    for method, value in results["batch"].items():
        print(f"  {method:20} {value['whole_s']:7.2f}")
    for ours in ("kizu", "kizu without pyvips"):
        print(f"\n{ours}:")
        for check in results["checks"][ours]:
            print(f"  {'pass' if check['met'] else 'FAIL'}  {check['goal']}: {check['measured']}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=SIZES, action="append", help="this picture only (may be repeated)")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        method, source, out, times = options.child
        child(method, Path(source), Path(out), int(times))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        results = run(options.rounds, Path(folder), options.only or list(SIZES))
    results["checks"] = {ours: checks(results, ours) for ours in ("kizu", "kizu without pyvips")}
    if options.json:
        print(json.dumps(results, indent=1))
    else:
        print_table(results)
    return 0 if all(check["met"] for check in results["checks"]["kizu"]) else 1


if __name__ == "__main__":
    sys.exit(main())
