# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""EasyOCR on drawn signs: what it reads, where, and what it must never do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("easyocr", reason="easyocr is not installed", exc_type=ImportError)
support = pytest.importorskip("kizu_support.models", reason="the repository's test support is not here")

import torch

from kizu_core import ModelContext, ModelType, ModelUnavailable, OcrModel, Picture
from kizu_core.testing import sign as draw_sign
from kizu_plugin_easyocr.model import build


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def model(home: Path) -> Iterator[OcrModel]:
    with support.loaded(ModelType.OCR, "easyocr", home) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def sign() -> Picture:
    return draw_sign("HARBOUR CAFE", "open till nine")


def test_words_are_read_in_order_and_placed(model: OcrModel, sign: Picture) -> None:
    (spans,) = model.read_text([sign])
    assert "".join(span.text for span in spans).replace(" ", "") == "HARBOURCAFEopentillnine"
    assert spans[0].quad[0] == pytest.approx((60 / sign.width_px, 50 / sign.height_px), abs=0.05)


def test_a_language_without_its_file_is_one_sentence(home: Path) -> None:
    with (
        pytest.raises(ModelUnavailable, match=r"EasyOCR can't read de: .*latin_g2") as caught,
        support.loaded(ModelType.OCR, "easyocr", home, EASYOCR_LANGUAGES="de"),
    ):
        pass
    assert str(home / "models" / "ocr" / "easyocr") in str(caught.value.hint)


def test_a_pickle_that_runs_code_does_not_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "ran"
    evil = tmp_path / "evil.pth"
    torch.save(Evil(marker), evil)
    monkeypatch.setattr("easyocr.easyocr.calculate_md5", lambda path: MD5[Path(path).name])
    context = ModelContext(
        device="cpu", threads=1, weights={"craft_mlt_25k.pth": evil, "english_g2.pth": evil}, cache_dir=tmp_path
    )
    with pytest.raises(Exception, match="Weights only load failed"):
        build(context)
    assert not marker.exists()


MD5 = {
    "craft_mlt_25k.pth": "2f8227d2def4037cdb3b34389dcf9ec1",
    "english_g2.pth": "5864788e1821be9e454ec108d61b887d",
}
"""What EasyOCR asks for, as if somebody had forged files of the same sum."""


class Evil:
    """A pickle that makes a file when it is loaded without care."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (self.marker,)
