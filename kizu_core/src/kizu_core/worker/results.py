"""What a child says it found, checked and put into the form that `kizu_complete` takes.

The child is not trusted: a plugin or a hostile picture may have got hold of it. It can name no row of another user,
no table but those of results, no file but those in the job's own folder.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kizu_core.errors import WorkerError
from kizu_core.privacy.redact import clean_error
from kizu_core.types import (
    GENERATE_MOMENTS,
    RECLUSTER,
    SELFTEST_LEDGER,
    Job,
    JobOutcome,
    NewJob,
    OperationResult,
    ResultRow,
)

PHOTO_TABLES = frozenset(
    {
        "image_embeddings",
        "face_embeddings",
        "detected_objects",
        "extracted_text",
        "image_descriptions",
        SELFTEST_LEDGER,
    }
)
LIBRARY_TABLES: Mapping[str, frozenset[str]] = {
    RECLUSTER: frozenset({"face_clusters", "face_reviews"}),
    GENERATE_MOMENTS: frozenset({"moments", "moment_assets"}),
}
"""Job type -> the tables of jobs about a whole library, as the SQL function `kizu.library_tables` has them."""

MOST_ROWS, MOST_LIBRARY_ROWS = 20_000, 120_000
"""Of one photo; of a library with some 100,000 faces or photos. Frames are limited besides."""

MOST_JOBS = 1_000
MOST_FILES = 100


def payload_of(job: Job, outcome: JobOutcome, workdir: Path) -> dict[str, Any]:
    """Argument of `kizu_complete`. Raises `WorkerError` for an outcome that a handler may not give."""
    most_rows = MOST_LIBRARY_ROWS if job.job_type in LIBRARY_TABLES else MOST_ROWS
    if len(outcome.rows) > most_rows or len(outcome.enqueue) > MOST_JOBS or len(outcome.files) > MOST_FILES:
        raise WorkerError("A handler made more rows, jobs or files than one job can have.")
    _check_operations(job, outcome.operations)
    _check_files(job, outcome.files, workdir)
    again = [one.operation for one in outcome.operations if one.error and one.error.get("retryable")]
    finished = [one for one in outcome.operations if one.operation not in again]
    errors = [clean_error(one.error) for one in outcome.operations if one.error and one.operation in again]
    return {
        "operations": [_operation(one) for one in finished],
        "rows": _rows(job, outcome.rows),
        "asset": outcome.asset,
        "result": outcome.result,
        "enqueue": [_new_job(one) for one in outcome.enqueue],
        "retry": again,
        "error": errors[0] if errors else None,
    }


def _check_operations(job: Job, operations: Iterable[OperationResult]) -> None:
    for one in operations:
        if one.operation not in job.todo:
            raise WorkerError(f"A handler reports the operation {one.operation!r}, which it was not asked for.")


def _check_files(job: Job, files: Mapping[str, Path], workdir: Path) -> None:
    """Each file is a plain one in the job's folder, each key below the job's user (and photo, if it has one)."""
    owner = f"{job.user_id}/" if job.asset_id is None else f"{job.user_id}/processed/{job.asset_id}/"
    for key, path in files.items():
        if not key.startswith(owner):
            raise WorkerError("A handler wants to store a file under a name that is not of its photo.")
        if not _is_inside(path, workdir):
            raise WorkerError("A handler wants to store a file that is not in its own folder.")


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether it is a plain file below `folder`, links followed."""
    try:
        return not path.is_symlink() and path.is_file() and folder.resolve() in path.resolve().parents
    except OSError:  # a name that is too long, or a loop
        return False


def _rows(job: Job, rows: Iterable[ResultRow]) -> dict[str, list[Mapping[str, Any]]]:
    allowed = LIBRARY_TABLES.get(job.job_type, PHOTO_TABLES)
    by_table: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row.table not in allowed:
            raise WorkerError(f"A handler wants to write to the table {row.table!r}.")
        if row.user_id != job.user_id or row.asset_id != job.asset_id:
            raise WorkerError("A handler wants to write a row that is not of its own photo.")
        by_table[row.table].append({**row.values, "user_id": row.user_id, "asset_id": row.asset_id})
    return dict(by_table)


def _operation(one: OperationResult) -> dict[str, Any]:
    return {
        "operation": one.operation,
        "plugin": one.plugin,
        "version": one.version,
        "space": one.space,
        "runtime": one.runtime,
        "found": one.found,
        "seconds": one.seconds,
        "error": one.error and clean_error(one.error),
    }


def _new_job(one: NewJob) -> dict[str, Any]:
    return {
        "table": one.table,
        "job_type": one.job_type,
        "asset_id": one.asset_id,
        "params": one.params,
        "priority": one.priority,
    }
