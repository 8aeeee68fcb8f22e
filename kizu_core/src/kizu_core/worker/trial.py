"""Jobs that are in no queue: for those who try a picture and keep nothing (`look`, `probe`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from kizu_core.plugins.specs import JobHandlerSpec
from kizu_core.settings import Settings
from kizu_core.types import Job

NOBODY: Final = UUID(int=0)


def elsewhere(settings: Settings, folder: Path) -> Settings:
    """Settings under which a process writes to `folder`: a data folder that is not there yet is not made for it.

    Weights are found where they are, and models keep what they write in their own folders beside them.
    """
    models = settings.models_dir
    inside = {"home": folder, "model_cache_dir": models if models.is_dir() else folder / "models"}
    return settings.model_copy(update=inside)


def trial_job(handler: JobHandlerSpec, operations: Sequence[str], params: Mapping[str, Any] | None = None) -> Job:
    """A job of nobody, about a photo of nobody."""
    return Job(
        id=uuid4(),
        table=handler.table,
        job_type=handler.job_type,
        user_id=NOBODY,
        asset_id=uuid4(),
        todo=tuple(operations),
        params=params or {},
    )
