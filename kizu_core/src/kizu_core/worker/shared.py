"""What the threads of one worker share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kizu_core.database import OpenDatabase
from kizu_core.privacy.http import Policy
from kizu_core.settings import Settings
from kizu_core.worker.events import Event
from kizu_core.worker.leases import Leases
from kizu_core.worker.options import WorkerOptions
from kizu_core.worker.patience import Patience
from kizu_core.worker.settle import Settler


@dataclass(slots=True, kw_only=True)
class Shared:
    """`child_values`: the settings that cross to children. `stopping`: begin nothing new; from `grace_until`
    (monotonic) on, what still runs is given back as well.
    """

    settings: Settings
    options: WorkerOptions
    database: OpenDatabase
    leases: Leases
    patience: Patience
    settler: Settler
    policy: Policy
    scratch: Path
    child_values: Mapping[str, Any]
    emit: Callable[[Event], None]
    stopping: threading.Event
    grace_until: float = float("inf")
