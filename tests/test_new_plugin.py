"""`kizu plugins new`, as a stranger uses it: outside the repository, with wheels only, in an empty environment."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

from kizu_core.testing import sign
from kizu_support.distributions import ROOT, Distribution
from kizu_support.environments import Environment, build_wheel, run

KINDS = {
    "tint": "embedder",
    "lamps": "detector",
    "digits": "ocr",
    "days": "moment-strategy",
    "sharpness": "job-handler",
}
"""Name -> kind of each new plugin."""

ENQUEUE = """
from uuid import UUID
from kizu_core import JobTable, open_library
with open_library() as library:
    (photo,) = library.assets.page()["assets"]
    job = {"user_id": library.user, "asset_id": photo["id"], "job_type": "sharpness"}
    library.database.worker.enqueue(JobTable.AI, [job])
"""


def make(environment: Environment) -> list[Path]:
    """Folders of one new plugin of each kind, made by the `kizu` of the environment."""
    folder = environment.folder / "mine"
    for name, kind in KINDS.items():
        said = environment.kizu("plugins", "new", name, "--kind", kind, "--dir", str(folder), "--author", "A. Stranger")
        assert f"pip install -e {folder}/kizu-plugin-{name}" in said
    return sorted(folder.iterdir())


def wheels_of(folders: list[Path], out: Path) -> list[Path]:
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(out)]
    run([*command, *map(str, folders)], out.parent)
    return sorted(out.glob("*.whl"))


def conformance(environment: Environment, folders: list[Path]) -> str:
    """What pytest says of the plugins' own tests, with what is installed and nothing of the folders' `src`."""
    python = environment.folder / "venv" / "bin" / "python"
    tests = [str(folder / "tests") for folder in folders]
    return environment.run([str(python), "-m", "pytest", "-q", "--import-mode=importlib", "-rs", *tests])


def brought(environment: Environment) -> dict[str, tuple[str, list[str]]]:
    """Plugin -> its state and what it brings."""
    rows = json.loads(environment.kizu("plugins", "list", "--json"))["plugins"]
    return {row["name"]: (row["state"], [spec["name"] for spec in row["specs"]]) for row in rows}


def photo(folder: Path) -> Path:
    """A folder with one picture: digits on paper, and a white label."""
    pixels = sign("2026").pixels.copy()
    pixels[300:400, 200:500] = 255
    folder.mkdir()
    Image.fromarray(pixels).save(folder / "sign.png")
    return folder


@pytest.mark.network
@pytest.mark.timeout(900)
def test_new_plugins_install_pass_and_work(tmp_path: Path) -> None:
    environment = Environment.create(tmp_path)
    core = build_wheel(Distribution(ROOT / "kizu_core"), tmp_path / "core")
    environment.install(Path(f"{core}[testing]"))
    folders = make(environment)
    environment.install(*wheels_of(folders, tmp_path / "wheels"))
    assert brought(environment).items() >= {name: ("ready", [name]) for name in KINDS}.items()

    said = conformance(environment, folders)
    assert re.search(r"^\d+ passed, 3 skipped in", said, re.MULTILINE), said
    assert said.count("has no text side") == 3, "only the embedder's text side is missing"

    environment.kizu("run", str(photo(tmp_path / "photos")))
    known = json.loads(environment.kizu("assets", "show", "sign.png", "--json"))
    assert [text["text"] for text in known["texts"]] == ["2026"]
    assert [found["bbox"]["left"] for found in known["objects"]] == [pytest.approx(200 / 600)]
    assert [vector["space"] for vector in known["embeddings"]] == ["tint-1"]

    environment.run([str(environment.folder / "venv" / "bin" / "python"), "-c", ENQUEUE])
    environment.kizu("worker", "--drain", "--only", "sharpness")
    (job,) = json.loads(environment.kizu("jobs", "list", "--operation", "sharpness", "--json"))["jobs"]
    assert json.loads(environment.kizu("jobs", "show", job["id"], "--json"))["result"]["sharpness"] > 0
