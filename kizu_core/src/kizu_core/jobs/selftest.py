"""Handler `selftest`: does what a job's parameters ask for, good or bad. The queue is proved with it, without models.

Only with `KIZU_SELFTEST`: whoever may ask for such jobs could keep a worker busy with crashes.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Annotated, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kizu_core.errors import JobCancelled, JobError, SettingError
from kizu_core.jobs.single import SingleHandler
from kizu_core.plugins.protocols import JobContext
from kizu_core.settings import Settings
from kizu_core.types import SELFTEST, SELFTEST_LEDGER, Job, JobOutcome, OperationResult, ResultRow

SLICE_S = 0.05
"""How often a sleeping job looks whether it is still wanted."""

CHUNK = 16 * 2**20
Count = Annotated[int, Field(ge=0, le=1_000)]


class SelftestParams(BaseModel):
    """`sleep_ms`: how long it takes, with `steps` reports of progress. `fail_first`, `crash_first`: so many attempts
    fail, or end the process in the way of `crash_kind`. `alloc_mb`: memory held meanwhile. `effects`: rows that it
    writes. `ignore_cancel`: goes on when nobody wants it any more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sleep_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 0
    steps: Count = 0
    fail_first: Count = 0
    crash_first: Count = 0
    crash_kind: Literal["segv", "exit", "oom", "hang"] = "segv"
    alloc_mb: Annotated[int, Field(ge=0, le=65_536)] = 0
    effects: Count = 0
    ignore_cancel: bool = False


class SelftestFailed(JobError):
    """What `fail_first` asks for."""

    code = "selftest_failed"
    retryable = True


class SelftestHandler(SingleHandler):
    """See `SelftestParams`."""

    def one(self, job: Job, context: JobContext) -> JobOutcome:
        params = _params(job)
        started = time.monotonic()
        if job.attempt <= params.crash_first:
            _CRASHES[params.crash_kind]()
        held = b"x" * (params.alloc_mb * 2**20)
        _pass_time(params, context)
        del held
        if job.attempt <= params.fail_first:
            raise SelftestFailed(f"Attempt {job.attempt} was to fail.")
        seconds = time.monotonic() - started
        row = ResultRow(table=SELFTEST_LEDGER, user_id=job.user_id, asset_id=job.asset_id, values={"phase": "effect"})
        done = OperationResult(operation=SELFTEST, plugin="core", version="1", found=params.effects, seconds=seconds)
        return JobOutcome(operations=(done,), rows=(row,) * params.effects)


def build(settings: Settings) -> SelftestHandler:
    """The handler, as named by the core's plugin module. Raises `SettingError` unless it is switched on."""
    if not settings.selftest:
        raise SettingError("Selftest jobs are switched off.", hint="KIZU_SELFTEST=1 switches them on.")
    return SelftestHandler()


def _params(job: Job) -> SelftestParams:
    given = dict(job.params)
    given.pop("needs_web_version", None)  # joins the parameters of every job
    try:
        return SelftestParams.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])[:80]
        raise JobError(f"The parameter {name} of a selftest job can't be used: {first['msg']}.") from None


def _pass_time(params: SelftestParams, context: JobContext) -> None:
    steps = max(1, params.steps)
    for step in range(steps):
        end = time.monotonic() + params.sleep_ms / 1000 / steps
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_S))
            if context.cancelled() and not params.ignore_cancel:
                raise JobCancelled("Taken back while it slept.")
        if params.steps:
            context.progress(100 * (step + 1) // steps, SELFTEST)


def _segv() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _exit() -> NoReturn:
    os._exit(7)


def _oom() -> NoReturn:
    held = []
    while True:
        held.append(b"x" * CHUNK)


def _hang() -> NoReturn:
    while True:
        time.sleep(60)


_CRASHES: dict[str, Callable[[], None]] = {"segv": _segv, "exit": _exit, "oom": _oom, "hang": _hang}
