"""`kizu models bench` as a user meets it, and the same at the end of an import."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from kizu_support.command import Kizu
from kizu_support.fake_distribution import fake_distribution

pytestmark = pytest.mark.skipif(find_spec("onnxruntime") is None, reason="its runtimes need it")

CONTENT = b"weights"
READER = f"""
import time
from kizu_core import OcrSpec, Runtime, TextSpan, WeightFile, hookimpl

class Reader:
    def __init__(self, context):
        self.text = "welcome" if context.runtime is Runtime.ORT_FP32 else "farewell"

    def read_text(self, pictures):
        quad = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
        return [[TextSpan(text=self.text, score=1.0, quad=quad)] for _ in pictures]

    def close(self):
        pass

@hookimpl
def kizu_ocr_models():
    weight = WeightFile(name="reader.onnx", source="https://example.org/reader.onnx", bytes={len(CONTENT)},
                        licence="CC0-1.0")
    return [OcrSpec(name="reader", summary="reads", factory="fake_reader:Reader", output_version="1",
                    languages=("en",), weights=(weight,),
                    runtimes=(Runtime.ORT_FP32, Runtime.ORT_INT8, Runtime.ORT_CUDA_FP32))]
"""


@pytest.fixture
def kizu(tmp_path: Path) -> Kizu:
    points = {"reader": "fake_reader"}
    fake_distribution(tmp_path / "site", "fake-reader", modules={"fake_reader": READER}, entry_points=points)
    (tmp_path / "reader.onnx").write_bytes(CONTENT)
    return Kizu(tmp_path / "home", {"PYTHONPATH": str(tmp_path / "site"), "KIZU_LOAD_PLUGINS": "reader"})


def test_what_came_is_tried_at_once_and_again_when_it_is_asked_for(kizu: Kizu, tmp_path: Path) -> None:
    nothing = kizu("models", "bench")
    assert (nothing.code, "No model here leaves a choice" in nothing.out) == (0, True)

    imported = kizu("models", "import", tmp_path / "reader.onnx")
    assert imported.code == 0, imported.err
    assert "reader: runs on ort-fp32, " in imported.out

    shown = kizu("models", "bench", "reader")
    assert shown.code == 0
    lines = {line.split()[0]: line for line in shown.out.splitlines()}
    assert lines["ort-fp32"].endswith("chosen")
    assert "does not" in lines["ort-int8"]  # it sees something else, or this processor has nothing for int8
    assert "GPU" in lines["ort-cuda-fp32"] or "onnxruntime-gpu" in lines["ort-cuda-fp32"]

    [model] = json.loads(kizu("models", "bench", "--json").out)["models"]
    assert (model["kind"], model["model"], model["chosen"], model["error"]) == ("ocr", "reader", "ort-fp32", None)
    assert [one["runtime"] for one in model["trials"]] == ["ort-fp32", "ort-int8", "ort-cuda-fp32"]


def test_it_can_be_left_out(kizu: Kizu, tmp_path: Path) -> None:
    imported = kizu("models", "import", tmp_path / "reader.onnx", "--no-bench", "--json")
    assert json.loads(imported.out)["runtimes"] == []
    assert not (kizu.home / "models" / "runtimes.json").exists()
