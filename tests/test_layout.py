"""Every distribution stands alone: its folder cannot shadow its package, and its wheel says what it is."""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata
from pathlib import Path

import pytest

from kizu_support.distributions import ROOT, Distribution, distributions

ALL = distributions()
INSTALLED = [one for one in ALL if one.installed]
each = pytest.mark.parametrize("distribution", ALL, ids=str)


def test_core_is_installed() -> None:
    assert "kizu_core" in {one.package for one in INSTALLED}, "run: pip install -r requirements-dev.txt"


@pytest.mark.parametrize("distribution", INSTALLED, ids=str)
def test_the_package_is_not_the_outer_folder(distribution: Distribution) -> None:
    spec = importlib.util.find_spec(distribution.package)
    assert spec is not None
    assert spec.origin is not None, "an outer folder was taken for the package"
    home = Path(spec.origin).parent
    assert home == distribution.source or "site-packages" in home.parts


@each
def test_no_init_file_in_the_outer_folder(distribution: Distribution) -> None:
    assert not (distribution.folder / "__init__.py").exists()


@each
def test_what_a_distribution_holds(distribution: Distribution) -> None:
    assert len((distribution.folder / "README.md").read_text().splitlines()) > 5, "a README that says nothing"
    assert (distribution.source / "py.typed").is_file()
    assert list(distribution.folder.glob("tests/**/test_*.py")), "no tests"


@each
def test_what_a_distribution_declares(distribution: Distribution) -> None:
    project = distribution.pyproject["project"]
    assert distribution.pyproject["build-system"]["build-backend"] == "hatchling.build"
    assert distribution.name == distribution.package.replace("_", "-")
    assert project["readme"] == "README.md"
    assert project["description"]
    assert project["requires-python"] == ">=3.11"
    assert distribution.pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == [
        f"src/{distribution.package}"
    ]


@each
def test_the_licence_text_travels_with_the_wheel(distribution: Distribution) -> None:
    text = (distribution.folder / "LICENSE").read_text()
    if distribution.pyproject["project"]["license"] == "Apache-2.0":
        assert text == (ROOT / "LICENSE").read_text()


@each
def test_plugins_name_a_range_of_core(distribution: Distribution) -> None:
    if not distribution.is_plugin:
        pytest.skip("core needs no core")
    needs = [line for line in distribution.pyproject["project"]["dependencies"] if line.startswith("kizu-core")]
    assert len(needs) == 1
    assert ">=" in needs[0]
    assert "<" in needs[0]


@pytest.mark.parametrize("distribution", INSTALLED, ids=str)
def test_the_entry_points_are_those_declared(distribution: Distribution) -> None:
    declared = distribution.pyproject["project"]["entry-points"]["kizu"]
    found = metadata.distribution(distribution.name).entry_points.select(group="kizu")
    assert {point.name: point.value for point in found} == declared


def test_the_root_is_no_package() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert "[project]" not in text
    assert "[build-system]" not in text


@each
def test_the_other_tools_know_every_distribution(distribution: Distribution) -> None:
    environments = re.search(r"plugin-\{([\w,]+)\}", (ROOT / "tox.ini").read_text())
    assert environments is not None
    assert not distribution.is_plugin or distribution.package.removeprefix("kizu_plugin_") in environments[1].split(",")
    assert f"{distribution.folder.relative_to(ROOT)}/src" in (ROOT / "pyproject.toml").read_text()
