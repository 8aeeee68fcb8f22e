"""Whatever is wrong with a model's files, library or terms: one plain sentence, and its photos wait untouched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kizu_support.command import Kizu
from kizu_support.fake_distribution import fake_distribution
from kizu_support.hub import Hub, running_hub

WEIGHTS = b"weights of a reader"
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()

PLUGIN = """
from kizu_core import OcrSpec, WeightFile, hookimpl

@hookimpl
def kizu_ocr_models():
    weight = WeightFile(name="w.bin", source="{url}/w.bin", bytes={size}, licence="CC0-1.0", sha256="{digest}",
                        digest_source="computed", consent={consent!r})
    return [OcrSpec(name="reader", summary="reads", factory="refusing.model:build", output_version="1",
                    languages=("en",), weights=(weight,), requires={requires!r})]
"""

MODEL = """
class Reader:
    def __init__(self, context):
        context.weights["w.bin"].read_bytes()

    def read_text(self, pictures):
        return [[] for _ in pictures]

    def close(self):
        pass

build = Reader
"""

Install = Callable[..., None]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        hub.put("/w.bin", WEIGHTS)
        yield hub


@pytest.fixture
def install(kizu: Kizu, hub: Hub, tmp_path: Path) -> Install:
    """Installs the plugin; keyword arguments change what it declares."""

    def make(**changes: Any) -> None:
        declared = {"url": hub.url, "size": len(WEIGHTS), "digest": DIGEST, "consent": None, "requires": ()}
        modules = {"refusing.plugin": PLUGIN.format(**(declared | changes)), "refusing.model": MODEL}
        points = {"reader": "refusing.plugin"}
        fake_distribution(tmp_path / "site", "fake-reader", modules=modules, entry_points=points)

    kizu.variables |= {"PYTHONPATH": str(tmp_path / "site"), "KIZU_LOAD_PLUGINS": "reader"}
    return make


def ended(kizu: Kizu, tmp_path: Path) -> str:
    """What a run over one photo says, in which nothing failed, nothing was tried, and the photo waits."""
    photos = tmp_path / "photos"
    photos.mkdir(exist_ok=True)
    Image.new("RGB", (64, 48), (90, 0, 0)).save(photos / "one.png")
    done = kizu("run", photos)
    assert done.code == 0, done.out
    (job,) = kizu.json("jobs", "list", "--status", "waiting")["jobs"]
    assert (job["operations"], job["attempt"]) == (["ocr"], 0)
    assert kizu.json("status")["jobs"]["ocr"]["failed"] == 0
    assert "Traceback" not in done.out + done.err
    return done.out


def test_a_library_that_is_not_installed(kizu: Kizu, install: Install, tmp_path: Path) -> None:
    install(requires=("kizu_no_such_library",))
    said = ended(kizu, tmp_path)
    assert "1 photo waits: reader needs the library kizu_no_such_library." in said
    assert "-m pip install kizu_no_such_library" in said


def test_a_wrong_digest(kizu: Kizu, install: Install, hub: Hub) -> None:
    install()
    hub.put("/w.bin", WEIGHTS[::-1])
    pulled = kizu("models", "pull", "reader", "--yes")
    assert (pulled.code, DIGEST in pulled.out, "It was not opened." in pulled.out) == (3, True, True)
    assert "reader needs the weights w.bin" in kizu("models", "list").out


def test_terms_that_nobody_agreed_to(kizu: Kizu, install: Install, hub: Hub, tmp_path: Path) -> None:
    install(consent="research only")
    own = kizu.home / "models" / "ocr" / "reader" / "w.bin"
    own.parent.mkdir(parents=True)
    own.write_bytes(WEIGHTS)
    said = ended(kizu, tmp_path)
    assert "1 photo waits: reader needs your consent: research only." in said
    assert "kizu models accept reader" in said
    assert hub.requests == []


def test_no_space_to_pull(kizu: Kizu, install: Install, hub: Hub) -> None:
    install(size=10**15)
    pulled = kizu("models", "pull", "reader", "--yes")
    assert pulled.code == 1
    assert "The weights need 1000000000 MB" in pulled.err
    assert "MODEL_CACHE_DIR" in pulled.err
    assert hub.requests == []


def test_weights_that_were_exchanged_after_they_came(kizu: Kizu, install: Install, tmp_path: Path) -> None:
    """Same size, so nobody sees it before the file is read: the worker goes on with the rest and says what to do."""
    install()
    place = kizu.home / "models" / "ocr" / "reader" / "w.bin"
    assert kizu("models", "pull", "reader", "--yes").code == 0
    place.write_bytes(WEIGHTS[::-1])
    said = ended(kizu, tmp_path)
    assert "wrong digest" in said
    assert "it was not opened" in said
    place.write_bytes(WEIGHTS)
    assert kizu("worker", "--drain").code == 0
    assert kizu.json("status")["jobs"]["ocr"]["done"] == 1
