"""What `kizu doctor` says of engines and runtimes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from kizu_core.cli.model_checks import engines, opencv, runtimes
from kizu_core.models.runtimes.machine import this_machine
from kizu_core.models.runtimes.record import Trial, record
from kizu_core.models.selection import build_catalog
from kizu_core.plugins.specs import ModelSpec
from kizu_core.settings import Settings, load_settings
from kizu_core.types import ModelType, Runtime
from kizu_support.fake_distribution import fake_distribution, installed

PLUGIN = """
from kizu_core import OcrSpec, Runtime, hookimpl

@hookimpl
def kizu_ocr_models():
    return [OcrSpec(name="reader", summary="reads", factory="some_reader:build", output_version="1", languages=("en",),
                    runtimes=(Runtime.ORT_FP32, Runtime.ORT_CUDA_FP32))]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = load_settings({"home": tmp_path / "home", "load_plugins": ("reader",)}, environ={})
    home.models_dir.mkdir(parents=True)
    return home


@pytest.fixture
def spec(settings: Settings, tmp_path: Path) -> Iterator[ModelSpec]:
    fake_distribution(
        tmp_path / "site", "some-reader", modules={"some_reader": PLUGIN}, entry_points={"reader": "some_reader"}
    )
    with installed(tmp_path / "site"):
        yield build_catalog(settings).model(ModelType.OCR, "reader")


def test_two_distributions_of_onnxruntime_are_a_failure_with_the_lines_that_mend_it(
    settings: Settings, mocker: MockerFixture
) -> None:
    both = replace(this_machine(), libraries={"onnxruntime": "1.32", "onnxruntime-gpu": "1.32"}, gpu=False)
    mocker.patch("kizu_core.models.runtimes.machine.this_machine", return_value=both)
    found = engines(settings)
    assert found.state == "fail"
    assert "overwrite each other" in found.sentence
    assert "pip uninstall -y onnxruntime onnxruntime-gpu && " in found.hint
    assert found.hint.endswith("pip install onnxruntime")
    mocker.patch("kizu_core.models.runtimes.machine.this_machine", return_value=replace(both, gpu=True))
    assert engines(settings).hint.endswith("pip install onnxruntime-gpu")


def test_a_model_that_was_never_benched_is_told_how(settings: Settings, spec: ModelSpec) -> None:
    [found] = runtimes(settings)
    assert (found.name, found.state) == ("runtime of reader", "ok")
    assert "On the CPU, ort-fp32, never compared" in found.sentence
    assert found.hint.endswith("kizu models bench reader")


@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="its record counts only where it is installed")
def test_device_runtime_cost_and_why_not_the_gpu(settings: Settings, spec: ModelSpec, mocker: MockerFixture) -> None:
    no_gpu = Trial(runtime=Runtime.ORT_CUDA_FP32, obstacle="no NVIDIA GPU was found")
    record(spec, settings, [Trial(runtime=Runtime.ORT_FP32, cpu_ms=12.3, wall_ms=8.0, fidelity=1.0), no_gpu])
    [found] = runtimes(settings)
    expected = "On the CPU, ort-fp32, 12 ms a picture. Not on a GPU: no NVIDIA GPU was found."
    assert (found.sentence, found.hint) == (expected, "")
    libraries = {**this_machine().libraries, "onnxruntime-gpu": "1.32"}
    machine = replace(this_machine(), libraries=libraries)
    mocker.patch("kizu_core.models.runtimes.machine.this_machine", return_value=machine)
    [found] = runtimes(settings)
    assert found.sentence.endswith("onnxruntime-gpu came since.")
    assert found.hint


@pytest.mark.parametrize(("headless", "state"), [("False", "warn"), ("True", "ok")])
def test_the_build_of_opencv_that_needs_a_desktop_is_named(
    headless: str, state: str, settings: Settings, tmp_path: Path, mocker: MockerFixture
) -> None:
    package = tmp_path / "cv2"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    (package / "version.py").write_text(f"contrib = False\nheadless = {headless}\n")
    mocker.patch("sys.path", [str(tmp_path)])
    mocker.patch.dict("sys.modules")
    sys.modules.pop("cv2", None)  # a test before may have imported the real one
    found = opencv(settings)
    assert found.state == state
    assert ("--no-deps opencv-python-headless" in found.hint) == (state == "warn")
