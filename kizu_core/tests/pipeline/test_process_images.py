"""Several pictures at once: one decode each, to the size that is needed, in an order that finishes early."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytest_mock import MockerFixture

from kizu_core.errors import JobCancelled, JobError, KizuError, ModelUnavailable, UnreadablePicture
from kizu_core.media import memory
from kizu_core.pipeline import decoding
from kizu_core.pipeline.calling import Output
from kizu_core.pipeline.process import ProcessService
from kizu_core.pipeline.shots import ImageRequest
from kizu_core.plugins.specs import DetectorSpec, EmbedderSpec, ModelSpec, OcrSpec
from kizu_core.types import ModelType, Picture, Runtime

BASE: Any = {"summary": "for tests", "factory": "a:b", "output_version": "1"}
SPECS: dict[ModelType, ModelSpec] = {
    ModelType.EMBEDDER: EmbedderSpec(name="embedder", dim=2, space="s", min_side=100, **BASE),
    ModelType.DETECTOR: DetectorSpec(name="finder", labels=("cat",), min_side=200, **BASE),
    ModelType.OCR: OcrSpec(name="reader", languages=("en",), **BASE),
}


class Recorder:
    """All models in one: notes what each is shown, and can be told to fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[int]]] = []
        self.sizes: list[tuple[int, ...]] = []
        self.bad: set[int] = set()

    def note(self, name: str, pictures: Sequence[Picture]) -> None:
        self.calls.append((name, [picture.width_px for picture in pictures]))
        self.sizes += [picture.pixels.shape[:2] for picture in pictures]
        if self.bad & {picture.width_px for picture in pictures}:
            raise ValueError("not this one")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        self.note("embedding", pictures)
        return np.array([[picture.width_px, 0] for picture in pictures], np.float32)

    def detect(self, pictures: Sequence[Picture]) -> list[list[Any]]:
        self.note("objects", pictures)
        return [[] for _ in pictures]

    def read_text(self, pictures: Sequence[Picture]) -> list[list[Any]]:
        self.note("ocr", pictures)
        return [[] for _ in pictures]


class Shelf:
    """A source of these models."""

    def __init__(self, *, fits: bool = True, runtime: Runtime | None = None, loaded: bool = False) -> None:
        self.model = Recorder()
        self.missing: set[ModelType] = set()
        self._fits, self._runtime, self._loaded = fits, runtime, loaded

    def get(self, kind: ModelType, name: str | None = None) -> Any:
        if kind in self.missing:
            raise ModelUnavailable("Its weights went away.")
        return self.model

    def spec(self, kind: ModelType, name: str | None = None) -> ModelSpec:
        return SPECS[kind]

    def runtime(self, kind: ModelType, name: str | None = None) -> Runtime | None:
        return self._runtime

    def is_loaded(self, kind: ModelType, name: str | None = None) -> bool:
        return self._loaded

    def fit(self, kinds: Iterable[ModelType]) -> bool:
        return self._fits


class Diary:
    """A follower that writes down what it is told."""

    def __init__(self, *cancelled: int) -> None:
        self.turns: list[tuple[list[int], str]] = []
        self._cancelled = cancelled

    def turn(self, percents: Mapping[int, int], beside: Sequence[int], step: str) -> None:
        self.turns.append((sorted({*percents, *beside}), step))

    def cancelled(self, number: int) -> bool:
        return number in self._cancelled


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Three JPEGs, 1600, 1601 and 1602 wide."""
    paths = [tmp_path / f"{number}.jpg" for number in range(3)]
    for number, path in enumerate(paths):
        Image.new("RGB", (1600 + number, 800), "green").save(path)
    return paths


def requests(photos: Sequence[Path], *operations: str) -> list[ImageRequest]:
    return [ImageRequest(path=path, operations=operations) for path in photos]


def service(shelf: Shelf, threads: int = 2) -> ProcessService:
    return ProcessService(shelf, max_side=1000, threads=threads)


def outputs(found: Iterable[list[Output] | KizuError]) -> list[list[Output]]:
    return [one for one in found if not isinstance(one, KizuError)]


def test_each_picture_is_decoded_once_whatever_is_asked(photos: list[Path], mocker: MockerFixture) -> None:
    decode = mocker.spy(decoding, "decode")
    found = outputs(service(Shelf()).process_images(requests(photos, "ocr", "embedding", "objects")))
    assert decode.call_count == len(found) == 3
    assert [[one.operation for one in some] for some in found] == [["ocr", "embedding", "objects"]] * 3
    assert [one[1].value[0] for one in found] == [1600, 1601, 1602], "aligned with the requests"


@pytest.mark.parametrize(
    ("operations", "seen"),
    [(["embedding"], (400, 200)), (["embedding", "objects"], (400, 200)), (["embedding", "ocr"], (1000, 500))],
)
def test_it_is_decoded_to_what_the_most_demanding_model_can_use(
    photos: list[Path], operations: list[str], seen: tuple[int, int]
) -> None:
    shelf = Shelf()
    [[first, *_]] = outputs(service(shelf).process_images(requests(photos[:1], *operations)))
    assert set(shelf.model.sizes) == {seen[::-1]} if operations != ["embedding"] else {(100, 200)}
    assert first.decode_seconds > 0
    assert first.seen_px == ((200, 100) if operations == ["embedding"] else seen)


def test_embedders_get_all_pictures_in_one_call_and_others_finish_picture_by_picture(photos: list[Path]) -> None:
    shelf = Shelf()
    for _ in service(shelf).process_images(requests(photos, "ocr", "objects", "embedding")):
        shelf.model.calls.append(("done", []))
    assert [name for name, _ in shelf.model.calls] == ["embedding", *["objects", "ocr", "done"] * 3]
    assert shelf.model.calls[0][1] == [1600, 1601, 1602]


def test_where_the_models_do_not_fit_together_each_is_used_for_all_pictures_in_turn(photos: list[Path]) -> None:
    shelf = Shelf(fits=False)
    list(service(shelf).process_images(requests(photos, "ocr", "objects", "embedding")))
    assert [name for name, _ in shelf.model.calls] == ["embedding", *["objects"] * 3, *["ocr"] * 3]


def test_a_graphics_card_gets_all_pictures_of_every_operation_at_once(photos: list[Path]) -> None:
    shelf = Shelf(runtime=Runtime.TORCH_CUDA_FP16)
    found = outputs(service(shelf).process_images(requests(photos, "ocr", "objects")))
    assert [(name, len(widths)) for name, widths in shelf.model.calls] == [("objects", 3), ("ocr", 3)]
    assert {one.runtime for some in found for one in some} == {Runtime.TORCH_CUDA_FP16}


def test_a_picture_that_spoils_a_batch_fails_alone(photos: list[Path]) -> None:
    shelf = Shelf()
    shelf.model.bad = {1601}
    found = outputs(service(shelf).process_images(requests(photos, "embedding", "ocr")))
    assert [[one.error is None for one in some] for some in found] == [[True, True], [False, False], [True, True]]
    assert found[1][0].error is not None
    assert "embedder failed on this picture: ValueError: not this one" in found[1][0].error.message


def test_an_unreadable_picture_an_unknown_operation_and_one_taken_back_harm_no_other(photos: list[Path]) -> None:
    photos[0].write_bytes(photos[0].read_bytes()[:300])
    asked = [*requests(photos, "ocr"), ImageRequest(path=photos[1], operations=["smell"])]
    found = list(service(Shelf()).process_images(asked, Diary(2)))
    assert [type(one) for one in found] == [UnreadablePicture, list, JobCancelled, JobError]


def test_a_model_that_can_not_be_loaded_voids_its_own_operation_only(photos: list[Path]) -> None:
    shelf = Shelf()
    shelf.missing = {ModelType.EMBEDDER}
    for first, second in outputs(service(shelf).process_images(requests(photos, "embedding", "ocr"))):
        assert first.error is not None
        assert (first.error.code, first.error.retryable, second.error) == ("model_unavailable", True, None)


def test_the_follower_knows_at_any_time_which_pictures_are_touched(photos: list[Path]) -> None:
    diary = Diary()
    list(service(Shelf()).process_images(requests(photos, "embedding", "ocr"), diary))
    assert diary.turns[:2] == [([0, 1, 2], "decode"), ([0, 1, 2], "embedding")]
    assert diary.turns[2:] == [([0], "ocr"), ([1], "ocr"), ([2], "ocr")]


def test_few_pictures_are_in_memory_at_a_time(
    photos: list[Path], monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture
) -> None:
    monkeypatch.setattr(decoding, "MOST_PICTURES", 4)
    decode = mocker.spy(decoding, "decode")
    results = service(Shelf()).process_images(requests(photos * 4, "ocr"))
    next(results)
    assert decode.call_count <= 4
    assert len(list(results)) == 11


def test_one_picture_of_the_largest_size_is_allowed_however_large_that_is() -> None:
    assert list(decoding.portions(3, 20_000)) == [range(1), range(1, 2), range(2, 3)]
    assert list(decoding.portions(10, 2048)) == [range(8), range(8, 10)]


def test_what_fails_for_want_of_memory_beside_decoding_is_tried_again_alone(photos: list[Path]) -> None:
    """As if decoders had taken it: the first call fails while another thread decodes, the second waits for its end."""
    shelf = Shelf(loaded=True)
    read, decoded, busy = shelf.model.read_text, threading.Event(), []

    def starved(pictures: Sequence[Picture]) -> Any:
        busy.append(memory.busy())
        decoded.set()
        if len(busy) == 1:
            raise MemoryError
        return read(pictures)

    shelf.model.read_text = starved  # type: ignore[method-assign]
    with ThreadPoolExecutor(1) as beside, memory.bounded():
        found = beside.submit(lambda: outputs(service(shelf).process_images(requests(photos[:1], "ocr"))))
        assert decoded.wait(30)
    [[output]] = found.result()
    assert (output.error, busy) == (None, [True, False])
