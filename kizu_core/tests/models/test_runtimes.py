"""The choice of a runtime: what is held against a candidate, what a record counts for, what a full GPU leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kizu_core.models.loading import Loaded, _guarded
from kizu_core.models.runtimes import choose
from kizu_core.models.runtimes.drawings import drawings
from kizu_core.models.runtimes.gate import judge, observe
from kizu_core.models.runtimes.machine import Machine, this_machine
from kizu_core.models.runtimes.memory import ON_GPU, is_out_of_memory
from kizu_core.models.runtimes.notices import news
from kizu_core.models.runtimes.possible import obstacle, possible
from kizu_core.models.runtimes.record import NAME, Trial, fastest, record, recorded
from kizu_core.settings import Settings
from kizu_core.types import Box, Caption, Detection, Face, ModelType, Picture, Runtime, TextSpan
from kizu_support.callables import MakeSpec

CPU = (Runtime.ORT_FP32, Runtime.OPENVINO_BF16, Runtime.ORT_INT8)
MODERN = Machine(
    processor="x86_64",
    flags=frozenset({"avx2", "avx512_bf16", "avx512_vnni"}),
    libraries={"onnxruntime": "1.32.0", "openvino": "2026.4.1", "torch": "2.15.0+cpu"},
    gpu=False,
    contained=False,
)
RANDOM = np.random.default_rng(5)


def trial(runtime: Runtime, cpu_ms: float, wall_ms: float, why: str | None = None) -> Trial:
    return Trial(runtime=runtime, cpu_ms=cpu_ms, wall_ms=wall_ms, fidelity=1.0, obstacle=why)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine on which every engine is installed, whatever this one has."""
    monkeypatch.setattr("kizu_core.models.runtimes.record.this_machine", lambda: MODERN)
    return MODERN


# ---- what can be tried -------------------------------------------------------------------------------------


def test_each_runtime_that_can_not_be_tried_has_its_reason(spec: MakeSpec) -> None:
    ancient = replace(MODERN, flags=frozenset({"avx2"}), libraries={"torch": "2.15.0+cpu"})
    found = {one.runtime: one.obstacle for one in possible(spec(runtimes=tuple(Runtime)), ancient)}
    assert list(found) == list(Runtime)
    assert found[Runtime.TORCH_FP32] == ""
    assert "no NVIDIA GPU" in found[Runtime.TORCH_CUDA_FP16]
    assert "pip install onnxruntime" in found[Runtime.ORT_FP32]
    assert "pip install openvino" in found[Runtime.OPENVINO_FP32]
    assert "bfloat16" in found[Runtime.TORCH_BF16]
    with_gpu = replace(MODERN, gpu=True)
    assert "for the CPU only" in obstacle(Runtime.TORCH_CUDA_FP16, with_gpu)
    assert "pip install onnxruntime-gpu" in obstacle(Runtime.ORT_CUDA_FP32, with_gpu)
    assert "container was given no GPU" in obstacle(Runtime.ORT_CUDA_FP32, replace(MODERN, contained=True))
    assert "int8" in obstacle(Runtime.ORT_INT8, replace(MODERN, flags=frozenset()))
    assert [obstacle(one, MODERN) for one in CPU] == ["", "", ""]


def test_this_machine_is_looked_at_without_importing_an_engine() -> None:
    found = this_machine()
    assert found.fingerprint.startswith(found.processor)
    assert all(found.libraries.values())


# ---- the gate ----------------------------------------------------------------------------------------------


def vectors(noise: float) -> NDArray[np.float32]:
    """Like those of photos: much in common, a little of their own; `noise` on top."""
    common, own = np.ones((12, 64)), np.random.default_rng(1).normal(size=(12, 64)) * 0.2
    rows = common + own + noise * RANDOM.normal(size=(12, 64))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize(("noise", "passes"), [(0.0, True), (0.005, True), (0.05, False)])
def test_vectors_are_compared_without_what_they_have_in_common(noise: float, passes: bool) -> None:
    verdict = judge(ModelType.EMBEDDER, (vectors(0), None), (vectors(noise), None))
    assert (verdict.reason is None) == passes
    raw = np.min((vectors(0) * vectors(noise)).sum(axis=1))
    assert raw > 0.995  # what the cosine alone would let pass
    assert judge(ModelType.EMBEDDER, (vectors(0), vectors(0)), (vectors(0), vectors(0.05))).reason is not None


BOX = Box(0.2, 0.2, 0.6, 0.7)
MOVED = Box(0.21, 0.2, 0.61, 0.7)
NUDGED = Box(0.2001, 0.2, 0.6001, 0.7)


def things(*found: tuple[str, Box]) -> list[list[Detection]]:
    return [[Detection(label=label, score=0.9, box=box) for label, box in found], []]


@pytest.mark.parametrize(
    ("candidate", "passes"),
    [
        (things(("cat", BOX)), True),
        (things(("cat", NUDGED)), True),
        (things(("cat", MOVED)), False),
        (things(("dog", BOX)), False),
        (things(), False),
        (things(("cat", BOX), ("cat", MOVED)), False),
    ],
)
def test_boxes_have_to_lie_where_those_of_the_reference_lie(candidate: Any, passes: bool) -> None:
    assert (judge(ModelType.DETECTOR, things(("cat", BOX)), candidate).reason is None) == passes


def face(box: Box, vector: NDArray[np.float32]) -> Face:
    return Face(box=box, score=0.9, keypoints=((0.3, 0.3),) * 5, vector=vector)


def test_faces_are_compared_by_place_and_by_vector() -> None:
    one, other = vectors(0)[0], -vectors(0)[1]
    reference = [[face(BOX, one)]]
    assert judge(ModelType.FACE_MODEL, reference, [[face(NUDGED, one)]]).reason is None
    assert judge(ModelType.FACE_MODEL, reference, [[face(BOX, other)]]).reason is not None
    assert judge(ModelType.FACE_MODEL, reference, [[face(MOVED, one)]]).reason is not None
    assert judge(ModelType.FACE_MODEL, reference, [[]]).reason is not None


def test_text_and_captions_have_to_say_the_same() -> None:
    def read(text: str) -> list[list[TextSpan]]:
        return [[TextSpan(text=text, score=1.0, quad=((0.0, 0.0),) * 4)]]

    long = "GARDEN CONCERT Saturday 18:45 at the old mill, tickets 12 EUR at the door, bring a chair and friends too"
    assert judge(ModelType.OCR, read(long), read(long.replace("EUR", "EUB"))).reason is None
    assert judge(ModelType.OCR, read("18:45"), read("18.45")).reason is not None

    def told(text: str) -> list[Caption]:
        return [Caption(text=text, task="caption")]

    assert judge(ModelType.VLM, told("a red ball"), told("a red  ball")).reason is None
    assert judge(ModelType.VLM, told("a red ball"), told("a red bell")).reason is not None


@pytest.mark.parametrize("kind", [ModelType.DETECTOR, ModelType.FACE_MODEL, ModelType.OCR, ModelType.VLM])
def test_what_nothing_was_found_in_proves_nothing(kind: ModelType) -> None:
    nothing: Any = [Caption(text="", task="caption")] if kind is ModelType.VLM else [[], []]
    assert "found nothing" in str(judge(kind, nothing, nothing).reason)


def test_the_pictures_are_the_same_each_time_and_no_two_alike() -> None:
    once, again = drawings(), drawings()
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(once, again, strict=True))
    assert len({one.pixels.tobytes() for one in once}) == len(once) == 12


def test_an_embedder_without_a_text_side_is_judged_by_its_pictures() -> None:
    class Eyes:
        def embed_images(self, pictures: Sequence[Picture]) -> Any:
            return vectors(0)[: len(pictures)]

        def embed_texts(self, texts: Sequence[str]) -> Any:
            raise NotImplementedError

    seen = observe(Eyes(), ModelType.EMBEDDER, drawings())
    assert seen[1] is None
    assert judge(ModelType.EMBEDDER, seen, seen).reason is None


# ---- the record --------------------------------------------------------------------------------------------


def test_the_least_cpu_time_wins_and_between_equals_the_shorter_wait() -> None:
    slow, quick, near = (trial(one, *ms) for one, ms in zip(CPU, [(90, 50), (20, 20), (21, 11)], strict=True))
    assert fastest([slow, quick]) is quick
    assert fastest([slow, quick, near]) is near
    assert fastest([slow, replace(quick, obstacle="it sees something else")]) is slow
    assert fastest([replace(slow, obstacle="it failed")]) is None


def test_what_was_never_measured_runs_on_the_reference(spec: MakeSpec, settings: Settings) -> None:
    assert choose(spec(runtimes=CPU), settings) is Runtime.ORT_FP32
    assert choose(spec(), settings) is None


def test_a_record_counts_for_the_same_weights_processor_and_engine(
    spec: MakeSpec, settings: Settings, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = spec(runtimes=CPU)
    settings.models_dir.mkdir(parents=True)
    record(declared, settings, [trial(CPU[0], 90, 90), trial(CPU[1], 20, 20)])
    assert choose(declared, settings) is CPU[1]

    [weight] = declared.weights
    other_weights = spec(runtimes=CPU, weights=(replace(weight, sha256="0" * 64),))
    assert choose(other_weights, settings) is CPU[0]
    assert choose(spec(runtimes=CPU, output_version="2"), settings) is CPU[0]
    assert choose(spec(runtimes=(CPU[0], CPU[2])), settings) is CPU[0]
    changes: list[dict[str, Any]] = [
        {"flags": frozenset({"avx2"})},
        {"libraries": {**MODERN.libraries, "openvino": "2027.0"}},
        {"libraries": {"onnxruntime": "1.32.0"}},
    ]
    for change in changes:
        assert recorded(declared, settings, replace(MODERN, **change)) is None
    later = replace(MODERN, libraries={**MODERN.libraries, "torch": "3.0"})
    assert recorded(declared, settings, later) is not None, "an engine that it does not run on"


def test_a_damaged_record_is_as_none_and_is_replaced(spec: MakeSpec, settings: Settings, machine: Machine) -> None:
    declared, path = spec(runtimes=CPU), settings.models_dir / NAME
    settings.models_dir.mkdir(parents=True)
    for content in (b"", b"{", b"[]", b'{"ocr/tiny": {"runtime": "abacus"}}', b"\xff\xfe"):
        path.write_bytes(content)
        assert choose(declared, settings) is CPU[0]
    record(declared, settings, [trial(CPU[2], 5, 5)])
    record(spec(name="second", runtimes=CPU), settings, [trial(CPU[0], 5, 5)])
    assert choose(declared, settings) is CPU[2]
    assert path.stat().st_mode & 0o077 == 0


# ---- a GPU whose memory runs out ---------------------------------------------------------------------------


class OutOfMemoryError(RuntimeError):
    """What torch.cuda raises, by name."""


class Gpu:
    """An embedder with space for so many pictures at once; it says so as one of the libraries does."""

    def __init__(self, space: int, error: Exception) -> None:
        self.space, self.error = space, error
        self.sizes: list[int] = []
        self.closed = False

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        self.sizes.append(len(pictures))
        if len(pictures) > self.space:
            raise self.error
        return np.array([one.pixels[0, 0] for one in pictures], np.float32).reshape(-1, 3)

    def embed_texts(self, texts: Sequence[str]) -> Any:
        return np.zeros((len(texts), 3), np.float32)

    def close(self) -> None:
        self.closed = True


ERRORS = [
    OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested buffer of size"),
    RuntimeError("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED"),
]


@pytest.mark.parametrize("error", ERRORS)
def test_a_full_gpu_gets_less_at_a_time_and_the_results_stay_in_order(error: Exception) -> None:
    gpu = Gpu(3, error)
    model = ON_GPU[ModelType.EMBEDDER](gpu, lambda: pytest.fail("there was space for a few"))
    pictures = drawings()
    found = model.embed_images(pictures)  # type: ignore[attr-defined]
    assert np.array_equal(found, np.array([one.pixels[0, 0] for one in pictures], np.float32))
    assert gpu.sizes == [12, 6, 3, 3, 3, 3]
    assert model.embed_images(pictures[:4]).shape == (4, 3)  # type: ignore[attr-defined]
    assert gpu.sizes[6:] == [3, 1], "it remembers what fits"
    assert model.embed_images([]).shape == (0, 3)  # type: ignore[attr-defined]


def test_a_gpu_without_space_for_one_is_left_for_the_cpu_once_and_for_all(
    spec: MakeSpec, settings: Settings, site: Path
) -> None:
    gpu, declared = Gpu(0, ERRORS[0]), spec(runtimes=(Runtime.ORT_FP32, Runtime.TORCH_CUDA_FP16))
    gpu.read_text = gpu.embed_images  # type: ignore[attr-defined]
    news()
    loaded = _guarded(declared, settings, Loaded(gpu, Runtime.TORCH_CUDA_FP16))
    assert loaded.model.read_text(drawings()[:4]) == [[], [], [], []]
    assert gpu.sizes == [4, 2, 1]
    assert gpu.closed
    assert loaded.runtime is Runtime.ORT_FP32
    [told] = news()
    assert "GPU has not enough memory for tiny" in told
    assert loaded.model.read_text(drawings()[:4]) == [[], [], [], []]
    assert gpu.sizes == [4, 2, 1]


def test_other_errors_pass() -> None:
    model = ON_GPU[ModelType.EMBEDDER](Gpu(0, ValueError("no such picture")), lambda: None)
    with pytest.raises(ValueError, match="no such picture"):
        model.embed_images(drawings()[:2])  # type: ignore[attr-defined]
    assert not is_out_of_memory(ValueError("no such picture"))
