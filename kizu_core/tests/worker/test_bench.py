"""Runtimes are tried in a real child, with real engines on a tiny ONNX: the fastest honest one is used from then on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from kizu_core.models.loading import load
from kizu_core.models.runtimes import choose
from kizu_core.models.runtimes.identity import find_converted
from kizu_core.models.runtimes.notices import news
from kizu_core.models.selection import build_catalog
from kizu_core.settings import Settings, load_settings
from kizu_core.types import ModelType, Runtime
from kizu_core.worker.bench import Benched, bench
from kizu_support.fake_distribution import fake_distribution, installed

onnx = pytest.importorskip("onnx", reason="the tests make ONNX files")
for engine in ("onnxruntime", "openvino", "torch"):
    if find_spec(engine) is None:
        pytest.skip(f"{engine} is one of the candidates", allow_module_level=True)

REFERENCE, SECOND, THIRD = Runtime.ORT_FP32, Runtime.OPENVINO_FP32, Runtime.TORCH_FP32
DIM = 16

PLUGIN = """
from kizu_core import EmbedderSpec, Runtime, WeightFile, hookimpl

@hookimpl
def kizu_embedders():
    weight = WeightFile(name="tiny.onnx", source="package:ladder/tiny.onnx", bytes={size}, licence="CC0-1.0")
    return [EmbedderSpec(name="ladder", summary="sees colours", factory="ladder.model:Ladder", output_version="1",
                         dim=16, space="ladder/1", weights=(weight,), convert="ladder.model:convert", memory_mb=50,
                         runtimes=(Runtime.ORT_FP32, Runtime.OPENVINO_FP32, Runtime.TORCH_FP32))]
"""

MODEL = """
import os, shutil, time
import numpy as np
from kizu_core import Runtime, open_session

BURN = {{Runtime.ORT_FP32: 0.016, Runtime.OPENVINO_FP32: 0.006, Runtime.TORCH_FP32: 0.001}}
{extra}

class Ladder:
    '''The mean colours of a grid, through a matrix: by ONNX where the runtime is one of those, by hand else.'''

    def __init__(self, context):
        self.runtime = context.runtime
        spoil(self.runtime)
        if self.runtime is Runtime.TORCH_FP32:
            self.session = None
        else:
            folder = context.weights["tiny.onnx"].parent if self.runtime is Runtime.ORT_FP32 else context.converted
            self.session = open_session(folder / "tiny.onnx", self.runtime, context.threads)

    def embed_images(self, pictures):
        until = time.process_time() + BURN[self.runtime] * len(pictures)
        while time.process_time() < until:
            pass
        grids = [one.pixels[::64, ::64].reshape(-1, 3)[:16].mean(axis=1) / 255 for one in pictures]
        inputs = np.array(grids, np.float32).reshape(-1, 16)
        values = self.session.run({{"x": inputs}})[0] if self.session else inputs * 2
        values = noisy(values, self.runtime)
        return values / np.linalg.norm(values, axis=1, keepdims=True)

    def embed_texts(self, texts):
        raise NotImplementedError

    def close(self):
        self.session = None

def convert(context, folder):
    shutil.copyfile(context.weights["tiny.onnx"], folder / "tiny.onnx")
    with open(context.cache_dir / "converted.txt", "a") as log:
        print("converted", file=log)
"""

HONEST = """
def spoil(runtime): pass
def noisy(values, runtime): return values
"""
NOISY = """
def spoil(runtime): pass
def noisy(values, runtime):
    wrong = np.random.default_rng(3).normal(size=values.shape).astype(np.float32)
    return values + 0.1 * wrong if runtime is Runtime.TORCH_FP32 else values
"""
DEADLY = """
def spoil(runtime):
    if runtime is Runtime.OPENVINO_FP32:
        os.abort()
def noisy(values, runtime): return values
"""
ALL_DEADLY = DEADLY.replace("OPENVINO_FP32", "ORT_FP32")
HANGING = DEADLY.replace("os.abort()", "time.sleep(60)")
RAISING = DEADLY.replace("os.abort()", "raise RuntimeError('no kernel for this')")
DIVIDING = HONEST + "\ndef noisy(values, runtime): return values * (np.nan if runtime is Runtime.TORCH_FP32 else 1)\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"home": tmp_path / "home", "threads": 1, "load_plugins": ("ladder",)}, environ={})


@pytest.fixture
def try_it(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Benched]]:
    """Installs the plugin with these traits and benches it."""
    site = tmp_path / "site"
    path = site / "ladder" / "tiny.onnx"
    path.parent.mkdir(parents=True)
    _save(path)

    def run(traits: str, limit_s: float = 300.0) -> Benched:
        source = MODEL.format(extra=traits)
        modules = {"ladder.__init__": "", "ladder.model": source, "ladder.plugin": plugin}
        fake_distribution(site, "ladder", modules=modules, entry_points={"ladder": "ladder.plugin"})
        catalog = build_catalog(settings)
        return bench(catalog.model(ModelType.EMBEDDER, "ladder"), settings, catalog, limit_s=limit_s)

    plugin = PLUGIN.format(size=path.stat().st_size)
    monkeypatch.setenv("PYTHONPATH", str(site))  # for the child
    with installed(site):
        yield run


def _save(path: Path) -> None:
    import numpy as np

    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "tiny",
        [helper.make_tensor_value_info("x", kind, ["n", DIM])],
        [helper.make_tensor_value_info("y", kind, ["n", DIM])],
        [onnx.numpy_helper.from_array(2 * np.eye(DIM, dtype=np.float32), "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def test_the_fastest_is_used_and_nothing_is_converted_or_tried_when_it_is_loaded(
    try_it: Callable[..., Benched], settings: Settings
) -> None:
    benched = try_it(HONEST)
    assert [(one.runtime, one.obstacle) for one in benched.trials] == [
        (REFERENCE, None),
        (SECOND, None),
        (THIRD, None),
    ]
    assert benched.chosen is not None
    assert benched.chosen.runtime is THIRD
    log = settings.models_dir / "embedder" / "ladder" / "converted.txt"
    assert log.read_text() == "converted\n"
    spec = benched.spec
    assert choose(spec, settings) is THIRD
    loaded = load(spec, settings)
    assert (loaded.runtime, loaded.model.runtime) == (THIRD, THIRD)
    loaded.model.close()
    assert log.read_text() == "converted\n"
    found = find_converted(spec, settings)
    assert found is not None
    assert [path.name for path in found.parent.iterdir()] == [found.name]  # no half-made folder beside it
    [(key, record)] = json.loads((settings.models_dir / "runtimes.json").read_text()).items()
    assert (key, record["runtime"]) == ("embedder/ladder", THIRD)
    assert [one["runtime"] for one in record["trials"]] == [REFERENCE, SECOND, THIRD]


@pytest.mark.parametrize(("traits", "said"), [(NOISY, "does not see the same"), (DIVIDING, "does not see the same")])
def test_one_that_sees_something_else_is_out_however_fast(
    try_it: Callable[..., Benched], traits: str, said: str
) -> None:
    benched = try_it(traits)
    assert said in str(benched.trials[2].obstacle)
    assert benched.trials[2].fidelity < 0.995  # type: ignore[operator]
    assert benched.chosen is not None
    assert benched.chosen.runtime is SECOND


@pytest.mark.parametrize(("traits", "said"), [(DEADLY, "was killed by SIGABRT"), (RAISING, "no kernel for this")])
def test_one_that_fails_or_kills_its_process_is_out_and_the_others_are_tried(
    try_it: Callable[..., Benched], traits: str, said: str
) -> None:
    benched = try_it(traits)
    assert said in str(benched.trials[1].obstacle)
    assert benched.chosen is not None
    assert benched.chosen.runtime is THIRD


def test_conversions_of_older_weights_and_of_killed_processes_are_removed(
    try_it: Callable[..., Benched], settings: Settings
) -> None:
    folder = settings.models_dir / "embedder" / "ladder" / "converted"
    older, killed, running = (folder / name for name in ("0123456789ab", ".part-dead", ".part-alive"))
    for path in (older, killed, running):
        (path / "inside").mkdir(parents=True)
    os.utime(killed, (0, 0))
    assert try_it(HONEST).chosen is not None
    assert [path.exists() for path in (older, killed, running)] == [False, False, True]


def test_what_takes_too_long_is_out_with_all_that_would_have_followed(try_it: Callable[..., Benched]) -> None:
    benched = try_it(HANGING, limit_s=10.0)
    assert [one.obstacle for one in benched.trials] == [None, "took too long", "took too long"]
    assert benched.chosen is not None
    assert benched.chosen.runtime is REFERENCE


def test_a_model_that_does_not_work_at_all_gets_no_record(try_it: Callable[..., Benched], settings: Settings) -> None:
    benched = try_it(ALL_DEADLY)
    assert benched.error is not None
    assert "ladder can't be tried: its process was killed by SIGABRT" in benched.error.message
    assert not (settings.models_dir / "runtimes.json").exists()


def test_a_chosen_runtime_that_fails_later_is_replaced_by_the_reference_and_that_is_told(
    try_it: Callable[..., Benched], settings: Settings
) -> None:
    benched = try_it(HONEST + "\nBURN[Runtime.TORCH_FP32] = 0.02\n")
    assert benched.chosen is not None
    assert benched.chosen.runtime is SECOND
    found = find_converted(benched.spec, settings)
    assert found is not None
    (found / "tiny.onnx").write_bytes(b"damaged")
    news()
    loaded = load(benched.spec, settings)
    assert loaded.runtime is REFERENCE
    [told] = news()
    assert told.startswith(f"ladder runs on {REFERENCE}, because {SECOND} failed: ")
    (found / "tiny.onnx").unlink()
    found.rmdir()
    assert load(benched.spec, settings).runtime is REFERENCE
    assert "was not converted" in news()[0]
