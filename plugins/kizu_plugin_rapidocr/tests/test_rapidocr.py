"""RapidOCR on drawn signs: what it reads, where, and what it must never do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from kizu_core import ModelType, ModelUnavailable, OcrModel, Picture, Runtime, TextSpan
from kizu_core.testing import picture_of
from kizu_core.testing import sign as draw_sign

support = pytest.importorskip("kizu_support.models", reason="the repository's test support is not here")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OcrModel]:
    with support.loaded(ModelType.OCR, "rapidocr", tmp_path_factory.mktemp("home")) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def sign() -> Picture:
    return draw_sign("HARBOUR CAFE", "open till 18:45")


@pytest.fixture(scope="module")
def spans(model: OcrModel, sign: Picture) -> Sequence[TextSpan]:
    return model.read_text([sign])[0]


def words(spans: Sequence[TextSpan]) -> list[str]:
    return [span.text.replace(" ", "") for span in spans]


def test_words_are_read_in_order_and_placed(spans: Sequence[TextSpan], sign: Picture) -> None:
    assert words(spans) == ["HARBOURCAFE", "opentill18:45"]
    for index, span in enumerate(spans):
        assert span.score > 0.8
        assert span.quad[0] == pytest.approx((60 / sign.width_px, (50 + 100 * index) / sign.height_px), abs=0.04)


def test_places_are_relative_to_the_picture_whatever_its_scale(
    model: OcrModel, sign: Picture, spans: Sequence[TextSpan]
) -> None:
    (small,) = model.read_text([picture_of(sign.pixels[::2, ::2])])
    for one, other in zip(spans, small, strict=True):
        assert np.allclose(one.quad, other.quad, atol=0.03)


def test_a_line_on_its_head_is_read(model: OcrModel, sign: Picture) -> None:
    (turned,) = model.read_text([picture_of(np.rot90(sign.pixels, 2))])
    assert "HARBOURCAFE" in words(turned)


@pytest.mark.parametrize("shape", [(1, 900), (900, 10), (31, 33)])
def test_strips_and_specks_hold_no_text_and_do_no_harm(shape: tuple[int, int], model: OcrModel) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    assert model.read_text([picture_of(noise)]) == [[]]


def test_openvino_reads_the_same(tmp_path: Path, sign: Picture, spans: Sequence[TextSpan]) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed")
    with support.loaded_on(Runtime.OPENVINO_BF16, ModelType.OCR, "rapidocr", tmp_path) as model:
        (found,) = model.read_text([sign])
    assert words(found) == words(spans)
    for one, other in zip(found, spans, strict=True):
        assert np.allclose(one.quad, other.quad, atol=0.01)


def test_after_close_it_says_so(tmp_path: Path, sign: Picture) -> None:
    with support.loaded(ModelType.OCR, "rapidocr", tmp_path) as model:
        model.close()
        with pytest.raises(RuntimeError, match="after close"):
            model.read_text([sign])


def test_a_missing_file_is_no_reason_to_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kizu_core.models.weights._package_folders", lambda package: [])
    with (
        pytest.raises(ModelUnavailable, match=r"PP-OCRv6_det_small\.onnx"),
        support.loaded(ModelType.OCR, "rapidocr", tmp_path),
    ):
        pass
