"""One method for each SQL function, typed. The functions' own comments in `migrations/` say what they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from kizu_core.database.functions import Json
from kizu_core.database.moments import MomentFunctions
from kizu_core.database.paths import path_to_text, text_to_path
from kizu_core.database.people import PeopleFunctions
from kizu_core.database.search import SearchFunctions
from kizu_core.database.switching import SwitchFunctions
from kizu_core.database.views import ViewFunctions
from kizu_core.types import Job, JobTable


@dataclass(frozen=True, slots=True)
class LocalFile:
    """An existing place of the original: `path` is absolute, below the folder `root` of the same user."""

    root: Path
    path: Path
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claimed job with what only its holder may know. `token` fences every later write."""

    job: Job
    token: UUID
    attempt: int
    max_attempts: int
    crash_count: int
    url: str | None
    orientation: int | None
    needs_web_version: bool
    asset: Mapping[str, Any]
    files: tuple[LocalFile, ...]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Claim:
        """From one element of what `kizu_claim` returns."""
        job = Job(
            id=UUID(row["id"]),
            table=JobTable(row["table"]),
            job_type=row["job_type"],
            user_id=UUID(row["user_id"]),
            asset_id=UUID(row["asset_id"]) if row.get("asset_id") else None,
            todo=tuple(row.get("todo") or ()),
            params=row.get("params") or {},
            attempt=row["attempt"],
        )
        return cls(
            job=job,
            token=UUID(row["lease_token"]),
            attempt=row["attempt"],
            max_attempts=row["max_attempts"],
            crash_count=row.get("crash_count") or 0,
            url=row.get("url"),
            orientation=row.get("input_orientation"),
            needs_web_version=bool(row.get("needs_web_version", True)),
            asset=row.get("asset") or {},
            files=tuple(_local_file(one) for one in row.get("files") or ()),
        )


def _local_file(row: Mapping[str, Any]) -> LocalFile:
    root = Path(text_to_path(row["root"]))
    return LocalFile(root, root / text_to_path(row["path"]), row["size"])


class Database(SearchFunctions, PeopleFunctions, MomentFunctions, SwitchFunctions, ViewFunctions):
    """The database as Kizu's code sees it. Errors are those of `Transport.call`.

    Methods that take `user` first act as that user under row level security; the others are for workers.
    """

    def schema_version(self) -> str | None:
        """Newest migration of the database."""
        version: str | None = self._call("schema_version")
        return version

    # Users and jobs

    def ensure_user(self, name: str) -> UUID:
        """The user called `name`, made if there is none."""
        return UUID(self._call("ensure_user", name=name))

    def users(self) -> list[Json]:
        """All users: `{id, name, created_at, photos, roots}`, by name."""
        rows: list[Json] = self._call("users")
        return rows

    def user_counts(self, user: UUID) -> dict[str, int]:
        """How much of each kind a user has."""
        counts: dict[str, int] = self._call("user_counts", user=user)
        return counts

    def add_user(self, name: str) -> UUID | None:
        """A new user; None if somebody has that name."""
        made = self._call("add_user", name=name)
        return UUID(made) if made else None

    def rename_user(self, user: UUID, name: str) -> bool:
        """False if somebody else has that name."""
        return bool(self._call("rename_user", user=user, name=name))

    def delete_user(self, user: UUID) -> dict[str, int]:
        """Delete some rows of a user, by table; {} once nothing is left, `running` while a worker has jobs in hand."""
        counts: dict[str, int] = self._call("delete_user", user=user)
        return counts

    def worker_hello(self, worker: str, info: Mapping[str, Any], can: Iterable[str]) -> None:
        """Register a worker, or show that it lives; offers its operations."""
        self._call("worker_hello", worker=worker, info=info, can=list(can))

    def worker_bye(self, worker: str) -> None:
        """A worker ends."""
        self._call("worker_bye", worker=worker)

    def enqueue(self, table: JobTable, jobs: Sequence[Mapping[str, Any]]) -> list[Json]:
        """Add jobs; one `{id, created}` each, `created` false where the same job was already waiting."""
        added: list[Json] = self._call("enqueue", table=table, jobs=list(jobs))
        return added

    def enqueue_stale(
        self, user: UUID, wanted: Sequence[Mapping[str, Any]], root: UUID | None = None
    ) -> dict[str, int]:
        """Add the jobs that are missing for the wanted operations; operation -> number of photos."""
        counts: Counter[str] = Counter()
        while made := self._call("enqueue_stale", user=user, wanted=list(wanted), root=root):
            counts.update(made)  # one call makes only as many as fit into a statement's time
        return dict(counts)

    def backlog(self, user: UUID, wanted: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Operation -> photos of the library for which it is still to be done. Changes nothing."""
        counts: dict[str, int] = self._call("backlog", user=user, wanted=list(wanted))
        return counts

    def claim(
        self, table: JobTable, worker: str, request: UUID, can: Iterable[str], limit: int, lease_s: int
    ) -> list[Claim]:
        """Take up to `limit` jobs that `can` do. The same `request` again returns the same jobs."""
        rows = self._call(
            "claim", table=table, worker=worker, request=request, can=list(can), limit=limit, lease_s=lease_s
        )
        return [Claim.from_row(row) for row in rows]

    def heartbeat(self, worker: str, items: Sequence[Mapping[str, Any]], lease_s: int) -> dict[UUID, str]:
        """Renew leases; each item is {table, id, token, progress, step}. Job id -> ok, lost or cancel."""
        rows = self._call("heartbeat", worker=worker, items=list(items), lease_s=lease_s)
        return {UUID(row["id"]): row["state"] for row in rows}

    def complete(self, claim: Claim, payload: Mapping[str, Any]) -> str:
        """Store results and finish (that part of) the job in one transaction: ok, already or lease_lost."""
        return self._finish("complete", claim, payload=payload)

    def complete_many(self, table: JobTable, done: Sequence[tuple[Claim, Mapping[str, Any]]]) -> list[Json]:
        """`complete` for several jobs in one transaction: `{id, answer}` each, or `{id, refused: why}`, in order."""
        items = [{"id": claim.job.id, "token": claim.token, "payload": payload} for claim, payload in done]
        answers: list[Json] = self._call("complete_many", table=table, items=items)
        return answers

    def fail(self, claim: Claim, error: Mapping[str, Any], retry_s: float | None = None) -> str:
        """Give up on this attempt: retry, dead, invalid, already or lease_lost."""
        return self._finish("fail", claim, error=error, retry_s=retry_s)

    def release(self, claim: Claim, delay_s: float | None = None) -> str:
        """Give the job back as if it had not been claimed, not to be claimed again before `delay_s` seconds."""
        return self._finish("release", claim, delay_s=delay_s)

    def reap(self, limit: int = 100) -> int:
        """Return jobs of dead workers to the queue; how many."""
        return int(self._call("reap", limit=limit))

    def bury(self, worker: str, info: Mapping[str, Any]) -> int:
        """Return the jobs of a worker that said this of itself and is dead; how many."""
        return int(self._call("bury", worker=worker, info=info))

    def selftest_start(self, claim: Claim) -> None:
        """Write to the ledger that the child turned to a selftest job."""
        self._call("selftest_start", job=claim.job.id, attempt=claim.attempt, token=claim.token)

    def cancel(self, table: JobTable, jobs: Iterable[UUID]) -> int:
        """Cancel waiting jobs and ask running ones to stop; how many."""
        return int(self._call("cancel", table=table, ids=list(jobs)))

    def requeue(self, table: JobTable, jobs: Iterable[UUID]) -> int:
        """Let finished or failed jobs run again; how many."""
        return int(self._call("requeue", table=table, ids=list(jobs)))

    def retry_failed(self, user: UUID, cause: str | None = None, after: UUID | None = None) -> Json:
        """Let a share of what failed for good run again: `{jobs, next}`, `next` for the next call, None at the end."""
        answer: Json = self._call("retry_failed", user=user, cause=cause, after=after)
        return answer

    def cancel_waiting(self, user: UUID, operation: str | None = None) -> dict[str, int]:
        """Cancel a share of what waits: `{cancelled, stopping}`, both 0 when no more is left."""
        counts: dict[str, int] = self._call("cancel_waiting", user=user, operation=operation)
        return counts

    def worker_note(self, worker: str, info: Mapping[str, Any]) -> bool:
        """A sign of life of a worker, which tells more of itself; False if it is not known (any more)."""
        return bool(self._call("worker_note", worker=worker, info=info))

    def workers(self) -> list[Json]:
        """Everybody who works, or did lately."""
        found: list[Json] = self._call("worker_list")
        return found

    def job_counts(self) -> dict[str, dict[str, int]]:
        """Operation -> how many jobs of all users are waiting, retrying, running."""
        counts: dict[str, dict[str, int]] = self._call("job_counts")
        return counts

    def prune(self, keep_days: int) -> Json:
        """Remove a share of what is old: `{jobs, workers, more}`; `more` asks for another call."""
        answer: Json = self._call("prune", keep_days=keep_days)
        return answer

    def orphan_blobs(self, keys: Sequence[str]) -> list[str]:
        """Those of the keys of derived pictures that nothing refers to."""
        orphans: list[str] = self._call("orphan_blobs", keys=list(keys))
        return orphans

    def status(self, user: UUID | None = None) -> Json:
        """Counts, failures and workers, of one user or of all."""
        status: Json = self._call("status", user=user)
        return status

    # Folders and files

    def root(self, user: UUID, path: Path, device: str | None = None) -> Json | None:
        """The library folder that `path` belongs to; made if there is none and `device` is given."""
        root: Json | None = self._call("root", user=user, path=path, device=device)
        return root

    def root_files(self, root: UUID, after: str | None = None, limit: int = 1000) -> list[Json]:
        """What is known of the files below a root, by path, one page after the path `after`."""
        rows: list[Json] = self._call("root_files", root=root, after=after, limit=limit)
        return rows

    def import_files(self, root: UUID, files: Sequence[Mapping[str, Any]]) -> list[Json]:
        """Record files as they were seen and read; what became of each: `{path, outcome, asset_id}`."""
        outcomes: list[Json] = self._call("import_files", root=root, files=list(files))
        return outcomes

    def mark_missing(self, root: UUID, paths: Iterable[str]) -> int:
        """Record files that are gone; how many."""
        return int(self._call("mark_missing", root=root, paths=[path_to_text(path) for path in paths]))

    def unplaced(self, user: UUID, limit: int) -> list[tuple[str, float | None, float | None]]:
        """Some photos whose positions have no names yet: id, latitude, longitude."""
        rows = self._call("unplaced", user=user, limit=limit)
        return [(asset, latitude, longitude) for asset, latitude, longitude in rows]

    def place(self, user: UUID, places: Sequence[Mapping[str, Any]]) -> int:
        """Write names of places down; how many photos."""
        return int(self._call("place", user=user, places=list(places)))

    def root_state(self, root: UUID, state: str, device: str | None = None) -> None:
        """Record that a root was scanned (online) or is not there (offline)."""
        self._call("root_state", root=root, state=state, device=device)

    def relocate(self, user: UUID, old: Path, new: Path, *, check: bool = False) -> Json:
        """Let the folders at and below `old` lie below `new`, or only `check` what that would do. See the function."""
        answer: Json = self._call("relocate", user=user, old=old, new=new, check=check)
        return answer

    # What a user sees

    def roots(self, user: UUID) -> list[Json]:
        """The user's folders with what is in them."""
        rows: list[Json] = self._call_as(user, "roots")
        return rows

    def assets(self, user: UUID, limit: int = 100, after: Any = None, where: Mapping[str, Any] | None = None) -> Any:
        """One page of the user's photos."""
        return self._call_as(user, "assets", limit=limit, after=after, filter=where or {})

    def asset(self, user: UUID, asset: UUID) -> Json | None:
        """Everything about one photo, or None when the user has no such photo."""
        found: Json | None = self._call_as(user, "asset", id=asset)
        return found

    def jobs(self, user: UUID, where: Mapping[str, Any], limit: int = 50, after: Any = None) -> Json:
        """One page of the user's jobs."""
        page: Json = self._call_as(user, "jobs", filter=where, limit=limit, after=after)
        return page

    def job(self, user: UUID, beginning: str) -> list[Json]:
        """Up to three of the user's jobs whose id begins so, with all that is known of them."""
        found: list[Json] = self._call_as(user, "job", id=beginning)
        return found

    def job_causes(self, user: UUID) -> list[Json]:
        """Why things of the user failed for good."""
        causes: list[Json] = self._call_as(user, "job_causes")
        return causes

    def my_status(self, user: UUID) -> Json:
        """`status` as the user sees it."""
        status: Json = self._call_as(user, "status")
        return status

    def _finish(self, function: str, claim: Claim, **arguments: Any) -> str:
        answer: str = self._call(function, table=claim.job.table, id=claim.job.id, token=claim.token, **arguments)
        return answer
