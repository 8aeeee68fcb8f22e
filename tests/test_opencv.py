"""Two distributions bring `cv2`. After the documented install line the one is there that needs no desktop."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kizu_support.distributions import ROOT
from kizu_support.environments import Environment

DESKTOP = re.compile(rb"libQt5(?:Gui|Widgets)[\w.-]*\.so|libGL\.so")
"""What the build with windows is linked against; its Qt asks the system for libGL."""


def documented() -> str:
    """What README has behind the installation of the plugins."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"pip install ([^&\n]*--no-deps opencv-python-headless)", text)
    assert found, "README names no line that brings the headless build back"
    assert len({part.replace("-q ", "") for part in found}) == 1
    return str(found[0]).replace("-q ", "")


def wants_desktop(environment: Environment) -> bool:
    (library,) = (environment.folder / "venv" / "lib").glob("python*/site-packages/cv2/cv2*.so")
    return DESKTOP.search(library.read_bytes()) is not None


@pytest.mark.network
@pytest.mark.timeout(600)
def test_the_documented_line_ends_without_a_desktop(tmp_path: Path) -> None:
    environment = Environment.create(tmp_path)
    pip = [str(environment.python), "-m", "pip", "install", "-q"]
    for name in ("opencv-python-headless", "opencv-python"):  # as pip does with plugins that require one each
        environment.run([*pip, "--no-deps", name])
    assert wants_desktop(environment)
    environment.run([*pip, *documented().split()])
    assert not wants_desktop(environment)
    environment.run([*pip, "numpy"])
    environment.run([str(environment.python), "-c", "import cv2; assert cv2.version.headless"])
