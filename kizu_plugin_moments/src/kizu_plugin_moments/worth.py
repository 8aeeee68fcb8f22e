"""How much a moment is worth seeing, on one scale for all strategies, so that the best of all come first."""

from __future__ import annotations

import math
from datetime import datetime


def worth(low: float, high: float, shots: int, plenty: int) -> float:
    """From `low` for hardly anything to `high` for `plenty` of shots; the first ones count most."""
    share = min(1.0, math.log1p(shots) / math.log1p(plenty))
    return round(low + (high - low) * share, 4)


def freshness(newest: datetime, now: datetime) -> float:
    """1 for today, a half after half a year, towards 0 for long ago."""
    days = max(0.0, (now - newest).total_seconds() / 86400)
    return 1 / (1 + days / 182)
