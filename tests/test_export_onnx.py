# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""`kizu models export --onnx` from one machine to another, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

for library in ("insightface", "ultralytics"):
    pytest.importorskip(library, reason="the plugins whose models are exported are not all installed")

from kizu_support.command import Kizu
from kizu_support.weights.bundles import sources


@pytest.fixture
def maker(kizu: Kizu) -> Kizu:
    """A machine with the original libraries."""
    kizu.variables |= {**sources(), "KIZU_LOAD_PLUGINS": "core,clip,yolo,insightface,rapidocr"}
    return kizu


def test_from_one_machine_to_another(maker: Kizu, tmp_path: Path) -> None:
    archive = tmp_path / "stick" / "faces.tar"
    said = maker("models", "export", "--onnx", "insightface", archive)
    assert said.code == 0, said.err
    assert f"kizu models import {archive}" in said.out
    other = Kizu(tmp_path / "other", {"KIZU_LOAD_PLUGINS": "core,onnx"})
    waiting = other("models", "list")
    assert "faces-onnx needs the weights bundle.json" in waiting.out
    assert "kizu models export --onnx NAME" in waiting.out
    assert other("models", "import", archive, "--no-bench").code == 0
    models = {one["name"]: one for one in other.json("models", "list")}
    here = {one["name"]: one for one in maker.json("models", "list")}
    assert models["faces-onnx"]["readiness"]["ready"]
    assert models["faces-onnx"]["space"] == here["insightface"]["space"]
    assert {one["licence"] for one in models["faces-onnx"]["weights"]} == {"yours"}


def test_a_bundle_for_another_model_is_one_sentence(maker: Kizu, tmp_path: Path) -> None:
    assert maker("models", "export", "--onnx", "yolo", tmp_path / "yolo").code == 0
    wrong = tmp_path / "yolo" / "detector" / "yolo-onnx"
    other = Kizu(tmp_path / "other", {"KIZU_LOAD_PLUGINS": "core,onnx", "ONNX_FACES": str(wrong)})
    assert "describes a yolo-onnx (detector), not a faces-onnx" in other("models", "list").out


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("rapidocr",), "rapidocr can't be exported as ONNX"),
        (("clip", "yolo"), "One model at a time"),
        (("nothing",), "There is no model 'nothing'"),
    ],
)
def test_what_it_refuses(names: tuple[str, ...], sentence: str, maker: Kizu, tmp_path: Path) -> None:
    said = maker("models", "export", "--onnx", *names, tmp_path / "x")
    assert said.code == 1
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "x").exists()
