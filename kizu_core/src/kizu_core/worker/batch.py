"""Some jobs of one handler on their way through the child, and every way in which that can end."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from kizu_core.errors import ChildCrashed, DiskFull, JobCancelled, JobTimeout, KizuError, WorkerError
from kizu_core.types import JobOutcome
from kizu_core.worker.answering import answer
from kizu_core.worker.finish import Finisher
from kizu_core.worker.member import Member
from kizu_core.worker.messages import (
    Answer,
    Ask,
    BatchDone,
    Cancel,
    Executing,
    Failed,
    Finished,
    Message,
    Notices,
    Progress,
    Refusals,
    Refused,
    RunBatch,
    Stop,
)
from kizu_core.worker.process import ChildProcess
from kizu_core.worker.shared import Shared

TICK_S = 0.1
RSS_S = 0.1
"""Between two looks at the size of the child, in which it can grow by some 300 MB: touching memory takes time."""

DEAF_S = 10.0
"""How long a handler may go on with a job that was taken back before its process is killed."""


class Batch:
    """Takes jobs (one or more, of one handler) to their end, whatever the child does.

    Read after `run`: `child_died` (a new one is needed), `refusal` (why the handler can't be built), `disk_full`,
    `begun` (whether any job was), `suspects` (jobs of which one ended the process, in a step that they shared: none was
    charged, each is to be tried alone).
    """

    def __init__(self, shared: Shared, child: ChildProcess, finisher: Finisher, members: Sequence[Member]) -> None:
        self._shared = shared
        self._child = child
        self._finisher = finisher
        self._spec = members[0].held.spec
        self._members = {member.id: member for member in members}
        self._open = dict(self._members)
        self._handed_over: set[UUID] = set()
        self._executing: list[Member] = []
        self._since = self._step_since = time.monotonic()
        self._next_rss = 0.0
        self._stop_sent = False
        self._over = False
        self.begun = False
        self.child_died: str | None = None
        self.refusal: Mapping[str, Any] | None = None
        self.disk_full: DiskFull | None = None
        self.suspects: frozenset[UUID] = frozenset()

    def run(self) -> None:
        """Returns when every job is failed, given back, forgotten, or finished and handed over."""
        self._start()
        try:
            while not self._over:
                self._step()
            for member in self._open.values():
                self._shared.settler.release(member.held, "not reached")
        finally:
            for member in self._members.values():
                if member.id not in self._handed_over:
                    member.close()

    def _start(self) -> None:
        self._since = self._step_since = time.monotonic()
        tasks = tuple(member.task() for member in self._open.values())
        with suppress(OSError):  # a child that died meanwhile is found out when its answer is read
            self._child.send(RunBatch(handler=self._spec.name, tasks=tasks))

    # ---- while it runs -----------------------------------------------------------------------------------

    def _step(self) -> None:
        try:
            message = self._child.receive(TICK_S)
        except TimeoutError:
            self._watch()
            return
        except WorkerError as error:
            self._crash(f"sent garbage ({error.message})")
            return
        if message is None:
            self._crash(self._child.epitaph())
            return
        self._take(message)
        self._watch()

    def _take(self, message: Message) -> None:
        match message:
            case Executing(job_ids=job_ids):
                self._switch([self._members[one] for one in dict.fromkeys(job_ids) if one in self._members])
            case Progress(job_id=job_id):
                self._progress(message)
            case Finished(job_id=job_id, outcome=outcome):
                self._finished(job_id, outcome)
            case Failed(job_id=job_id, error=error):
                self._failed(job_id, error)
            case Ask():
                self._answer(message)
            case Refusals(refusals=refusals):
                self._shared.settler.count_refusals(refusals)
            case Notices(sentences=sentences):
                self._shared.settler.count_notices(sentences)
            case Refused(error=error):
                self.refusal, self._over = error, True
            case BatchDone(disturbed=disturbed):
                self._over, self.suspects = True, self._at_work() if disturbed else self.suspects
            case _:
                self._crash(f"sent garbage (a message {type(message).__name__})")

    def _switch(self, members: Sequence[Member]) -> None:
        """From now on these jobs are at it: one alone is charged for what happens, of several none."""
        now = time.monotonic()
        for member in self._executing:
            member.spent += (now - self._since) / len(self._executing)
        self._executing = list(members)
        self._since = self._step_since = now
        self.begun = self.begun or bool(self._executing)
        for member in self._executing:
            if member.id in self._open and (started := member.start()):
                self._shared.emit(started)
                self._shared.settler.begun(member.held)

    def _leave(self, job_id: UUID) -> None:
        """The job has ended; those that shared its step go on."""
        self._switch([member for member in self._executing if member.id != job_id])

    def _progress(self, message: Progress) -> None:
        member = self._open.get(message.job_id)
        if member is not None:
            before = member.held.step
            self._shared.emit(member.advance(message.percent, message.step))
            if member in self._executing and member.held.step != before:
                self._step_since = time.monotonic()

    def _answer(self, question: Ask) -> None:
        """Shows something of the library to a handler: of the user whose job it is, whatever the child says."""
        asked = time.monotonic()
        member = self._open.get(question.job_id)
        try:
            reply = Answer(question=question.question, value=self._look_up(member, question))
        except KizuError as error:
            reply = Answer(question=question.question, error=error.as_dict())
        waited = time.monotonic() - asked  # for us: not charged to the job
        self._since, self._step_since = self._since + waited, self._step_since + waited
        with suppress(OSError):
            self._reply(reply)

    def _reply(self, reply: Answer) -> None:
        try:
            self._child.send(reply)
        except WorkerError as error:  # too large: a child that is told nothing would wait for ever
            self._child.send(Answer(question=reply.question, error=error.as_dict()))

    def _look_up(self, member: Member | None, question: Ask) -> Mapping[str, Any] | None:
        if member is None:
            raise JobCancelled("Nobody wants this job any more.")
        held = member.held
        own = held.job.asset_id
        if own is not None and (question.what, question.arguments) == ("asset", {"asset_id": own}):
            return held.claim.asset
        return self._shared.patience.call(
            lambda: answer(self._shared.database, held.job.user_id, question.what, question.arguments),
            until=held.good_until,
        )

    def _finished(self, job_id: UUID, outcome: JobOutcome) -> None:
        member = self._open.pop(job_id, None)
        if member is None:
            return  # forgotten or given back while the child was at it
        if member.held.cancelled:
            self._shared.settler.fail(member.held, _cancelled().as_dict())
        else:
            self._handed_over.add(job_id)
            self._finisher.put(member, outcome)
        self._leave(job_id)

    def _failed(self, job_id: UUID, error: Mapping[str, Any]) -> None:
        member = self._open.pop(job_id, None)
        if member is None:
            return
        if error.get("code") == DiskFull.code:
            self._no_space(member, DiskFull(str(error.get("message")), hint=error.get("hint")))
        else:
            self._shared.settler.fail(member.held, error)
        self._leave(job_id)

    def _no_space(self, member: Member, error: DiskFull) -> None:
        """A full disk is no fault of the photo: no attempt is counted, and the lane pauses."""
        self.disk_full = error
        self._shared.settler.release(member.held, error.message)

    # ---- limits ------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        now = time.monotonic()
        for member in list(self._open.values()):
            if member.held.is_lost(now):
                del self._open[member.id]
                self._shared.settler.forget(member.held)
                self._ask_to_stop(member, now)
            elif member.held.cancelled:
                self._ask_to_stop(member, now)
        if self._shared.stopping.is_set():
            self._watch_grace(now)
        if not self._over:
            self._watch_limits(now)

    def _ask_to_stop(self, member: Member, now: float) -> None:
        if member.unwanted_since is None:
            member.unwanted_since = now
            with suppress(OSError):
                self._child.send(Cancel(job_id=member.id))

    def _watch_grace(self, now: float) -> None:
        """The worker is to stop: the job in hand may finish within the grace, the others go back at once."""
        if not self._stop_sent:
            self._stop_sent = True
            with suppress(OSError):
                self._child.send(Stop())
            for member in [one for one in self._open.values() if one not in self._executing]:
                del self._open[member.id]
                self._shared.settler.release(member.held, "the worker stops")
        if now > self._shared.grace_until or not self._open:
            self._kill("was ended because the worker stops")

    def _watch_limits(self, now: float) -> None:
        here = now - self._since
        member = self._executing[0] if len(self._executing) == 1 else None
        if max([one.spent for one in self._executing], default=0.0) + here > self._spec.timeout_s:
            limit = f"{self._spec.timeout_s} s"
            self._kill(f"took longer than {limit}")
            self._charge(JobTimeout(f"It took longer than {limit}, the limit of {self._spec.name}."))
        elif self._executing and now - self._step_since > (self._spec.step_timeout_s or math.inf):
            limit = f"{self._spec.step_timeout_s} s over {self._executing[0].held.step or 'its first step'}"
            self._kill(f"took longer than {limit}")
            self._charge(JobTimeout(f"It took longer than {limit}."), at_step=True)
        elif member is not None and member.is_deaf(now, here, DEAF_S):
            self._kill("went on with a photo that was taken back")
            self._charge(_cancelled())
        elif now > self._next_rss:
            self._next_rss = now + RSS_S
            self._watch_memory()

    def _watch_memory(self) -> None:
        limit = self._child.limit_mb
        if self._child.rss_mb() > limit:
            self._kill(f"needed more than {limit} MB")
            message = f"The model process needed more than {limit} MB for this photo."
            self._charge(ChildCrashed(message, hint="KIZU_MAX_CHILD_MB sets the limit."), crashed=True)

    # ---- the child is gone -------------------------------------------------------------------------------

    def _kill(self, why: str) -> None:
        self._child.kill()
        self.child_died, self._over = why, True

    def _crash(self, how: str) -> None:
        """It died or talks nonsense. Only the job that it was at is charged, and none if there were several."""
        self._kill(how)
        self._charge(ChildCrashed(f"The model process {how} while it worked on this photo."), crashed=True)

    def _charge(self, error: KizuError, *, crashed: bool = False, at_step: bool = False) -> None:
        """`at_step`: the step that it was at is to blame, not the job as a whole."""
        if len(self._executing) != 1:
            self.suspects = self._at_work()  # they go back as they came, to be tried one by one
            return
        [member] = self._executing
        if member.id not in self._open:
            return
        del self._open[member.id]
        culprit = member.culprit(crashed=crashed) if crashed or at_step else None
        if culprit is not None:
            self._shared.settler.give_up(member.held, culprit, error, member.workdir)
        else:
            self._shared.settler.fail(member.held, error.as_dict(), crashed=crashed)

    def _at_work(self) -> frozenset[UUID]:
        return frozenset(member.id for member in self._executing)


def _cancelled() -> JobCancelled:
    return JobCancelled("Taken back before it was finished.")
