"""How large a child may grow."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core.models.budget import budget_mb
from kizu_core.models.offers import Offer
from kizu_core.settings import Settings

PICTURES_MB = 1536
"""Enough for any picture within the limits (`media.memory` holds decoding to less) and for what models make of it."""


def memory_limit_mb(offers: Iterable[Offer], settings: Settings) -> int:
    """MiB of resident memory at which a child that serves `offers` is ended: the setting, else what its models
    declare on top of what pictures need. They never take more together than their budget, or than the largest alone.
    """
    if settings.max_child_mb is not None:
        return settings.max_child_mb
    sizes = [offer.memory_mb for offer in offers]
    return PICTURES_MB + min(sum(sizes), max(budget_mb(settings), *sizes, 0))
