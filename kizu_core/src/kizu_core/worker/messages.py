"""What a worker and its child say to each other. Each class is one kind of message.

A message travels as a map of its fields plus `type`, the name of its class. Whatever arrives is validated
against the class: from the child it may be garbage, and must then be a `WorkerError` and nothing worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, TypeAdapter, ValidationError

from kizu_core.errors import WorkerError
from kizu_core.models.runtimes.record import Trial
from kizu_core.privacy.guard import Refusal
from kizu_core.privacy.isolation import Level
from kizu_core.privacy.probes import Probed
from kizu_core.types import Job, JobOutcome, ModelType, Runtime

MOST_TEXT, MOST_CODE, MOST_NOTICE = 2000, 80, 300
"""Characters that are kept of an error's sentences, of its code, and of a notice."""


def _tidy(told: Mapping[str, Any]) -> Mapping[str, str | bool | None]:
    """The four fields of an error, as long as they are stored and no longer, whatever a child said."""

    def text(name: str) -> str | None:
        return value[:MOST_TEXT] if isinstance(value := told.get(name), str) else None

    code, message = (text("code") or "error")[:MOST_CODE], text("message") or "It failed without a word."
    return {"code": code, "message": message, "hint": text("hint"), "retryable": told.get("retryable") is True}


Report = Annotated[Mapping[str, str | bool | None], AfterValidator(_tidy)]
"""What `KizuError.as_dict` gives, and nothing that could not be stored in a job's row."""


def _printable(sentence: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in sentence[:MOST_NOTICE])


Sentence = Annotated[str, AfterValidator(_printable)]
"""What a child says for people to read; it may be hostile."""

# ---- parent to child ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Configure:
    """First message to the child: the settings that may cross (no secret)."""

    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One job to do. `source`: the original, read-only; `workdir`: an empty private folder."""

    job: Job
    source: Path | None
    workdir: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBatch:
    """Do these jobs, all of the handler with that name."""

    handler: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Nobody wants this job's result any more."""

    job_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Reply to `Ask`: `value`, or `error` as `KizuError.as_dict` gives it."""

    question: int
    value: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Try every way out, each to a port of this machine: for `kizu doctor`."""

    ports: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Try a model on these of its runtimes, the reference first: for `kizu models bench`."""

    kind: ModelType
    name: str
    runtimes: tuple[Runtime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Convert:
    """Convert a model and try nothing: for `kizu models export --onnx`. A `BenchDone` answers."""

    kind: ModelType
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedTexts:
    """What vectors do these texts have for the embedder of that name: for `kizu search`."""

    model: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """Between a search and who keeps a model for it (`warm`): a digest of what the model is made with, empty to ask.

    In the answer also who keeps it, and for how many more seconds.
    """

    digest: str = ""
    pid: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Finish the job in hand, begin no other, exit."""


# ---- child to parent ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The child is up, its guards are on. `level`: what the system refuses it."""

    pid: int
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Plugins are discovered; `handlers` are the names that the child can run."""

    handlers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The handler of the batch can't be built here, so none of its jobs was touched."""

    error: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Executing:
    """From now on exactly these jobs are worked on: a crash is charged to the one, or to none of several."""

    job_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`percent` 0 to 100; `step` names what is being done."""

    job_id: UUID
    percent: int
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The job is done."""

    job_id: UUID
    outcome: JobOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The job failed; `error` as `KizuError.as_dict` gives it."""

    job_id: UUID
    error: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The handler of `job_id` wants to see something of its user's library; `what`: a view, see `answering`."""

    question: int
    job_id: UUID
    what: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """What code in the child tried to send out, refused since the last message of this kind."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeDone:
    """What stopped each way of a `Probe`."""

    results: tuple[Probed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """What became of models since the last message of this kind: sentences for a person."""

    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchProgress:
    """What a `Bench` does from now on (`step`, a runtime or `convert`), or what came of a runtime (`trial`)."""

    step: str | None = None
    trial: Trial | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchDone:
    """A `Bench` or `Convert` is over. `error`: why the model can't be used, or converted, at all."""

    error: Report | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Reply to `EmbedTexts`: whatever the model said, one vector a text; or why there are none."""

    vectors: tuple[Any, ...] = ()
    error: Report | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDone:
    """The batch is over; jobs without `Finished` or `Failed` were not touched.

    `disturbed`: the handler raised while it worked on several, of which one may be to blame.
    """

    disturbed: bool = False


Message = (
    Configure
    | RunBatch
    | Cancel
    | Answer
    | Stop
    | Hello
    | Ready
    | Refused
    | Executing
    | Progress
    | Finished
    | Failed
    | Ask
    | Refusals
    | Notices
    | Probe
    | ProbeDone
    | Bench
    | Convert
    | BenchProgress
    | BenchDone
    | EmbedTexts
    | Embedded
    | Warm
    | BatchDone
)

_KINDS: Mapping[str, type[Message]] = {kind.__name__: kind for kind in Message.__args__}


def to_wire(message: Message) -> dict[str, Any]:
    """The map that `frames.encode` packs."""
    values = {field.name: getattr(message, field.name) for field in fields(message)}
    return {"type": type(message).__name__, **values}


def from_wire(value: object) -> Message:
    """The message that `to_wire` described. Raises `WorkerError` if it is none."""
    if not isinstance(value, dict):
        raise WorkerError("A frame that holds no message")
    name = value.pop("type", None)
    if not isinstance(name, str) or name not in _KINDS:
        raise WorkerError("A frame of a kind that does not exist")
    try:
        message: Message = _adapter(name).validate_python(value)
    except ValidationError as error:
        raise WorkerError(f"A malformed {name} message: {error.error_count()} wrong fields") from error
    return replace(message, outcome=_tidied(message.outcome)) if isinstance(message, Finished) else message


def _tidied(outcome: JobOutcome) -> JobOutcome:
    operations = tuple(replace(one, error=_tidy(one.error)) if one.error else one for one in outcome.operations)
    return replace(outcome, operations=operations)


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_KINDS[name])
