"""A GPU without memory is left for the CPU in the middle of a run: the photo is done, and people are told.

There is no GPU here: the model says what torch says when there is no memory left.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from kizu_core.models.runtimes.record import Trial, record
from kizu_core.models.selection import build_catalog
from kizu_core.settings import load_settings
from kizu_core.types import ModelType, Runtime
from kizu_support.command import Kizu
from kizu_support.fake_distribution import fake_distribution, installed
from kizu_support.reader import noisy_photos

PLUGIN = """
from kizu_core import OcrSpec, Runtime, TextSpan, hookimpl

class OutOfMemoryError(RuntimeError):
    pass

class Reader:
    def __init__(self, context):
        self.device = context.device

    def read_text(self, pictures):
        if self.device == "cuda":
            raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        quad = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
        return [[TextSpan(text="welcome", score=1.0, quad=quad)] for _ in pictures]

    def close(self):
        pass

@hookimpl
def kizu_ocr_models():
    return [OcrSpec(name="reader", summary="reads", factory="gpu_reader:Reader", output_version="1", languages=("en",),
                    runtimes=(Runtime.TORCH_FP32, Runtime.TORCH_CUDA_FP16))]
"""


@pytest.mark.skipif(find_spec("torch") is None, reason="a record of torch counts only where torch is installed")
def test_the_run_goes_on_on_the_cpu_and_says_so(kizu: Kizu, tmp_path: Path) -> None:
    site = tmp_path / "site"
    fake_distribution(site, "gpu-reader", modules={"gpu_reader": PLUGIN}, entry_points={"reader": "gpu_reader"})
    kizu.variables |= {"PYTHONPATH": str(site), "KIZU_LOAD_PLUGINS": "core,reader"}
    settings = load_settings({"home": kizu.home}, environ={"KIZU_LOAD_PLUGINS": "core,reader"})
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    with installed(site):
        spec = build_catalog(settings).model(ModelType.OCR, "reader")
        gpu = Trial(runtime=Runtime.TORCH_CUDA_FP16, cpu_ms=1.0, wall_ms=1.0, fidelity=1.0)
        assert record(spec, settings, [gpu])

    done = kizu("run", noisy_photos(tmp_path / "photos", 3), "--json")
    assert done.code == 0, done.err
    [told] = done.summary["worked"]["notices"]
    assert told == "The GPU has not enough memory for reader, which runs on torch-fp32 until the next start."
    assert [one["message"] for one in done.events if one["event"] == "model_notice"] == [told]
    assert done.summary["jobs"]["ocr"]["done"] == 3
    assert "On the GPU, torch-cuda-fp16, 1 ms a picture." in kizu("doctor").out
