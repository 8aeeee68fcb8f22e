"""The odd and hostile pictures through the whole system: each has the outcome that its README states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kizu_support.command import Kizu, Result


@pytest.fixture
def run(kizu: Kizu, shared: Path) -> Result:
    result = kizu("run", shared / "images-odd", "--json")
    assert result.err == ""
    return result


def test_every_odd_file_has_its_outcome(kizu: Kizu, run: Result, shared: Path) -> None:
    manifest: dict[str, dict[str, Any]] = json.loads((shared / "images-odd" / "manifest.json").read_text())
    assert run.code == 3
    rows = [json.loads(line) for line in kizu("assets", "list", "--limit", "100", "--json").out.splitlines()]
    # Files with the same bytes are one photo, which has the name of one of them.
    made = {row["file_name"]: row for row in rows if row["thumbnail"]}
    sums = {name: (shared / "images-odd" / name).read_bytes() for name in manifest}
    wrong = {}
    for name, facts in manifest.items():
        row = next((made[other] for other in made if sums[other] == sums[name]), None)
        if facts["want"] == "ok" and row is None:
            wrong[name] = "no thumbnail"
        elif facts["want"] == "error" and row is not None:
            wrong[name] = "has a thumbnail"
        elif facts["want"] == "ok" and row and (row["width"], row["height"]) != tuple(facts["size"]):
            wrong[name] = f"{row['width']}x{row['height']}"
    assert wrong == {}
    for row in made.values():
        with Image.open(kizu.home / "blobs" / row["thumbnail"]) as thumbnail:
            assert thumbnail.size == (300, 300)


def test_every_refused_file_is_named_with_a_cause(kizu: Kizu, run: Result, shared: Path) -> None:
    manifest: dict[str, dict[str, Any]] = json.loads((shared / "images-odd" / "manifest.json").read_text())
    failures = kizu.json("status")["failures"]
    assert all(failure["message"] and failure["code"] in CAUSES for failure in failures), failures
    refused = sum(facts["want"] == "error" for facts in manifest.values())
    either = sum(facts["want"] == "either" for facts in manifest.values())
    assert refused <= sum(failure["count"] for failure in failures) <= refused + either
    worked = run.summary["worked"]["operations"]["optimize"]
    assert worked["retried"] == 0  # bad bytes stay bad


CAUSES = {"unreadable_picture", "unsupported_format", "picture_too_large"}
