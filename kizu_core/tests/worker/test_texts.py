"""Words to vectors in a process of its own: kept while it works, and any failure of the model is one sentence."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from kizu_core.errors import ChildCrashed, JobTimeout, KizuError
from kizu_core.models.selection import build_catalog
from kizu_core.plugins.specs import EmbedderSpec
from kizu_core.settings import load_settings
from kizu_core.types import ModelType
from kizu_core.worker.texts import TextEmbedder
from kizu_support.fake_distribution import fake_distribution, installed

KINDS = ("good", "raiser", "longer", "zeros", "list", "hanger", "crasher", "loader")

PLUGIN = f"""
from kizu_core import EmbedderSpec, hookimpl

@hookimpl
def kizu_embedders():
    return [EmbedderSpec(name=name, summary=name, factory="words.model:build_" + name, output_version="1", dim=3,
                         space=name, languages=("en",)) for name in {KINDS!r}]
"""

MODEL = """
import os, time
import numpy as np

class Embedder:
    def __init__(self, answer):
        self.embed_texts = answer

    def embed_images(self, pictures):
        return np.zeros((0, 3), dtype=np.float32)

    def close(self):
        pass

def good(texts):
    return np.array([[1, 0, 0] if text == "red" else [0, 0.6, 0.8] for text in texts], dtype=np.float32)

def raiser(texts):
    raise ValueError("no such word")

def longer(texts):
    return np.full((len(texts), 4), 0.5, dtype=np.float32)

def zeros(texts):
    return np.zeros((len(texts), 3), dtype=np.float32)

def as_list(texts):
    return ["x"] * 3

def hanger(texts):
    while True:
        time.sleep(1)

def crasher(texts):
    os._exit(9)

def build_loader(context):
    raise RuntimeError("half a file")

def build_good(context): return Embedder(good)
def build_raiser(context): return Embedder(raiser)
def build_longer(context): return Embedder(longer)
def build_zeros(context): return Embedder(zeros)
def build_list(context): return Embedder(as_list)
def build_hanger(context): return Embedder(hanger)
def build_crasher(context): return Embedder(crasher)
"""


class Texts:
    """An embedder of texts and the specs to ask it by."""

    def __init__(self, home: Path) -> None:
        self.settings = load_settings({"home": home, "load_plugins": ("words",)}, environ={})
        self.catalog = build_catalog(self.settings)
        self.embedder = TextEmbedder(self.settings, self.catalog)

    def embed(self, name: str, text: str, by: TextEmbedder | None = None) -> list[float]:
        spec = self.catalog.model(ModelType.EMBEDDER, name)
        assert isinstance(spec, EmbedderSpec)
        vector = (by or self.embedder).embed(spec, text)
        assert vector.dtype == np.float32
        return [round(float(value), 4) for value in vector]


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "kizu_core.worker.child" in one.cmdline()]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Texts]:
    site, home = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("home")
    modules = {"words.plugin": PLUGIN, "words.model": MODEL}
    fake_distribution(site, "words", modules=modules, entry_points={"words": "words.plugin"})
    with pytest.MonkeyPatch.context() as patch, installed(site):
        patch.setenv("PYTHONPATH", str(site))
        made = Texts(home)
        yield made
        made.embedder.close()


def test_one_process_answers_all_and_ends_at_the_close(texts: Texts) -> None:
    assert texts.embed("good", "red") == [1, 0, 0]
    [first] = children()
    assert texts.embed("good", "blue") == [0, 0.6, 0.8]
    assert children() == [first]
    texts.embedder.close()
    assert children() == []
    assert texts.embed("good", "red") == [1, 0, 0]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("raiser", "raiser failed with ValueError: no such word"),
        ("loader", "half a file"),
        ("longer", "longer gave no vector of 3 numbers"),
        ("zeros", "zeros gave no vector of 3 numbers"),
        ("list", "list gave no vector of 3 numbers"),
    ],
)
def test_a_model_that_fails_says_so_and_its_process_stays(texts: Texts, name: str, sentence: str) -> None:
    texts.embed("good", "red")
    before = children()
    with pytest.raises(KizuError) as caught:
        texts.embed(name, "red")
    assert sentence in caught.value.message
    assert children() == before
    assert texts.embed("good", "red") == [1, 0, 0]


def test_after_a_death_the_next_text_gets_a_new_process(texts: Texts) -> None:
    with pytest.raises(ChildCrashed, match="ended with status 9"):
        texts.embed("crasher", "red")
    assert children() == []
    assert texts.embed("good", "red") == [1, 0, 0]


def test_a_model_that_hangs_is_ended(texts: Texts) -> None:
    texts.embedder.close()
    with pytest.raises(JobTimeout, match="hanger took longer than 1 s"):
        texts.embed("hanger", "red", TextEmbedder(texts.settings, texts.catalog, limit_s=1))
    assert children() == []


def test_a_process_that_was_killed_meanwhile_is_replaced(texts: Texts) -> None:
    texts.embed("good", "red")
    [first] = children()
    os.kill(first.pid, signal.SIGKILL)
    while first.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert texts.embed("good", "red") == [1, 0, 0]
    assert children() != [first]
