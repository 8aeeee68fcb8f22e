"""`kizu worker`: do jobs until told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kizu_core.cli.context import DONE, DONE_WITH_FAILURES, settings_of
from kizu_core.cli.display import sentence_of

if TYPE_CHECKING:
    from kizu_core.settings import Settings
    from kizu_core.worker.events import Event, Summary
    from kizu_core.worker.options import WorkerOptions


def worker(
    ctx: typer.Context,
    worker_id: Annotated[
        str | None, typer.Option("--worker-id", metavar="ID", help="Name of this worker; made up if not given.")
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            "--only",
            metavar="HANDLERS",
            help="Do nothing else: image-ai, optimize, moments, recluster, video, selftest; several with commas.",
        ),
    ] = None,
    drain: Annotated[bool, typer.Option("--drain", help="End when nothing is left to do.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Look for work once, do it, end.")] = False,
    poll_interval: Annotated[
        float | None, typer.Option("--poll-interval", metavar="S", min=0.05, help="Seconds between looks for work.")
    ] = None,
    lease_seconds: Annotated[
        int | None, typer.Option("--lease-seconds", metavar="S", min=2, help="How long others wait if this one dies.")
    ] = None,
    no_wake: Annotated[bool, typer.Option("--no-wake", help="Only poll, do not listen for new work.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show every event and what model processes print.")] = False,
) -> None:
    """Work on photos that wait, with what is installed here, until told to stop.

    Several workers may run, also on several computers that use the same database. Ctrl-C or SIGTERM finishes the
    photo in hand or gives it back; a second one gives back at once.

    Examples:

      kizu worker

      kizu worker --only optimize --drain
    """
    from kizu_core.worker.options import WorkerOptions, new_worker_id

    options = WorkerOptions(
        worker_id=worker_id or new_worker_id(),
        only=None if only is None else tuple(name.strip() for name in only.split(",") if name.strip()),
        drain=drain,
        once=once,
        poll_interval=poll_interval,
        lease_seconds=lease_seconds,
        wake=not no_wake,
    )
    settings = settings_of(ctx, debug=debug or None)
    summary = _work(settings, options)
    refused = summary.refused.all()
    for one in refused:
        _say(one.sentence)
    raise typer.Exit(DONE_WITH_FAILURES if refused or (summary.failed and drain) else DONE)


def _work(settings: Settings, options: WorkerOptions) -> Summary:
    from kizu_core.blobs.local import LocalBlobs
    from kizu_core.cli.signals import stopping
    from kizu_core.database import open_database
    from kizu_core.models.in_use import adopt, in_use
    from kizu_core.models.selection import load_catalog, pin_defaults
    from kizu_core.worker.supervisor import Worker

    catalog = load_catalog(settings)
    pin_defaults(settings, catalog)
    with open_database(settings, _say) as database:
        used = in_use(settings, catalog, database.worker)
        adopt(used.settings, used.catalog, database.worker)
        for wish in used.wishes:
            _say(wish.sentence)
        worker = Worker(used.settings, database, LocalBlobs(settings.blobs_dir), used.catalog, options)
        with stopping(worker.stop, worker.stop):
            _say(f"Worker {options.worker_id} is ready.")
            summary = worker.run(lambda event: _tell(event, everything=settings.debug))
    if worker.outdated:
        _say("Other models are used from now on; beginning anew.")
        return _work(settings, options)
    for name, tally in sorted(summary.operations.items()):
        _say(f"{name}: {tally.done} done, {tally.failed} failed, {tally.retried} tried again, {tally.seconds:.1f} s")
    _say(f"Worker {options.worker_id} ends after {summary.seconds:.0f} s.")
    return summary


def _tell(event: Event, *, everything: bool) -> None:
    """One line for what an operator should know."""
    from kizu_core.worker import events

    if sentence := sentence_of(event):
        _say(sentence)
    elif isinstance(event, events.JobFailed):
        again = "" if event.final else " It is tried again later."
        _say(f"{event.photo or event.job_id}: {event.error.get('message')}{again}")
    elif everything:
        _say(str(event.as_dict()))


def _say(line: str) -> None:
    typer.echo(line, err=True)
