"""The model that a search leaves loaded: shared, replaced when settings change, guarded, and gone by itself."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from kizu_core.errors import KizuError
from kizu_core.models.selection import build_catalog
from kizu_core.plugins.specs import EmbedderSpec
from kizu_core.settings import Settings, load_settings
from kizu_core.types import ModelType
from kizu_core.worker.channel import Channel
from kizu_core.worker.messages import EmbedTexts, Warm
from kizu_core.worker.warm import WarmTexts, end_keeper, keeper_of
from kizu_support.fake_distribution import fake_distribution, installed

pytestmark = pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the keeper needs Linux")

PLUGIN = """
from kizu_core import EmbedderSpec, hookimpl

@hookimpl
def kizu_embedders():
    return [EmbedderSpec(name="good", summary="good", factory="kept.model:build", output_version="1", dim=3,
                         space="good", languages=("en",))]
"""

MODEL = """
import os
import numpy as np

class Embedder:
    def embed_images(self, pictures):
        return np.zeros((0, 3), dtype=np.float32)

    def embed_texts(self, texts):
        if "boom" in texts:
            raise ValueError("that word")
        if "secret" in texts:
            told = any("hunter2" in value for value in os.environ.values())
            return np.array([[0, 0, 1 if told else -1]], dtype=np.float32)
        return np.array([[1, 0, 0]], dtype=np.float32)

    def close(self):
        pass

def build(context):
    return Embedder()
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("site")
    modules = {"kept.plugin": PLUGIN, "kept.model": MODEL}
    fake_distribution(folder, "kept", modules=modules, entry_points={"kept": "kept.plugin"})
    with pytest.MonkeyPatch.context() as patch, installed(folder):
        patch.setenv("PYTHONPATH", str(folder))
        patch.setenv("SUPABASE_SERVICE_ROLE_KEY", "hunter2")
        yield folder


@pytest.fixture
def home(site: Path, tmp_path: Path) -> Iterator[Path]:
    # Longer than the address of a socket may be.
    home = tmp_path / ("a rather long name of a folder, with an é " * 3)
    yield home
    end_keeper(settings_in(home).paths)


def settings_in(home: Path, **changes: object) -> Settings:
    return load_settings({"home": home, "load_plugins": ("kept",), **changes}, environ={})


def embed(settings: Settings, text: str = "red") -> list[float]:
    catalog = build_catalog(settings)
    spec = catalog.model(ModelType.EMBEDDER, "good")
    assert isinstance(spec, EmbedderSpec)
    texts = WarmTexts(settings, catalog)
    try:
        return [float(value) for value in texts.embed(spec, text)]
    finally:
        texts.close()


def keeper(settings: Settings) -> psutil.Process:
    found = keeper_of(settings.paths)
    assert found is not None
    return psutil.Process(found.pid)


def gone(process: psutil.Process) -> bool:
    """Waits for the end of a process that is not ours to wait for; whether it came within half a minute."""
    end = time.monotonic() + 30
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
    return True


def test_one_keeper_serves_all_searches(home: Path) -> None:
    settings = settings_in(home)
    assert keeper_of(settings.paths) is None
    assert embed(settings) == [1, 0, 0]
    first = keeper(settings)
    [model] = first.children()
    assert embed(settings, "secret") == [0, 0, -1], "no secret is in its environment"
    assert "hunter2" not in " ".join(first.environ().values())
    with pytest.raises(KizuError, match="that word"):
        embed(settings, "boom")
    assert (keeper(settings), keeper(settings).children()) == (first, [model])
    assert stat.S_IMODE((home / "run" / "search.sock").stat().st_mode) == 0o600
    assert not (home / "database").exists()
    assert not [file for file in first.open_files() if file.path.endswith(".lock")]
    assert end_keeper(settings.paths)
    assert gone(first)
    assert gone(model)
    assert not end_keeper(settings.paths)


def test_other_settings_get_another_keeper(home: Path) -> None:
    embed(settings_in(home))
    first = keeper(settings_in(home))
    embed(settings_in(home, max_image_size=512))
    assert keeper(settings_in(home)) != first
    assert gone(first)


def test_a_killed_keeper_is_replaced(home: Path) -> None:
    settings = settings_in(home)
    embed(settings)
    first = keeper(settings)
    [model] = first.children()
    first.kill()
    assert gone(model)
    assert gone(first)
    assert embed(settings) == [1, 0, 0]
    assert keeper(settings) != first


def test_it_ends_by_itself(home: Path) -> None:
    settings = settings_in(home, search_keep=0.02)
    embed(settings)
    found = keeper_of(settings.paths)
    if found is not None:  # a slow machine may be too late to see it
        with suppress(psutil.NoSuchProcess):
            assert gone(psutil.Process(found.pid))
    assert keeper_of(settings.paths) is None
    assert not (home / "run" / "search.sock").exists()


def test_it_ends_when_its_socket_is_gone(home: Path) -> None:
    settings = settings_in(home)
    embed(settings)
    first = keeper(settings)
    (home / "run" / "search.sock").unlink()
    assert gone(first)


def test_without_the_setting_nothing_stays(home: Path) -> None:
    settings = settings_in(home, search_keep=0)
    assert embed(settings) == [1, 0, 0]
    assert not (home / "run" / "search.sock").exists()


def test_garbage_and_silence_harm_nobody(home: Path) -> None:
    settings = settings_in(home)
    embed(settings)
    first = keeper(settings)
    folder = os.open(home / "run", os.O_PATH)
    name = f"/proc/self/fd/{folder}/search.sock"
    for garbage in (b"", b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n"):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(name)
            sock.sendall(garbage)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(name)
        channel = Channel(sock)
        channel.send(EmbedTexts(model="good", texts=("red",)))
        assert channel.receive(10) is None, "who does not say what it was made with gets nothing"
    os.close(folder)
    assert embed(settings) == [1, 0, 0]
    assert keeper(settings) == first
    assert isinstance(keeper_of(settings.paths), Warm)


def test_what_is_no_socket_is_replaced_and_what_does_not_answer_is_gone_around(home: Path) -> None:
    settings = settings_in(home)
    (home / "run").mkdir(parents=True)
    (home / "run" / "search.sock").write_text("nothing")
    assert embed(settings) == [1, 0, 0]
