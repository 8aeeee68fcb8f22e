"""`kizu jobs`: what failed and why, what waits that nobody can do; single jobs in full, tried again or taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizu_core.cli.assets import AsJson, User
from kizu_core.cli.context import aligned, console, print_json, settings_of
from kizu_core.cli.progress import WHOLE, plural, title_of

if TYPE_CHECKING:
    from kizu_core.api import Library

app = typer.Typer(
    no_args_is_help=True,
    help="The work itself: what failed and why, what waits and for what, one piece of it in full. `kizu status` is "
    "the short answer.",
)

Json = dict[str, Any]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids of jobs, or their beginnings.")]
Operation = Annotated[str | None, typer.Option("--operation", metavar="NAME", help="Such as ocr or embedding.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

PAGE = 1000


@app.command("list")
def list_jobs(
    ctx: typer.Context,
    status: Annotated[
        str | None,
        typer.Option("--status", metavar="STATUS", help="waiting, running, retrying, failed, done or cancelled."),
    ] = None,
    operation: Operation = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, newest first.")] = 50,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """List failures by cause, and what waits that nobody can do; with a status or an operation, single jobs.

    Examples:

      kizu jobs list

      kizu jobs list --status failed --operation ocr
    """
    from kizu_core.api import open_library
    from kizu_core.library.jobs import STATES

    if status is not None and status not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--status")
    with open_library(settings_of(ctx), user) as library:
        if status is None and operation is None:
            found: Json = {"failures": library.jobs.causes(), "waiting": list(_nobodys(library))}
            lines = _overview(found)
        else:
            found = {"jobs": list(_pages(library, limit, status, operation))}
            lines = _table(found["jobs"])
    if as_json:
        print_json(found)
        return
    _print(lines)


@app.command("show")
def show(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")],
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Show all about one job: what it is for, who had it when, every error. Passwords in addresses are hidden.

    Example: kizu jobs show 3f2a
    """
    from kizu_core.api import open_library

    with open_library(settings_of(ctx), user) as library:
        found = library.jobs.show(job)
    if as_json:
        print_json(found)
    else:
        _print(_describe(found))


@app.command("retry")
def retry(
    ctx: typer.Context,
    jobs: Ids = None,
    cause: Annotated[
        str | None, typer.Option("--cause", metavar="CODE", help="All that failed so, as `kizu jobs list` names it.")
    ] = None,
    all_failed: Annotated[bool, typer.Option("--all-failed", help="All that failed.")] = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Try again what failed for good, from the beginning: after a file was mended, say, or a plugin updated.

    Examples:

      kizu jobs retry 3f2a

      kizu jobs retry --cause unreadable_picture
    """
    from kizu_core.api import open_library
    from kizu_core.errors import JobError

    _one_of(jobs, cause, all_failed, "ids, --cause or --all-failed")
    with open_library(settings_of(ctx), user) as library:
        known = [one["code"] for one in library.jobs.causes()] if cause else []
        if cause and cause not in known:
            raise JobError(f"Nothing failed with the cause {cause!r}.", hint=f"Causes: {', '.join(known) or 'none'}.")
        count = library.jobs.retry(jobs) if jobs else library.jobs.retry_failed(cause)
    if as_json:
        print_json({"jobs": count})
        return
    typer.echo(
        f"{plural(count, 'job')} will be tried again" + (": `kizu run` or `kizu worker` does it." if count else ".")
    )


@app.command("cancel")
def cancel(
    ctx: typer.Context,
    jobs: Ids = None,
    operation: Operation = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="All that waits.")] = False,
    yes: Yes = False,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Take back work that waits or runs. What was found so far stays; the next `kizu run` asks for it again.

    Examples:

      kizu jobs cancel 3f2a

      kizu jobs cancel --operation describe --yes
    """
    from kizu_core.api import open_library
    from kizu_core.cli.asking import confirm

    _one_of(jobs, operation, waiting, "ids, --operation or --waiting")
    with open_library(settings_of(ctx), user) as library:
        if not jobs and not yes:
            confirm(_what_waits(library, operation), "Nothing was cancelled")
        counts = library.jobs.cancel(jobs) if jobs else library.jobs.cancel_waiting(operation)
    if as_json:
        print_json({"cancelled": counts["cancelled"], "stopping": counts["stopping"]})
        return
    typer.echo(f"{plural(counts['cancelled'], 'job')} cancelled.")
    if counts["stopping"]:
        typer.echo(f"{plural(counts['stopping'], 'job')} in work will stop within seconds.")


def _one_of(jobs: Sequence[str] | None, *more: Any) -> None:
    """A usage error unless exactly one way was taken to say which jobs are meant; the last of `more` names them."""
    *options, names = more
    if sum(bool(one) for one in (jobs, *options)) != 1:
        raise typer.BadParameter(f"say which: {names}, and only one of them.")


def _pages(library: Library, limit: int, state: str | None, operation: str | None) -> Iterator[Json]:
    after = None
    while limit > 0:
        page = library.jobs.page(min(limit, PAGE), after, state=state, operation=operation)
        yield from page["jobs"]
        limit -= len(page["jobs"])
        after = page["next"]
        if after is None:
            return


def _nobodys(library: Library) -> Iterator[Json]:
    """What waits although neither this environment nor a worker that is up can do it, with the next step."""
    status = library.status()
    able = {entry for worker in status["workers"] for entry in worker["can"]}
    able |= {offer.entry for offer in library.offers}
    gaps = {gap.operation: gap for gap in library.gaps}
    for operation, counts in sorted(status["jobs"].items()):
        waiting = counts["waiting"] + counts["retrying"]
        if waiting and operation not in able:
            gap = gaps.get(operation)
            yield {
                "operation": operation,
                "waiting": waiting,
                "reason": gap.reason if gap else "No plugin in use does it.",
                "hint": gap.hint if gap else "Install or enable one that does: see `kizu plugins list`.",
            }


def _overview(found: Json) -> Iterator[str]:
    if not found["failures"] and not found["waiting"]:
        yield "Nothing has failed, and nothing waits that can't be done. See `kizu status` for what is in work."
    if found["failures"]:
        yield f"Failed, and not tried again by itself ({plural(len(found['failures']), 'cause')}):"
    for cause in found["failures"]:
        more = cause["count"] - len(cause["examples"])
        yield f"  {cause['code']}: {cause['count']:,} ({', '.join(map(_title, cause['operations']))})"
        yield f"      {cause['message']} {cause['hint'] or ''}".rstrip()
        yield f"      {', '.join(cause['examples'])}{f' and {more:,} more' if more else ''}"
    if found["failures"]:
        yield "  To try again: `kizu jobs retry --cause CODE`. Single ones: `kizu jobs list --status failed`."
    if found["waiting"]:
        yield "Waiting until somebody can do it; nothing is lost meanwhile, and no attempt is counted:"
    for gap in found["waiting"]:
        yield f"  {_title(gap['operation'])}: {gap['waiting']:,} waiting. {gap['reason']}"
        yield f"      {gap['hint']}"


def _table(jobs: Sequence[Json]) -> Iterator[str]:
    if not jobs:
        yield "There are none."
        return
    rows = [("ID", "STATUS", "WHAT", "TRIES", "SINCE", "PHOTO", "WHY")]
    for job in jobs:
        why = (job["error"] or {}).get("message") or ""
        what = ", ".join(WHOLE.get(one, one) for one in job["operations"])
        tries = f"{job['attempt']}/{job['max_attempts']}"
        rows.append((job["id"], job["state"], what, tries, _moment(_since(job)), job["photo"] or "", why))
    yield from aligned(rows)


def _since(job: Json) -> str | None:
    """When it came into the state that it is in."""
    times = {"running": "picked_up_at", "done": "completed_at", "failed": "completed_at", "cancelled": "completed_at"}
    since: str | None = job[times.get(job["state"], "created_at")]
    return since


def _moment(time: str | None) -> str:
    """A time of the database to the second, in UTC."""
    return (time or "").replace("T", " ")[:19]


def _describe(job: Json) -> Iterator[str]:
    """One job for a person; parts that say nothing are left out."""
    crashes = f", {job['crash_count']} of them crashed" if job["crash_count"] else ""
    facts = {
        "id": f"{job['id']} ({job['table']})",
        "status": job["state"] + (f", {job['outcome']}" if job["outcome"] not in {None, "ok", "cancelled"} else ""),
        "kind": job["job_type"],
        "what": ", ".join(WHOLE.get(one, one) for one in job["operations"]),
        "photo": job["photo"] or job["asset_id"],
        "user": job["user_id"],
        "attempts": f"{job['attempt']} of {job['max_attempts']}{crashes}",
        "worker": job["worker_id"],
        "progress": f"{job['progress']} %, {job['current_step'] or 'begun'}" if job["state"] == "running" else None,
        "made": _moment(job["created_at"]),
        "not before": _moment(job["run_after"]) if job["state"] == "retrying" else None,
        "begun": _moment(job["picked_up_at"]),
        "ended": _moment(job["completed_at"]),
        "address": job["url"],
        "parameters": job["params"],
        "result": job["result"],
    }
    yield from (f"{name:<12} {value}" for name, value in facts.items() if value)
    for error in job["errors"] or ():
        who = f"attempt {error['attempt']}, {error['worker'] or 'nobody'}"
        yield f"{'error':<12} {_moment(error['at'])}  {who}: {error['code']}"
        yield f"{'':<12} {error['message']} {error['hint'] or ''}".rstrip()


def _what_waits(library: Library, operation: str | None) -> str:
    counts = {name: one["waiting"] + one["retrying"] for name, one in sorted(library.status()["jobs"].items())}
    waits = {name: count for name, count in counts.items() if count and operation in {None, name}}
    said = ", ".join(f"{count:,} for {_title(name)}" for name, count in waits.items())
    return f"Cancel what waits ({said or 'nothing now'})?"


def _title(operation: str) -> str:
    return title_of(operation)


def _print(lines: Iterator[str]) -> None:
    out = console()
    for line in lines:
        out.print(line, markup=False)
