"""The strategy on the page of its hook is a whole plugin: built from that page, installed by pip, it works."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from kizu_support.distributions import ROOT
from kizu_support.environments import Environment, link_installed, run
from kizu_support.markdown import blocks

PAGE = ROOT / "docs" / "hooks" / "kizu_moment_strategies.md"

CONFORMANCE = """
from datetime import datetime, timedelta
from uuid import UUID
import kizu_golden_hour
from kizu_core import Photo
from kizu_core.testing import MomentStrategyConformance

class TestGoldenHour(MomentStrategyConformance):
    plugin = kizu_golden_hour

    @classmethod
    def photos(cls):
        evening = datetime(2026, 6, 20, 19, 30)
        taken = [evening + timedelta(days=n % 5, hours=-7 * (n > 5)) for n in range(11)]
        spot = {"latitude": 48.0, "longitude": 7.8}
        return [Photo(asset_id=UUID(int=n), taken=time, **spot) for n, time in enumerate(taken)]
"""


LIST = "from kizu_core.cli.app import main; import sys; sys.argv[1:] = ['plugins', 'list', '--json']; main()"


def files() -> dict[str, str]:
    """Name -> text of the files of the example."""
    shown = {block.caption.strip("`:"): block.text for block in blocks(PAGE)}
    return {name: shown[name] for name in ("pyproject.toml", "kizu_golden_hour.py")}


def test_it_is_short() -> None:
    assert sum(len(text.splitlines()) for text in files().values()) < 40


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Core, what its suites need, and the example, put there by `pip install` of its folder; no network."""
    folder = tmp_path_factory.mktemp("golden")
    (folder / "source").mkdir()
    for name, text in files().items():
        (folder / "source" / name).write_text(text)
    environment = Environment.create(folder, with_pip=False)
    # Named besides core: what pip wrote down of an editable core may be older than its `pyproject.toml`.
    link_installed(environment, "kizu-core[testing]", "packaging", "pytest")
    (place,) = (folder / "venv" / "lib").glob("python*/site-packages")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        str(place),
    ]
    run([*command, str(folder / "source")], folder)
    return environment


def test_pip_install_is_all_it_takes(environment: Environment) -> None:
    said = environment.run([str(environment.folder / "venv" / "bin" / "python"), "-c", LIST])
    (found,) = [one for one in json.loads(said)["plugins"] if one["name"] == "golden-hour"]
    assert found["state"] == "ready"
    assert [spec["name"] for spec in found["specs"]] == ["golden-hour"]


def test_it_passes_the_suite(environment: Environment, tmp_path: Path) -> None:
    test = tmp_path / "test_golden.py"
    test.write_text(CONFORMANCE)
    said = environment.run([str(environment.folder / "venv" / "bin" / "python"), "-m", "pytest", "-q", str(test)])
    assert " passed" in said
    assert "failed" not in said
