"""Whether photos are described unasked: without a GPU that takes longer than everything else together."""

from __future__ import annotations

from kizu_core.models.runtimes.machine import this_machine
from kizu_core.settings import Settings

DESCRIBE = "describe"

REASON = "Captions are off: without a GPU, each photo takes about six seconds of work."
SWITCHED_OFF = "Captions are switched off by KIZU_DESCRIBE."
HINT = "KIZU_DESCRIBE=on turns them on; `kizu run FOLDER --operations describe` makes them once."


def are_on(settings: Settings) -> bool:
    """By the setting; left to Kizu, if there is a GPU."""
    return settings.describe == "on" or (settings.describe == "auto" and this_machine().gpu)


def why_off(settings: Settings) -> str:
    """The sentence that says so."""
    return SWITCHED_OFF if settings.describe == "off" else REASON
