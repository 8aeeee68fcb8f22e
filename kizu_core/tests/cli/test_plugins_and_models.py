"""`kizu plugins` and `kizu models` as a user sees them, with fake plugins beside the real ones."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from kizu_support.command import Kizu
from kizu_support.fake_distribution import fake_distribution

READER = """
from kizu_core import OcrSpec, WeightFile, hookimpl

@hookimpl
def kizu_ocr_models():
    weight = WeightFile(name="w.onnx", source="https://example.org/w.onnx", bytes=3, licence="CC0-1.0",
                        sha256="a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9", digest_source="own")
    return [OcrSpec(name="reader", summary="reads", factory="fake_reader:build", output_version="1",
                    languages=("en",), weights=(weight,))]
"""


@pytest.fixture
def kizu(tmp_path: Path) -> Kizu:
    """The command with a plugin that reads, and one that fails; others that are installed are left out."""
    site = tmp_path / "site"
    points = {"reader": "fake_reader"}
    fake_distribution(site, "fake-reader", modules={"fake_reader": READER}, entry_points=points)
    fake_distribution(site, "fake-bad", modules={"fake_bad": "1 / 0"}, entry_points={"bad": "fake_bad"})
    return Kizu(tmp_path / "home", {"PYTHONPATH": str(site), "KIZU_LOAD_PLUGINS": "reader,bad"})


def test_the_list_shows_states_and_next_steps(kizu: Kizu) -> None:
    shown = kizu("plugins", "list")
    assert shown.code == 0
    states = {line.split()[0]: line.split()[1] for line in shown.out.splitlines() if line and line[0].isalpha()}
    assert (states["core"], states["reader"], states["bad"]) == ("ready", "ready", "failed")
    assert "! bad: It failed at importing fake_bad: ZeroDivisionError" in shown.out
    assert "- faces: " in shown.out


def test_strictness_shows_in_the_exit_code(kizu: Kizu) -> None:
    kizu.variables["KIZU_STRICT_PLUGINS"] = "1"
    assert kizu("plugins", "list").code == 1


def test_details_name_files_and_factories_that_are_not_there(kizu: Kizu, tmp_path: Path) -> None:
    shown = kizu("plugins", "list", "-v").out
    assert f"file: {tmp_path / 'site' / 'fake_reader.py'}" in shown
    assert "reader names fake_reader:build, which can't be imported" in shown
    assert "Traceback" in shown


def test_json_has_the_same(kizu: Kizu) -> None:
    shown = kizu.json("plugins", "list")
    plugins = {plugin["name"]: plugin for plugin in shown["plugins"]}
    assert plugins["bad"]["state"] == "failed"
    assert plugins["reader"]["specs"][0]["kind"] == "ocr"
    assert [problem["plugin"] for problem in shown["problems"]] == ["bad"]
    assert "embedding" in [gap["operation"] for gap in shown["missing"]]


def test_switching_off_and_on(kizu: Kizu) -> None:
    config = kizu.home / "kizu.toml"
    config.parent.mkdir()
    config.write_text("# my own remark\nthreads = 2\n")
    assert kizu("plugins", "disable", "bad").code == 0
    assert tomllib.loads(config.read_text()) == {"threads": 2, "plugins": {"disabled": ["bad"]}}
    assert "# my own remark" in config.read_text()
    assert "! bad" not in kizu("plugins", "list").out
    assert kizu("plugins", "enable", "bad").code == 0
    assert "! bad" in kizu("plugins", "list").out


@pytest.mark.parametrize(("name", "sentence"), [("core", "is Kizu itself"), ("nope", "No installed plugin is called")])
def test_what_cannot_be_switched_off(name: str, sentence: str, kizu: Kizu) -> None:
    refused = kizu("plugins", "disable", name)
    assert refused.code == 1
    assert sentence in refused.err
    assert "Traceback" not in refused.err


def test_models_show_weights_with_their_licence(kizu: Kizu) -> None:
    shown = kizu("models", "list", "-v").out
    assert re.search(r"\*  ocr +reader +incomplete", shown)
    assert re.search(r"\*  face-clusterer +leader +ready", shown)
    assert "w.onnx: missing, 0.0 MB, licence CC0-1.0" in shown
    assert str(kizu.home / "models" / "ocr" / "reader" / "w.onnx") in shown


def test_verify_reads_the_weights_and_imports_the_factory(kizu: Kizu, tmp_path: Path) -> None:
    place = kizu.home / "models" / "ocr" / "reader" / "w.onnx"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"bad")
    wrong = kizu("models", "verify", "reader")
    assert wrong.code == 3
    assert "wrong digest" in wrong.out
    assert "fake_reader:build" in wrong.out

    place.write_bytes(b"abd")
    with (tmp_path / "site" / "fake_reader.py").open("a") as module:
        module.write("\ndef build(context): ...\n")
    right = kizu("models", "verify", "reader")
    assert (right.code, right.out) == (0, "ocr reader: as declared\n")


def test_using_a_model_writes_it_down(kizu: Kizu) -> None:
    assert kizu("models", "use", "ocr", "reader").code == 0
    assert tomllib.loads((kizu.home / "kizu.toml").read_text())["models"] == {"ocr": "reader"}


@pytest.mark.parametrize(
    ("arguments", "hint"), [(("ocr", "nope"), "Installed: reader"), (("smell", "reader"), "Kinds: embedder")]
)
def test_using_what_is_not_there_lists_what_is(arguments: tuple[str, str], hint: str, kizu: Kizu) -> None:
    refused = kizu("models", "use", *arguments)
    assert refused.code == 1
    assert hint in refused.err
