"""The suites are worth something: a good fake passes each, and for every check there is one that it catches."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kizu_core import testing
from kizu_support.conformance import embedders, finders, groupers, handlers, writers
from kizu_support.conformance.fakes import Fake, all_of, name_of

SUITES: dict[str, tuple[type[Fake], str]] = {
    "EmbedderConformance": (embedders.GoodEmbedder, "model"),
    "DetectorConformance": (finders.GoodDetector, "model"),
    "FaceModelConformance": (finders.GoodFaces, "model"),
    "OcrConformance": (writers.GoodReader, "model"),
    "VlmConformance": (writers.GoodWriter, "model"),
    "FaceClustererConformance": (groupers.GoodClusterer, "model"),
    "MomentStrategyConformance": (groupers.GoodStrategy, "strategy"),
    "JobHandlerConformance": (handlers.GoodHandler, "handler"),
}
"""Suite -> the good fake of its kind, and the attribute that chooses one."""

OF_THE_MODULE = {name for name in dir(testing.PluginConformance) if name.startswith("test_")}
"""Checks that concern the plugin's module: `test_plugin_suite.py` is about them."""


@dataclass(frozen=True)
class Judgement:
    """What a suite said of one fake: check -> its complaint, empty where it passed."""

    checks: dict[str, str]

    @property
    def failed(self) -> dict[str, str]:
        return {check: said for check, said in self.checks.items() if said}


def cases() -> Iterator[tuple[str, str, type[Fake]]]:
    """(suite, attribute, fake) of every fake."""
    for suite, (good, attribute) in SUITES.items():
        yield from ((suite, attribute, fake) for fake in all_of(good))


def source() -> str:
    """A test file as an author writes it, with a class for each fake."""
    lines = ["from kizu_core import testing"]
    for suite, attribute, fake in cases():
        lines += [
            f"import {fake.__module__}",
            f"class Test{fake.__name__}(testing.{suite}):",
            f"    plugin = {fake.__module__}",
            f"    {attribute} = {name_of(fake)!r}",
        ]
    lines += [
        f"class TestNobody(testing.EmbedderConformance):\n    plugin = {embedders.__name__}\n    model = 'nobody'"
    ]
    return "\n".join(lines)


def wanted() -> list[str]:
    """What to run of it: all that concerns the good fakes, of the broken ones the checks that they break."""
    ids = ["test_fakes.py::TestNobody::test_it_loads_and_is_of_its_kind"]
    for suite, _, fake in cases():
        checks = fake.breaks or [name for name in dir(getattr(testing, suite)) if name.startswith("test_")]
        ids += [f"test_fakes.py::Test{fake.__name__}::{check}" for check in checks if check not in OF_THE_MODULE]
    return ids


@pytest.fixture(scope="module")
def judgements(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judgement]:
    """Name of a fake's class -> what its suite says, all from one run of pytest."""
    folder = tmp_path_factory.mktemp("suites")
    (folder / "test_fakes.py").write_text(source())
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=said.xml", *wanted()]
    path = os.pathsep.join([str(Path(embedders.__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    said: dict[str, dict[str, str]] = {}
    for case in ElementTree.parse(folder / "said.xml").iter("testcase"):  # noqa: S314 - pytest wrote it
        checks = said.setdefault(case.attrib["classname"].rpartition(".Test")[2], {})
        check = case.attrib["name"].partition("[")[0]
        complaints = [f"{one.get('message')}\n{one.text}" for one in case if one.tag in ("failure", "error")]
        checks[check] = checks.get(check, "") + "\n".join(complaints)
    return {name: Judgement(checks) for name, checks in said.items()}


@pytest.mark.parametrize("fake", [good for good, _ in SUITES.values()], ids=name_of)
def test_a_good_one_passes(fake: type[Fake], judgements: dict[str, Judgement]) -> None:
    assert judgements[fake.__name__].checks
    assert not judgements[fake.__name__].failed


@pytest.mark.parametrize("fake", [fake for _, _, fake in cases() if fake.breaks], ids=name_of)
def test_a_broken_one_is_caught_and_told_why(fake: type[Fake], judgements: dict[str, Judgement]) -> None:
    for check, words in fake.breaks.items():
        assert words in judgements[fake.__name__].failed.get(check, "")


def test_a_name_that_the_plugin_does_not_bring_is_told(judgements: dict[str, Judgement]) -> None:
    (said,) = judgements["Nobody"].failed.values()
    assert "names one of the plugin's models of the kind embedder: good-embedder, doubles" in said


@pytest.mark.parametrize("suite", SUITES)
def test_every_check_catches_something(suite: str) -> None:
    checks = {name for name in dir(getattr(testing, suite)) if name.startswith("test_")} - OF_THE_MODULE
    assert checks <= {check for _, _, fake in cases() for check in fake.breaks}


def test_no_two_fakes_share_a_name() -> None:
    names = [fake.__name__ for _, _, fake in cases()]
    assert len(names) == len(set(names))
