# ruff: noqa: E402 - without the plugin, the skip must come before what needs it
"""Pictures are prepared as open_clip's own transform prepares them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("kizu_plugin_clip.plugin", reason="the plugin is not installed")
pytest.importorskip("torch", reason="torch is not installed")
transform = pytest.importorskip("open_clip.transform", reason="open_clip is not installed")

from kizu_core import ModelUnavailable
from kizu_core.testing import picture_of
from kizu_plugin_clip.preprocess import preprocessing_of

LEVEL = 1 / 255 / 0.26
"""One of 256 levels, normalised."""

SIZES = [(224, 224), (640, 427), (427, 640), (225, 224), (1000, 333), (50, 37), (1, 1), (224, 2), (2048, 1366)]


def noise(width: int, height: int) -> np.ndarray:
    rng = np.random.default_rng(width * height)
    coarse = rng.integers(0, 256, (max(1, height // 9), max(1, width // 9), 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "config",
    [
        {},
        {"resize_mode": "squash", "interpolation": "bilinear", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
        {"resize_mode": "longest", "fill_color": 127},
    ],
    ids=["as OpenAI's", "squash", "longest"],
)
def test_frames_equal_those_of_open_clip(size: tuple[int, int], config: dict[str, object]) -> None:
    if config.get("resize_mode") == "longest" and min(size) * 224 < max(size):
        pytest.skip("open_clip's transform makes a side of no pixels, and fails")
    pixels = noise(*size)
    cfg = transform.PreprocessCfg(**{"size": 224, **config})
    wanted = transform.image_transform_v2(cfg, is_train=False)(Image.fromarray(pixels)).numpy()
    (found,) = preprocessing_of(224, config)([picture_of(pixels)])
    assert np.abs(found - wanted).max() <= 1.5 * LEVEL
    assert np.abs(found - wanted).mean() < 0.2 * LEVEL


def test_a_strip_is_not_blown_up() -> None:
    strip = np.random.default_rng(0).integers(0, 256, (10, 30_000, 3), np.uint8)
    (frame,) = preprocessing_of(224, {})([picture_of(strip)])
    middle = strip[:, 30_000 // 2 - 5 : 30_000 // 2 + 5]
    (wanted,) = preprocessing_of(224, {})([picture_of(middle)])
    assert np.abs(frame - wanted)[:, :, 40:-40].max() <= LEVEL  # beside the edges, where it knows more


@pytest.mark.parametrize(
    "config", [{"resize_mode": "tiles"}, {"interpolation": "nearest"}, {"mean": [1.0]}, {"std": [0.0, 1.0, 1.0]}]
)
def test_what_is_not_known_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(ModelUnavailable, match="not known"):
        preprocessing_of(224, config)
