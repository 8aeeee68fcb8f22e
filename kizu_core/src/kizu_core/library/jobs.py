"""The jobs of one user as a person looks at them: pages, causes of failure, one in full; trying again, taking back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from kizu_core.database import OpenDatabase
from kizu_core.errors import JobError
from kizu_core.privacy.redact import HIDDEN, clean
from kizu_core.types import JobTable

Json = dict[str, Any]

STATES = ("waiting", "running", "retrying", "failed", "done", "cancelled")
"""What a job can be, in the words of `page`."""

_SECRET = re.compile(r"(?i)password|secret|token|api_?key|authorization|credential|signature")


class Jobs:
    """What waits, runs, is done or failed of one user's photos. Changes nothing but where a method says so."""

    def __init__(self, database: OpenDatabase, user: UUID) -> None:
        self._database = database
        self._user = user

    def page(
        self, limit: int = 50, after: Json | None = None, *, state: str | None = None, operation: str | None = None
    ) -> Json:
        """`{jobs, next}`, the newest first and up to 1000; `after` is the `next` of the page before.

        `state`: one of `STATES`; `operation`: of those that are left to do or, when none is, were done.
        """
        where = {key: value for key, value in (("state", state), ("operation", operation)) if value is not None}
        page: Json = self._database.api.jobs(self._user, where, limit, after)
        return page

    def causes(self) -> list[Json]:
        """Why things failed for good, the most frequent first: `{code, message, hint, count, operations, examples}`."""
        causes: list[Json] = self._database.api.job_causes(self._user)
        return causes

    def show(self, job: str) -> Json:
        """All about the job whose id begins with `job`; secrets in its parameters and addresses are hidden.

        Raises `JobError` if there is none, or more than one.
        """
        found = self._database.api.job(self._user, job)
        if not found:
            raise JobError(f"There is no job {job!r}.", hint="See `kizu jobs list --status failed`, or another status.")
        if len(found) > 1:
            some = ", ".join(one["id"] for one in found)
            raise JobError(f"{job!r} is the beginning of several jobs: {some}.", hint="Give more of the id.")
        shown: Json = _without_secrets(found[0])
        return shown

    def retry(self, jobs: Iterable[str]) -> int:
        """Lets failed or cancelled jobs run again from the beginning; how many. Ids may be cut short.

        Raises `JobError` for the first that can't, after those before it.
        """
        done = 0
        for one in map(self.show, list(jobs)):
            if one["state"] not in {"failed", "cancelled"}:
                raise JobError(
                    f"Job {one['id']} is {one['state']}: only what failed or was cancelled can be tried again."
                )
            if not self._database.worker.requeue(JobTable(one["table"]), [UUID(one["id"])]):
                raise JobError(f"Job {one['id']} is not needed: the same work is waiting already.")
            done += 1
        return done

    def retry_failed(self, cause: str | None = None) -> int:
        """Tries everything again that failed for good, or what failed with the code `cause`; how many jobs.

        Operations whose job is gone, or went on with other operations, get a new job.
        """
        jobs = 0
        after: UUID | None = None
        while True:
            answer = self._database.worker.retry_failed(self._user, cause, after)
            jobs += int(answer["jobs"])
            if answer["next"] is None:
                return jobs
            after = UUID(answer["next"])

    def cancel(self, jobs: Iterable[str]) -> Counter[str]:
        """Takes jobs back: `cancelled` at once if they waited, `stopping` if they run. Ids may be cut short.

        Raises `JobError` for the first that is finished already, after those before it.
        """
        counts: Counter[str] = Counter()
        for one in map(self.show, list(jobs)):
            if not self._database.worker.cancel(JobTable(one["table"]), [UUID(one["id"])]):
                raise JobError(f"Job {one['id']} is {one['state']} already.")
            counts["stopping" if one["state"] == "running" else "cancelled"] += 1
        return counts

    def cancel_waiting(self, operation: str | None = None) -> Counter[str]:
        """Takes back all that waits, or what waits for one operation; counts as `cancel`.

        Jobs that wait for other operations as well go on with those. Running jobs are asked to stop only if they are
        for nothing but that operation.
        """
        counts: Counter[str] = Counter()
        while any((answer := self._database.worker.cancel_waiting(self._user, operation)).values()):
            counts.update(answer)
        return counts


def _without_secrets(value: Any, key: str = "") -> Any:
    """`value` with passwords and tokens hidden, by the names of keys and by their looks."""
    if isinstance(value, dict):
        return {name: _without_secrets(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_secrets(one, key) for one in value]
    if not isinstance(value, str):
        return value
    return HIDDEN if _SECRET.search(key) else clean(value)
