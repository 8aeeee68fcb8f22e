"""Each wheel holds what it should, and works in an empty environment that knows nothing of the checkout."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kizu_support.distributions import Distribution, distributions
from kizu_support.environments import Environment, build_wheel


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Package -> its wheel; all lie in one folder, as somebody would hand them on."""
    folder = tmp_path_factory.mktemp("wheels")
    return {one.package: build_wheel(one, folder) for one in distributions()}


@pytest.mark.parametrize("distribution", distributions(), ids=str)
def test_a_wheel_holds_its_package_and_nothing_else(distribution: Distribution, wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels[distribution.package]) as wheel:
        names = set(wheel.namelist())
    sources = {
        str(path.relative_to(distribution.source.parent))
        for path in distribution.source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    rest = {name for name in names if ".dist-info/" not in name}
    assert rest == sources
    assert [name for name in names if name.endswith("/licenses/LICENSE")]


def draw_photos(folder: Path) -> Path:
    """Two small pictures that differ."""
    folder.mkdir()
    for name, colour in (("red.jpg", (200, 30, 30)), ("blue.png", (30, 30, 200))):
        Image.new("RGB", (640, 480), colour).save(folder / name)
    return folder


def plugins(environment: Environment) -> dict[str, str]:
    """Name -> state."""
    return {row["name"]: row["state"] for row in json.loads(environment.kizu("plugins", "list", "--json"))["plugins"]}


def operations(environment: Environment) -> dict[str, Any]:
    """Operation -> how its jobs stand."""
    jobs: dict[str, Any] = json.loads(environment.kizu("status", "--json"))["jobs"]
    return jobs


@pytest.mark.network
@pytest.mark.timeout(900)
def test_core_alone_and_then_the_tutorial_plugin(tmp_path: Path, wheels: dict[str, Path]) -> None:
    """One story in one environment: core by itself, then a plugin that comes later and fills only its own part."""
    photos = draw_photos(tmp_path / "photos")
    environment = Environment.create(tmp_path)
    environment.install(wheels["kizu_core"])
    assert plugins(environment) == {"core": "ready"}

    said = environment.kizu("run", str(photos))
    assert operations(environment)["optimize"]["done"] == 2
    assert len(list((environment.home / "blobs").rglob("thumb-*.jpg"))) == 2

    (command,) = (line.strip() for line in said.splitlines() if "pip install" in line and "clip" in line)
    command = command.removeprefix("Install one, for example: ")
    lighter = command.replace(str(wheels["kizu_plugin_clip"]), str(wheels["kizu_plugin_histogram"]))
    assert lighter != command, "the suggestion names the wheel beside core's"
    environment.run(["sh", "-c", lighter])
    assert plugins(environment) == {"core": "ready", "histogram": "ready"}
    thumbnails = {path: path.stat().st_mtime_ns for path in (environment.home / "blobs").rglob("thumb-*.jpg")}
    environment.kizu("run", str(photos))
    assert operations(environment)["embedding"]["done"] == 2
    assert thumbnails == {path: path.stat().st_mtime_ns for path in (environment.home / "blobs").rglob("thumb-*.jpg")}
