"""Moments, and what they are made of."""

from __future__ import annotations

from kizu_core.database.functions import Functions


class MomentFunctions(Functions):
    """See the functions of the same names in `migrations/`."""
