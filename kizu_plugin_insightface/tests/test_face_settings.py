"""Which pack is used, what its licence asks, and what is wrong with a folder that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("kizu_plugin_insightface.plugin", reason="the plugin is not installed")

from kizu_core import FaceModelSpec
from kizu_core.models.configured import configure_spec
from kizu_core.settings import load_settings
from kizu_plugin_insightface.plugin import kizu_face_models


def configured(home: Path, **environ: str) -> FaceModelSpec:
    (spec,) = kizu_face_models()
    made = configure_spec(spec, load_settings({"home": home}, environ=environ))
    assert isinstance(made, FaceModelSpec)
    return made


def test_buffalo_l_is_two_files_that_need_a_consent(tmp_path: Path) -> None:
    spec = configured(tmp_path)
    assert [one.name for one in spec.weights] == ["det_10g.onnx", "w600k_r50.onnx"]
    assert all(one.consent == "non-commercial research only" and one.sha256 for one in spec.weights)
    assert (spec.dim, spec.space) == (512, "insightface/w600k_r50")


@pytest.mark.parametrize("pack", ["buffalo_m", "buffalo_s"])
def test_other_packs_come_from_the_release_and_need_a_consent_too(pack: str, tmp_path: Path) -> None:
    spec = configured(tmp_path, FACE_MODEL_NAME=pack)
    assert spec.output_version == f"{pack}-1"
    assert all(one.consent and f"{pack}.zip#" in one.source and not one.exact for one in spec.weights)


def test_packs_with_one_recogniser_share_their_vectors(tmp_path: Path) -> None:
    spaces = {
        name: configured(tmp_path, FACE_MODEL_NAME=name).space for name in ("buffalo_l", "buffalo_m", "buffalo_s")
    }
    assert spaces["buffalo_l"] == spaces["buffalo_m"] != spaces["buffalo_s"]


def test_a_folder_of_ones_own_has_a_space_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    support = pytest.importorskip("kizu_support.weights.faces", reason="the repository's test support is not here")
    spec = configured(tmp_path, FACE_MODEL_NAME=str(support.fake_face_pack()))
    assert [one.name for one in spec.weights] == ["detector.onnx", "recogniser.onnx"]
    assert spec.space.startswith("insightface/faces-fake")
    assert spec.dim == 512


@pytest.mark.parametrize(
    ("name", "sentence"), [("buffalo_xl", "neither a known pack nor a folder"), (".", "has no detector")]
)
def test_what_is_no_pack_is_one_sentence(
    name: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fault = configured(tmp_path, FACE_MODEL_NAME=name).fault
    assert fault is not None
    assert sentence in fault.reason
    assert fault.hint


def test_a_damaged_file_in_a_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "det.onnx").write_bytes(b"damaged")
    fault = configured(tmp_path, FACE_MODEL_NAME=str(tmp_path)).fault
    assert fault is not None
    assert "can't be read as an ONNX file" in fault.reason
