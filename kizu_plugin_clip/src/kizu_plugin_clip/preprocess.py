"""How a model of open_clip wants its pictures, from what its configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kizu_core import ModelUnavailable, Preprocessing


def preprocessing_of(side: int, config: Mapping[str, Any]) -> Preprocessing:
    """From open_clip's `preprocess_cfg`; what it leaves out is as with OpenAI's models. Raises `ModelUnavailable`."""
    plain = Preprocessing(side)
    return Preprocessing(
        side,
        mean=_per_channel(config.get("mean"), plain.mean),
        std=_per_channel(config.get("std"), plain.std),
        interpolation=config.get("interpolation") or plain.interpolation,
        mode=config.get("resize_mode") or plain.mode,
        fill=int(config.get("fill_color") or plain.fill),
    )


def _per_channel(value: Any, default: tuple[float, ...]) -> tuple[float, ...]:
    if value is None:
        return default
    values = tuple(map(float, value)) if isinstance(value, list | tuple) else (float(value),) * 3
    if len(values) != 3:
        raise ModelUnavailable("The model normalises colours in a way that is not known: it has not three channels.")
    return values
