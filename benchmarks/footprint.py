"""How many bytes a library leaves in the data folder, a photo and a kind: what `kizu run` estimates the disk by.

    python benchmarks/footprint.py [--photos FOLDER] [--home FOLDER] [--json]

A fresh data folder gets one `kizu run` with all installed plugins; `--home` measures one that has been used already.
A table counts with its indexes, less what it takes when it is empty; the figures of few photos are therefore a little
high, since pages of 8 kB fill up slowly.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos"
KIZU = str(Path(sys.executable).with_name("kizu"))

KINDS = {
    "image_embeddings": "embedding",
    "face_embeddings": "faces",
    "detected_objects": "objects",
    "extracted_text": "ocr",
    "image_descriptions": "describe",
}
"""Table -> the operation that fills it; every other one is counted as `rows`."""

SIZES = """
    select relname, pg_total_relation_size(oid) from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace
"""


def kizu(home: Path, *arguments: str) -> str:
    """What a command prints."""
    environ = {**os.environ, "KIZU_HOME": str(home)}
    done = subprocess.run([KIZU, *arguments], check=False, env=environ, stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 3):
        sys.exit(f"kizu {' '.join(arguments)} ended with {done.returncode}")
    return done.stdout


def table_sizes(home: Path) -> Counter[str]:
    """Table -> bytes with indexes."""
    rows = (line.split("|") for line in kizu(home, "db", "psql", "-At", "-c", SIZES).splitlines())
    return Counter({name: int(size) for name, size in rows})


def footprint(home: Path, empty: Counter[str]) -> dict[str, float]:
    """Kind -> bytes a photo; `web` -> bytes a web version."""
    photos = json.loads(kizu(home, "status", "--json"))["assets"]["images"]
    blobs = list((home / "blobs").rglob("*.jpg"))
    web = [path.stat().st_size for path in blobs if path.name.startswith("web-")]
    thumbnails = sum(path.stat().st_size for path in blobs if path.name.startswith("thumb-"))
    kinds: Counter[str] = Counter()
    for table, size in table_sizes(home).items():
        kinds[KINDS.get(table, "rows")] += size - empty[table]
    each = {name: size / photos for name, size in sorted(kinds.items())}
    return {"photos": photos, "thumbnail": thumbnails / photos, "web": sum(web) / max(1, len(web)), **each}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=PHOTOS, help="folder of photos (default: ../shared/photos)")
    parser.add_argument("--home", type=Path, help="a data folder that has been filled by one run already")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="kizu-footprint-") as folder:
        fresh = Path(folder) / "home"
        kizu(fresh, "db", "start")
        empty = table_sizes(fresh)
        if given.home is None:
            kizu(fresh, "run", str(given.photos))
        found = footprint(given.home or fresh, empty)
        kizu(fresh, "db", "stop")
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:>10}  {value:,.0f}")


if __name__ == "__main__":
    main()
