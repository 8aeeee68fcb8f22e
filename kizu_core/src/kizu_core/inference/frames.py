"""Pictures as an image tower wants them: what open_clip's transform computes, without torch and a good deal faster.

It resizes a picture whole and then throws away what the crop leaves; here only what remains is computed, so that a
strip of 30,000 x 10 pixels does not become one of 672,000 x 224 first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kizu_core.errors import ModelUnavailable
from kizu_core.types import Picture

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
_MODES = ("shortest", "longest", "squash")

Region = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of the picture."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """`side`: pixels of a frame's sides. `mode`: which side of a picture is made to fit: the shortest, and the middle
    is cut out; the longest, and `fill` (0 to 255) put around it; or both, out of proportion.
    """

    side: int
    mean: tuple[float, ...] = OPENAI_MEAN
    std: tuple[float, ...] = OPENAI_STD
    interpolation: str = "bicubic"
    mode: str = "shortest"
    fill: int = 0

    def __post_init__(self) -> None:
        """Raises `ModelUnavailable` for what nobody knows how to do."""
        if self.interpolation not in _FILTERS or self.mode not in _MODES or 0.0 in self.std:
            raise ModelUnavailable(
                f"The model wants pictures prepared in a way that is not known: {self.interpolation}, {self.mode}.",
                hint="Look at preprocess_cfg in its open_clip_config.json.",
            )

    def __call__(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """(n, 3, side, side) float32, RGB, normalised."""
        mean, std = (np.array(values, np.float32).reshape(3, 1, 1) for values in (self.mean, self.std))
        scale, offset = 1 / (255 * std), mean / std
        frames = np.empty((len(pictures), 3, self.side, self.side), np.float32)
        for index, picture in enumerate(pictures):
            np.multiply(self._frame(picture).transpose(2, 0, 1), scale, out=frames[index])
        frames -= offset
        return frames

    def _frame(self, picture: Picture) -> NDArray[np.uint8]:
        image = Image.fromarray(picture.pixels)
        if self.mode == "longest":
            return self._padded(image)
        region = _middle(image.size, self.side) if self.mode == "shortest" else None
        return np.asarray(image.resize((self.side, self.side), _FILTERS[self.interpolation], box=region))

    def _padded(self, image: Image.Image) -> NDArray[np.uint8]:
        ratio = max(image.size) / self.side
        width, height = (max(1, round(side / ratio)) for side in image.size)
        frame = np.full((self.side, self.side, 3), self.fill, np.uint8)
        left, top = (self.side - width) // 2, (self.side - height) // 2
        frame[top : top + height, left : left + width] = np.asarray(
            image.resize((width, height), _FILTERS[self.interpolation])
        )
        return frame


def _middle(size: tuple[int, int], side: int) -> Region:
    """What is left of a picture once its shorter side was made `side` and the middle cut out.

    Rounded as open_clip's transform does: first the size of the resized picture, then the place of the crop in it.
    """
    shortest = min(size)
    resized = [side if length == shortest else int(side * length / shortest) for length in size]
    starts = [round((length - side) / 2) for length in resized]
    scales = [length / new for length, new in zip(size, resized, strict=True)]
    left, top = (start * scale for start, scale in zip(starts, scales, strict=True))
    right, bottom = (
        min((start + side) * scale, length) for start, scale, length in zip(starts, scales, size, strict=True)
    )
    return left, top, right, bottom
