"""Faces, people and corrections."""

from __future__ import annotations

from kizu_core.database.functions import Functions


class PeopleFunctions(Functions):
    """See the functions of the same names in `migrations/`."""
