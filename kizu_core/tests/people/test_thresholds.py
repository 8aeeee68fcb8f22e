"""All numbers by which faces are taken for a person stand in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import kizu_core.people
from kizu_core.people import thresholds

FOLDER = Path(kizu_core.people.__file__).parent


def test_no_other_module_has_a_threshold_of_its_own() -> None:
    found = {
        (path.name, node.value)
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    }
    assert {name for name, _ in found} == {"thresholds.py"}


def test_the_bands_are_in_order() -> None:
    assert thresholds.ASSIGN < thresholds.MAY_BE_ONE < thresholds.JOIN < thresholds.MAY_BE_TWINS < thresholds.MERGE
