"""Which model answers, and the change to another."""

from __future__ import annotations

from kizu_core.database.functions import Functions


class SwitchFunctions(Functions):
    """See the functions of the same names in `migrations/`."""
