"""One picture through several operations: one decode, and one that fails harms no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pytest_mock import MockerFixture

from kizu_core.errors import JobCancelled, JobError, ModelUnavailable, NoSuchModel, UnreadablePicture
from kizu_core.pipeline import decoding
from kizu_core.pipeline.process import ProcessService
from kizu_core.pipeline.shots import ImageRequest
from kizu_core.plugins.specs import DetectorSpec, ModelSpec, OcrSpec, VlmSpec
from kizu_core.types import Caption, Detection, ModelType, Picture, Runtime, TextSpan

BASE: Any = {"summary": "for tests", "factory": "a:b", "output_version": "1"}
SPECS: dict[ModelType, ModelSpec] = {
    ModelType.OCR: OcrSpec(name="reader", languages=("en",), **BASE),
    ModelType.DETECTOR: DetectorSpec(name="finder", labels=("cat",), **BASE),
    ModelType.VLM: VlmSpec(name="teller", tasks=("caption",), **BASE),
}
QUAD = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class Reader:
    """Tells the size of what it was shown."""

    def read_text(self, pictures: Sequence[Picture]) -> list[list[TextSpan]]:
        return [
            [TextSpan(text=f"{p.pixels.shape} of {p.width_px}x{p.height_px}", score=1, quad=QUAD)] for p in pictures
        ]


class Finder:
    def detect(self, pictures: Sequence[Picture]) -> list[list[Detection]]:
        raise ZeroDivisionError("no cats")


class Teller:
    def describe(self, pictures: Sequence[Picture], *, task: str | None = None) -> list[Caption]:
        raise ModelUnavailable("Its weights went away.")


class Shelf:
    """A source of these three models."""

    def __init__(self) -> None:
        self._models = {ModelType.OCR: Reader(), ModelType.DETECTOR: Finder(), ModelType.VLM: Teller()}

    def get(self, kind: ModelType, name: str | None = None) -> Any:
        return self._models[kind]

    def spec(self, kind: ModelType, name: str | None = None) -> ModelSpec:
        if kind not in SPECS:
            raise NoSuchModel(f"No model of kind {kind}.")
        return SPECS[kind]

    def runtime(self, kind: ModelType, name: str | None = None) -> Runtime | None:
        return None

    def is_loaded(self, kind: ModelType, name: str | None = None) -> bool:
        return True

    def fit(self, kinds: Iterable[ModelType]) -> bool:
        return True


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (400, 200), "green").save(path)
    return path


@pytest.fixture
def service() -> ProcessService:
    return ProcessService(Shelf(), max_side=100)


def test_models_see_a_small_picture_and_know_the_size_of_the_whole(service: ProcessService, photo: Path) -> None:
    (output,) = service.process_image(ImageRequest(path=photo, operations=["ocr"]))
    assert [span.text for span in output.value] == ["(50, 100, 3) of 400x200"]
    assert (output.operation, output.spec.name, output.error) == ("ocr", "reader", None)


def test_one_decode_for_all_operations(service: ProcessService, photo: Path, mocker: MockerFixture) -> None:
    decode = mocker.spy(decoding, "decode")
    service.process_image(ImageRequest(path=photo, operations=["ocr", "objects", "describe"]))
    assert decode.call_count == 1


def test_an_operation_that_fails_is_recorded_and_the_others_go_on(service: ProcessService, photo: Path) -> None:
    outputs = service.process_image(ImageRequest(path=photo, operations=["objects", "describe", "ocr"]))
    found, told, read = outputs
    assert read.error is None
    assert found.error is not None
    assert (found.error.code, found.error.retryable) == ("model_failed", False)
    assert "finder failed on this picture: ZeroDivisionError: no cats" in found.error.message
    assert told.error is not None
    assert (told.error.code, told.error.retryable) == ("model_unavailable", True)


def test_an_unknown_operation_names_those_that_there_are(service: ProcessService, photo: Path) -> None:
    with pytest.raises(JobError, match="'smell'") as caught:
        service.process_image(ImageRequest(path=photo, operations=["smell"]))
    assert "ocr" in str(caught.value.hint)


def test_a_job_taken_back_ends_between_two_operations(service: ProcessService, photo: Path) -> None:
    asked = iter([False, True])
    steps: list[str] = []
    with pytest.raises(JobCancelled):
        service.process_image(
            ImageRequest(path=photo, operations=["ocr", "objects"]),
            progress=lambda percent, step: steps.append(step),
            cancelled=lambda: next(asked),
        )
    assert steps == ["decode", "objects"], "quick operations come first"


def test_an_unreadable_picture_is_no_matter_of_the_models(service: ProcessService, photo: Path) -> None:
    photo.write_bytes(photo.read_bytes()[:40])
    with pytest.raises(UnreadablePicture):
        service.process_image(ImageRequest(path=photo, operations=["ocr"]))
