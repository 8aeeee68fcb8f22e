"""How many of the phrases to be read in the shared photos each installed OCR plugin finds, through the whole system.

    python benchmarks/ocr_phrases.py [--plugin NAME]... [--photos FOLDER] [--json]

Each plugin gets a fresh data folder: `kizu run` with this plugin alone, then the texts are read from the database.
The phrases are those of the photos' manifest, without the orientation charts; one is found if it is part of the
picture's texts in their stored order, case, spaces and punctuation aside. Tesseract, where it is installed,
reads the same pictures as Kizu's models get them. Seconds are the operation's own, as the ledger has them.
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
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos"

Phrases = Mapping[str, Sequence[str]]


def manifest_phrases(photos: Path) -> Phrases:
    """File name -> what is to be read in it."""
    files = json.loads((photos / "manifest.json").read_text())["files"]
    return {one["file"]: one["text"] for one in files if one["text"] and not one["file"].startswith("orientation_")}


def folded(text: str) -> str:
    """Letters and digits only, lower case."""
    return "".join(char for char in unicodedata.normalize("NFC", text).lower() if char.isalnum())


def missed(phrases: Phrases, texts: Mapping[str, str]) -> list[str]:
    """The phrases that the texts (by file name) do not hold."""
    return [
        f"{name}: {phrase}"
        for name, wanted in phrases.items()
        for phrase in wanted
        if folded(phrase) not in folded(texts.get(name, ""))
    ]


def read_with_kizu(plugin: str, folder: Path, home: Path) -> tuple[dict[str, str], float]:
    """Texts by file name and the seconds that reading them took, after a whole `kizu run`."""
    from kizu_core import open_library
    from kizu_core.settings import load_settings

    environ = {**os.environ, "KIZU_HOME": str(home), "KIZU_LOAD_PLUGINS": plugin}
    command = [str(Path(sys.executable).with_name("kizu")), "run", str(folder), "--operations", "ocr", "--json"]
    done = subprocess.run(command, check=False, env=environ, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"kizu run ended with {done.returncode}: {done.stdout.strip().splitlines()[-1:]}")
    with open_library(load_settings(environ=environ)) as library:
        rows = [library.assets.show(row["id"]) for row in library.assets.page(1000)["assets"]]
    shown: list[Mapping[str, Any]] = [row for row in rows if row]
    texts = {row["file_name"]: " ".join(span["text"] for span in row["texts"]) for row in shown}
    seconds = sum(done["seconds"] for row in shown for done in row["operations"] if done["operation"] == "ocr")
    return texts, seconds


def read_with_tesseract(folder: Path) -> tuple[dict[str, str], float]:
    """What Tesseract makes of the pictures, decoded and scaled as Kizu does it."""
    from PIL import Image

    from kizu_core.media.decode import decode, to_picture

    texts, started = {}, time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(folder.iterdir()):
            upright = Path(scratch) / "upright.png"
            Image.fromarray(to_picture(decode(path, max_side=2048)).pixels).save(upright)
            # Sparse text, the mode that finds most in photos.
            command = ["tesseract", str(upright), "-", "--psm", "11"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            texts[path.name] = done.stdout
    return texts, time.perf_counter() - started


def installed_plugins() -> list[str]:
    """Names of the plugins whose OCR model is ready."""
    from kizu_core import ModelType
    from kizu_core.models.selection import build_catalog
    from kizu_core.models.weights import readiness
    from kizu_core.settings import load_settings

    settings = load_settings()
    catalog = build_catalog(settings)
    ready = [spec for spec in catalog.specs(ModelType.OCR) if readiness(spec, settings).ready]
    return [catalog.author(spec).name for spec in ready]


def results(plugins: Sequence[str], phrases: Phrases, photos: Path) -> Iterator[dict[str, Any]]:
    """One result per reader, as soon as it is there."""
    with tempfile.TemporaryDirectory(prefix="kizu-ocr-") as scratch:
        folder = Path(scratch) / "photos"
        folder.mkdir()
        for name in phrases:
            shutil.copy2(photos / name, folder)
        for plugin in plugins:
            yield result(plugin, phrases, *read_with_kizu(plugin, folder, Path(scratch) / plugin))
        if shutil.which("tesseract"):
            yield result("tesseract", phrases, *read_with_tesseract(folder))


def result(reader: str, phrases: Phrases, texts: Mapping[str, str], seconds: float) -> dict[str, Any]:
    lost = missed(phrases, texts)
    total = sum(map(len, phrases.values()))
    return {
        "reader": reader,
        "found": total - len(lost),
        "phrases": total,
        "seconds": round(seconds, 1),
        "missed": lost,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugin", action="append", help="only this plugin (may be repeated)")
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    phrases = manifest_phrases(arguments.photos)
    for one in results(arguments.plugin or installed_plugins(), phrases, arguments.photos):
        if arguments.json:
            print(json.dumps(one, ensure_ascii=False), flush=True)
        else:
            print(f"{one['reader']}: {one['found']} of {one['phrases']} phrases, {one['seconds']} s", flush=True)
            for phrase in one["missed"]:
                print(f"  missed {phrase}")


if __name__ == "__main__":
    main()
