"""What `kizu run` says at its end: what was found, what was done, what could not be read and why, what to try next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from kizu_core.cli.context import program, size_of
from kizu_core.cli.progress import STAGES, WHOLE, Progress, duration, plural
from kizu_core.privacy.guard import Ledger, Refusal, refusals

if TYPE_CHECKING:
    from kizu_core.api import Library
    from kizu_core.library.report import ReconcileReport
    from kizu_core.models.offers import Gap
    from kizu_core.worker.events import Summary

SHOWN = 5
"""Examples named per cause; the rest is counted."""

SURE = 0.8
"""Score from which recognised text is good enough for an example."""


def read_lines(report: ReconcileReport) -> Iterator[str]:
    """What became of the files that were new or changed; nothing if all were known."""
    if report.offline:
        yield report.offline
        return
    changes = {
        "new": report.new,
        "edited": report.edited,
        "moved": report.moved,
        "copies of known ones" if report.copies > 1 else "copy of a known one": report.copies,
        "back again": report.returned,
        "passed over, as you said": report.forgotten,
        "gone": report.missing,
    }
    said = [f"{count:,} {name}" for name, count in changes.items() if count]
    if said:
        yield f"Read: {', '.join(said)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """All that a run ends with. `worked`: by this process; `status`: of the library, whoever worked on it; `causes`:
    why jobs of the library failed; `people`: that are known by now; `moments`: of today, if this run has made any.
    """

    report: ReconcileReport
    worked: Summary
    status: Mapping[str, Any]
    causes: Sequence[Mapping[str, Any]] = ()
    people: int = 0
    moments: int = 0
    gaps: tuple[Gap, ...]
    seconds: float
    stopped: bool

    @property
    def failed(self) -> bool:
        """Whether something could not be read, now or at an earlier run, or wanted to send something out."""
        return bool(self.status["failures"] or self.report.problems or self.refused)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """What plugins tried to send out, in this process and in those that it started."""
        all_of_them = Ledger()
        for one in (*self.worked.refused.all(), *refusals()):
            all_of_them.add(one.attempt, one.count)
        return all_of_them.all()

    def as_dict(self) -> dict[str, Any]:
        """The last event of `--json`."""
        worked = {key: value for key, value in self.worked.as_dict().items() if key != "event"}
        shown = {key: self.status[key] for key in ("jobs", "assets", "failures")}
        return {
            "event": "summary",
            "stopped": self.stopped,
            "seconds": round(self.seconds, 3),
            "report": asdict(self.report),
            "worked": worked,
            **shown,
            "people": self.people,
            "moments": self.moments,
            "refused": [asdict(one) for one in self.refused],
            "not_done": gaps_as_dicts(self.gaps, self.status),
        }


def summary_lines(result: RunResult) -> Iterator[str]:
    """The end of a run, for a person."""
    report = result.report
    yield ""
    yield f"{'Stopped' if result.stopped else 'Done'} after {duration(result.seconds)}."
    yield from stage_lines(result.status, result.worked)
    yield from whole_lines(result.status["jobs"], result.causes)
    yield from made_lines(result.people, result.moments)
    if report.found.get("video"):
        yield video_line(report.found["video"])
    yield from gap_lines(result.gaps, result.status["jobs"])
    yield from failure_lines(report, result.status)
    yield from (f"  {sentence}" for sentence in result.worked.notices)
    for one in result.worked.refused.all():  # those of this process are named at its end, whatever the command
        yield f"  {one.sentence}"


def video_line(count: int) -> str:
    """What becomes of videos."""
    return f"  {plural(count, 'video')} counted and left alone: no video plugin is installed"


def stage_lines(status: Mapping[str, Any], worked: Summary | None = None) -> Iterator[str]:
    """One line per operation: photos done, how long this run worked on them, what is left."""
    progress = Progress()
    progress.update(status["jobs"])
    for stage in progress.stages:
        if stage.operation in WHOLE:
            continue
        tally = worked.operations.get(stage.operation) if worked else None
        parts = [f"{stage.done:,} done"]
        if tally and tally.done:
            each = tally.seconds / tally.done
            parts.append(f"{tally.done:,} of them now, {duration(tally.seconds)} of work, {each:.2f} s each")
        parts += [f"{stage.waiting:,} waiting"] if stage.waiting else []
        parts += [f"{stage.retrying:,} retrying"] if stage.retrying else []
        parts += [f"{stage.failed:,} could not be done"] if stage.failed else []
        yield f"  {stage.title:<18} {', '.join(parts)}"


def whole_lines(jobs: Mapping[str, Mapping[str, int]], causes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Work for the library as a whole that is left, or failed. `jobs`: of a status; `causes`: why jobs failed."""
    for operation, title in WHOLE.items():
        counts = jobs.get(operation, {})
        if counts.get("running"):
            yield f"  {title.capitalize()}: in work now"
        elif counts.get("waiting") or counts.get("retrying"):
            yield f"  {title.capitalize()}: waits for a worker, `kizu run` or `kizu worker`"
    for cause in causes:
        if titles := [WHOLE[one] for one in cause["operations"] if one in WHOLE]:
            said = " and ".join(titles).capitalize()
            yield f"  {said} failed: {cause['message']} {cause['hint'] or ''}".rstrip()
            yield f"      To try again: kizu jobs retry --cause {cause['code']}"


def made_lines(people: int, moments: int) -> Iterator[str]:
    """What was found in the library as a whole, and where to see it."""
    said = [f"{people:,} {'person' if people == 1 else 'people'}"] if people else []
    said += [plural(moments, "new moment")] if moments else []
    commands = [name for name, count in (("kizu people list", people), ("kizu moments today", moments)) if count]
    if said:
        yield f"  {', '.join(said)}: {', '.join(commands)}"


def gap_lines(gaps: Iterable[Gap], jobs: Mapping[str, Mapping[str, int]] | None = None) -> Iterator[str]:
    """Operations that are not done here, with the command that changes it. `jobs`: of a status, to say what waits."""
    for gap in gaps:
        count = waiting_for(gap, jobs or {})
        state = "not done" if not count else "1 photo waits" if count == 1 else f"{count:,} photos wait"
        if gap.pull_bytes:
            yield f"  {STAGES[gap.operation]:<18} {state}: {needs(gap)}: kizu models pull {gap.model}"
        else:
            yield f"  {STAGES[gap.operation]:<18} {state}: {gap.reason}"
            yield f"  {'':<18} {gap.hint}"


def needs(gap: Gap) -> str:
    """What has to be fetched, in few words."""
    return f"needs model {gap.model} ({size_of(gap.pull_bytes)})"


def waiting_for(gap: Gap, jobs: Mapping[str, Mapping[str, int]]) -> int:
    """How many photos wait for the operation."""
    counts = jobs.get(gap.operation, {})
    return counts.get("waiting", 0) + counts.get("retrying", 0)


def gaps_as_dicts(gaps: Iterable[Gap], status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same for scripts."""
    return [{**asdict(gap), "waiting": waiting_for(gap, status["jobs"])} for gap in gaps]


Group = tuple[str, str, int, list[str]]
"""A cause: message, next step, how many files, some of them."""


def failure_lines(report: ReconcileReport, status: Mapping[str, Any]) -> Iterator[str]:
    """Photos that could not be read or worked on, and places that this scan could not look at."""
    causes: dict[tuple[str, str], list[str]] = {}
    for one in report.problems:
        causes.setdefault((one.error["message"], one.error.get("hint") or ""), []).append(one.path)
    places = [(message, hint, len(paths), paths) for (message, hint), paths in causes.items()]
    yield from failure_groups([*places, *failed_photos(status)])


def failed_photos(status: Mapping[str, Any]) -> list[Group]:
    """Photos that could not be read or worked on, by cause."""
    return [(f["message"], f.get("hint") or "", f["count"], f["examples"]) for f in status["failures"]]


def failure_groups(groups: list[Group]) -> Iterator[str]:
    """Causes with their next step and some examples."""
    if not groups:
        return
    yield f"{plural(sum(count for _, _, count, _ in groups), 'file')} could not be read:"
    for message, hint, count, examples in groups:
        more = f" and {count - SHOWN:,} more" if count > SHOWN else ""
        yield f"  {message} {hint}".rstrip()
        yield f"      {', '.join(examples[:SHOWN])}{more}"


def next_lines(library: Library, result: RunResult) -> Iterator[str]:
    """What to do next, as commands that work when copied."""
    if result.stopped:
        yield "Run the same command again to go on where it stopped."
        return
    user = "" if library.settings.user == library.user_name else f" --user {quote(library.user_name)}"
    example = _example_word(library)
    kizu = quote(program())
    yield "Try next:"
    if example:
        yield f"  {kizu} search {example}{user}"
    yield f"  {kizu} assets list{user}"
    yield f"  {kizu} status{user}"


def _example_word(library: Library) -> str | None:
    """A word that a search will find: the longest plain one of the newest photo that has one."""
    for asset in library.assets.page(limit=20, where={"has_text": True})["assets"]:
        shown = library.assets.show(asset["id"]) or {"texts": []}
        words = [word for text in shown["texts"] if text["score"] > SURE for word in text["text"].split()]
        plain: list[str] = [word.lower() for word in words if len(word) > 3 and word.isalpha() and word.isascii()]
        if plain:
            return max(plain, key=len)
    return None
