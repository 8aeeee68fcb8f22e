"""What a picture costs on a runtime: CPU seconds, which a busy machine does not change much, and seconds waited."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from kizu_core.models.runtimes.gate import look
from kizu_core.types import ModelType, Picture

BATCH = 8
ROUNDS = 5
ENOUGH_S = 4.0
"""CPU seconds or seconds waited after which no further round is begun: a slow model is measured by one."""


def cost(model: Any, kind: ModelType, pictures: Sequence[Picture]) -> tuple[float, float]:
    """CPU and wall seconds per picture: the least of a few rounds, since whatever else the machine does only adds.

    The model has seen the pictures before, so that nothing is loaded or compiled meanwhile.
    """
    sample = pictures[:BATCH] if kind is ModelType.EMBEDDER else pictures[:1]
    rounds: list[tuple[float, float]] = []
    began = _clocks()
    while len(rounds) < ROUNDS and max(_since(began)) < ENOUGH_S:
        start = _clocks()
        look(model, kind, sample)
        rounds.append(_since(start))
    cpu, wall = (min(one) for one in zip(*rounds, strict=True))
    return cpu / len(sample), wall / len(sample)


def _clocks() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def _since(start: tuple[float, float]) -> tuple[float, float]:
    cpu, wall = _clocks()
    return cpu - start[0], wall - start[1]
