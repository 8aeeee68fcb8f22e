"""`kizu models pull`: weights come to this machine, after one question that says all there is to know."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizu_core.cli.asking import confirm
from kizu_core.cli.bench import bench_after
from kizu_core.cli.consent import Accepted, ask_for_terms, record_accepted
from kizu_core.cli.context import DONE, DONE_WITH_FAILURES, console, print_json, settings_of, size_of

if TYPE_CHECKING:
    from kizu_core.models.store import Arrival, Item, Watcher
    from kizu_core.plugins.catalog import Catalog
    from kizu_core.plugins.specs import ModelSpec
    from kizu_core.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; asks nothing.")]
NoBench = Annotated[bool, typer.Option("--no-bench", help="Leave out what `kizu models bench` does.")]


def pull(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Models to fetch files for.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Every model that is used and lacks files.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    accepted: Accepted = None,
    no_bench: NoBench = False,
    as_json: AsJson = False,
) -> None:
    """Download weights, after one question.

    It shows the size, licence, host and digest of each file before. No other command ever downloads. What has arrived
    is kept when the connection breaks or you stop it, and the same command goes on. A file is compared with its digest
    before it gets its name; one whose digest nobody published is held to that of its first download from then on.
    Weights under terms of their own come only if you agree to these as well; --yes is no answer to that.
    At the end the models are tried on all that could compute them here, which can take minutes.
    Exit code 3 if a file could not be had.

    Examples:

      kizu models pull --missing

      kizu models pull florence --yes

      kizu models pull insightface --yes --accept-licence insightface
    """
    from kizu_core.models.selection import load_catalog
    from kizu_core.models.store import items_of
    from kizu_core.models.store import pull as pull_items

    settings = settings_of(ctx)
    specs = _chosen(load_catalog(settings), names or [], missing)
    items = items_of(specs, settings)
    record_accepted(specs, accepted or [], settings)
    wanted = [item for item in items if not item.is_here and item.source is not None]
    if wanted and not yes:
        _ask(wanted, items, settings, as_json=as_json)
    elif not as_json:
        show_plan(wanted, settings)
    if not as_json:
        ask_for_terms([spec for spec in specs if any(item.spec is spec for item in wanted)], settings)
    with watching(as_json=as_json) as watcher:
        arrivals = pull_items(items, settings, watcher)
    failed = conclude(arrivals, None if no_bench else settings, as_json=as_json)
    raise typer.Exit(DONE_WITH_FAILURES if failed else DONE)


def _chosen(catalog: Catalog, names: Sequence[str], missing: bool) -> list[ModelSpec]:
    from kizu_core.models.store import specs_in_use, specs_named

    if not names and not missing:
        raise typer.BadParameter("name models, or give --missing for all that are used and lack files")
    specs = [*specs_named(catalog, names), *(specs_in_use(catalog) if missing else [])]
    return list({id(spec): spec for spec in specs}.values())


def _ask(wanted: Sequence[Item], items: Sequence[Item], settings: Settings, *, as_json: bool) -> None:
    """Shows what would be fetched and from where. Returns only if the answer is yes."""
    from kizu_core.errors import KizuError

    if as_json:
        print_json({"files": [file_as_dict(item, "here" if item.is_here else "planned") for item in items]})
        raise KizuError("Nothing was downloaded: --json asks nobody.", hint="Add --yes to do it unasked.")
    show_plan(wanted, settings)
    confirm("Download?", "Nothing was downloaded")


def show_plan(wanted: Sequence[Item], settings: Settings) -> None:
    """What would be fetched: size, licence, host and digest of each file."""
    for item in wanted:
        about = "" if item.weight.exact else "about "
        typer.echo(f"{name_of(item)}  {about}{size_of(item.weight.bytes)}, licence {item.weight.licence}")
        if item.source is not None:
            hosts = item.source.hosts
            others = f", which may hand over to {' or '.join(hosts[1:])}" if hosts[1:] else ""
            packed = f", inside {item.source.url.rpartition('/')[2]}" if item.source.member else ""
            typer.echo(f"  from {hosts[0]}{packed}{others}")
        typer.echo(f"  SHA-256 {item.digest or 'not known; recorded at this first download and held from then on'}")
    if wanted:
        files = f"{len(wanted)} file{'s' if len(wanted) > 1 else ''}"
        typer.echo(f"{files}, {size_of(sum(item.weight.bytes for item in wanted))}, into {settings.models_dir}")


def conclude(
    arrivals: Sequence[Arrival], settings: Settings | None, *, as_json: bool, strangers: Sequence[str] = ()
) -> int:
    """Says what became of each file, `strangers` are those that nothing needs; how many failed.

    With `settings`, models whose files came are benched.
    """
    fresh = [one.item.spec for one in arrivals if not one.was_here and one.error is None]
    count = Counter("failed" if one.error else "here" if one.was_here else "fetched" for one in arrivals)
    if as_json:
        files = [_arrival_as_dict(one) for one in arrivals]
        counts = {name: count[name] for name in ("fetched", "here", "failed")}
        runtimes = bench_after(fresh, settings, as_json=True) if settings else []
        print_json({"files": files, "strangers": strangers, "runtimes": runtimes, **counts})
        return count["failed"]
    show_arrivals(arrivals)
    if count["fetched"]:
        typer.echo("Photos that waited for it go on by themselves where a worker runs, else at the next `kizu run`.")
    elif count["here"] == len(arrivals):
        typer.echo("All files were here already." if arrivals else "There is no file to fetch.")
    if settings:
        bench_after(fresh, settings)
    return count["failed"]


def show_arrivals(arrivals: Sequence[Arrival]) -> None:
    """What came, and what did not and why."""
    for one in arrivals:
        if one.error is not None:
            typer.echo(f"! {name_of(one.item)}: {one.error.message}\n      {one.error.hint or ''}".rstrip())
        elif not one.was_here:
            recorded = "" if one.item.digest else " (recorded)"
            typer.echo(f"{name_of(one.item)}: here, SHA-256 {one.sha256}{recorded}")


def _arrival_as_dict(one: Arrival) -> dict[str, Any]:
    state = "failed" if one.error else "here" if one.was_here else "fetched"
    error = one.error.as_dict() if one.error else None
    return {**file_as_dict(one.item, state), "sha256": one.sha256 or one.item.digest, "error": error}


def file_as_dict(item: Item, state: str) -> dict[str, Any]:
    """One declared file for JSON. `state`: planned, fetched, here, failed."""
    return {
        "kind": item.spec.kind,
        "model": item.spec.name,
        "file": item.weight.name,
        "bytes": item.weight.bytes,
        "licence": item.weight.licence,
        "consent": item.weight.consent,
        "source": item.weight.source,
        "hosts": item.source.hosts if item.source else (),
        "sha256": item.digest,
        "state": state,
    }


@contextmanager
def watching(*, as_json: bool) -> Iterator[Watcher]:
    """A `Watcher`: a bar for each file on a terminal, a few lines elsewhere, nothing beside JSON."""
    if as_json or not sys.stderr.isatty():
        yield _Lines(quiet=as_json)
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console(stderr=True)) as progress:
        yield _Bars(progress)


class _Bars:
    """`Watcher` on a terminal."""

    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def waiting(self) -> None:
        self._progress.console.print(_WAITING)

    def progress(self, item: Item, done: int, total: int) -> None:
        if item.key not in self._tasks:
            self._tasks[item.key] = self._progress.add_task(name_of(item), total=total)
        self._progress.update(self._tasks[item.key], completed=done)


class _Lines:
    """`Watcher` for logs: a line for each quarter of a file."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._said: dict[str, int] = {}

    def waiting(self) -> None:
        self._say(_WAITING)

    def progress(self, item: Item, done: int, total: int) -> None:
        quarter = 4 * done // total
        if quarter > self._said.get(item.key, 0):
            self._said[item.key] = quarter
            self._say(f"{name_of(item)}: {25 * quarter} % of {size_of(total)}")

    def _say(self, line: str) -> None:
        if not self._quiet:
            typer.echo(line, err=True)


_WAITING = "Another command changes the models folder; waiting for it."


def name_of(item: Item) -> str:
    """What people read of a file: its model and its own name."""
    return f"{item.spec.name} {item.weight.name}"
