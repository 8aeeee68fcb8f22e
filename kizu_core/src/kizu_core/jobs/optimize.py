"""Handler `optimize`: the thumbnail of a picture and, where asked for, its web version."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import UUID

from kizu_core.errors import JobCancelled
from kizu_core.jobs.photo import PhotoHandler, input_orientation
from kizu_core.jobs.plugin import OPTIMIZE_VERSION
from kizu_core.media.render import Rendered, decode_for, write_derivatives
from kizu_core.plugins.protocols import JobContext
from kizu_core.settings import Settings
from kizu_core.types import Job, JobOutcome, OperationResult


class OptimizeHandler(PhotoHandler):
    """Params: `needs_web_version`, `input_orientation`."""

    def work(self, job: Job, asset_id: UUID, source: Path, context: JobContext) -> JobOutcome:
        started = time.monotonic()
        web = bool(job.params.get("needs_web_version", True))
        context.progress(10, "decode")
        decoded = decode_for(source, web=web, orientation=input_orientation(job))
        if context.cancelled():
            raise JobCancelled("The job was taken back.")
        context.progress(50, "render")
        rendered = write_derivatives(decoded, context.workdir, web=web)
        context.progress(90, "upload")
        return _outcome(job, asset_id, context, rendered, time.monotonic() - started)


def _outcome(job: Job, asset_id: UUID, context: JobContext, rendered: Rendered, seconds: float) -> JobOutcome:
    thumbnail = _key(job.user_id, asset_id, "thumb", rendered.thumbnail.sha12)
    files: dict[str, Path] = {thumbnail: rendered.thumbnail.path}
    # Without a web version the column is emptied: one that an earlier content of the file had would be another picture.
    asset: dict[str, Any] = {"thumbnail": thumbnail, "web_uri": None, **_missing_size(context, asset_id, rendered)}
    if rendered.web is not None:
        asset["web_uri"] = _key(job.user_id, asset_id, "web", rendered.web.sha12)
        files[asset["web_uri"]] = rendered.web.path
    done = OperationResult(
        operation="optimize", plugin="core", version=OPTIMIZE_VERSION, found=len(files), seconds=seconds
    )
    return JobOutcome(operations=(done,), files=files, asset=asset, result={"seconds": {"optimize": round(seconds, 3)}})


def _key(user_id: UUID, asset_id: UUID, kind: str, sha12: str) -> str:
    """Named by content: a changed derivative has a new address, and caches need no telling."""
    return f"{user_id}/processed/{asset_id}/{kind}-{sha12}.jpg"


def _missing_size(context: JobContext, asset_id: UUID, rendered: Rendered) -> dict[str, int]:
    """The picture's size for asset rows that other programs made without one."""
    row = context.library.asset(asset_id)
    if row.get("width") and row.get("height"):
        return {}
    return {"width": rendered.width_px, "height": rendered.height_px}


def build(settings: Settings) -> OptimizeHandler:
    """The handler, as named by the core's plugin module."""
    return OptimizeHandler()
