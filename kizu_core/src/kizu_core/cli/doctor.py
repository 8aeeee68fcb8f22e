"""`kizu doctor`: is everything in order here, and does nothing get out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizu_core.cli.context import DONE, DONE_WITH_FAILURES, FATAL, aligned, print_json, settings_of

if TYPE_CHECKING:
    from kizu_core.cli.checks import Check
    from kizu_core.privacy.isolation import Level
    from kizu_core.privacy.probes import Probed
    from kizu_core.settings import Settings

MARKS = {"ok": "ok  ", "warn": "!   ", "fail": "FAIL"}
WORDS = {"hook": "stopped by the hook", "system": "stopped by the system", "nobody": "NOT stopped"}


def doctor(
    ctx: typer.Context,
    privacy: Annotated[
        bool, typer.Option("--privacy", help="Try in earnest to send something out, in every way.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look whether everything is in order here, and say what to do where it is not.

    With --privacy, seven ways of sending something out are tried, in this process and in one that runs plugins. The
    only address used is this machine's own.

    Exit codes: 0 all in order, 3 something to look at, 1 something is wrong.

    Examples:

      kizu doctor

      kizu doctor --privacy --json
    """
    settings = settings_of(ctx)
    report = _privacy(settings) if privacy else _health(settings)
    if as_json:
        print_json(report.document)
    else:
        typer.echo("\n".join(report.lines))
    raise typer.Exit(report.code)


@dataclass(frozen=True, slots=True)
class _Report:
    """What is printed, in both forms, and the exit code."""

    code: int
    document: dict[str, Any]
    lines: Sequence[str]


# ---- health ------------------------------------------------------------------------------------------------


def _health(settings: Settings) -> _Report:
    from kizu_core.cli.checks import run_checks

    checks = run_checks(settings)
    states = {check.state for check in checks}
    code = FATAL if "fail" in states else DONE_WITH_FAILURES if "warn" in states else DONE
    return _Report(code, {"code": code, "checks": [asdict(check) for check in checks]}, list(_check_lines(checks)))


def _check_lines(checks: Sequence[Check]) -> Iterator[str]:
    width = max(len(check.name) for check in checks)
    for check in checks:
        yield f"{MARKS[check.state]}  {check.name.ljust(width)}  {check.sentence}"
        if check.hint:
            yield f"{'':>{width + 6}}  {check.hint}"


# ---- privacy -----------------------------------------------------------------------------------------------


def _privacy(settings: Settings) -> _Report:
    from kizu_core.models.environment import switches
    from kizu_core.privacy.isolation import Level

    here, there, level = _probe(settings)
    leaks = _broken_claims(here, there, level)
    code = FATAL if leaks else DONE_WITH_FAILURES if level is Level.NONE else DONE
    places, variables = _places(settings), switches(settings.models_dir)
    document = {
        "code": code,
        "allowed": places,
        "this_process": {"hook": True, "system": "nothing", "probes": [asdict(one) for one in here]},
        "model_process": {"hook": True, "system": level, "probes": [asdict(one) for one in there]},
        "broken": leaks,
        "switches": variables,
    }
    lines = [*_place_lines(places), *_probe_lines(here, there, level, leaks), "", "Switches of libraries:"]
    return _Report(code, document, [*lines, *(f"  {name}={value}" for name, value in sorted(variables.items()))])


def _probe(settings: Settings) -> tuple[list[Probed], list[Probed], Level]:
    """What stops each way in this process, in a real model process, and what the system refuses to that one."""
    from kizu_core.models.selection import load_catalog
    from kizu_core.privacy.probes import listening, probe
    from kizu_core.worker.process import ChildProcess
    from kizu_core.worker.values import child_values

    child = ChildProcess("doctor", settings, child_values(settings, load_catalog(settings)))
    try:
        with listening() as outside:
            there = list(child.probe(outside.ports))
    finally:
        child.stop()
    with listening() as beside:
        here = probe(beside.ports)
    return beside.judge(here), outside.judge(there), child.level


def _broken_claims(here: Sequence[Probed], there: Sequence[Probed], level: Level) -> list[str]:
    """Ways that were open and should not have been."""
    from kizu_core.privacy.isolation import Level
    from kizu_core.privacy.probes import BY_HOOK

    open_here = [f"{one.way}, in this process" for one in here if one.stopped_by == "nobody" and one.way in BY_HOOK]
    claimed = BY_HOOK if level is Level.NONE else [one.way for one in there]
    open_there = [one.way for one in there if one.stopped_by == "nobody" and one.way in claimed]
    return [*open_here, *(f"{way}, in a process that runs plugins" for way in open_there)]


def _places(settings: Settings) -> dict[str, list[str]]:
    """Who may be talked to, and on what occasion."""
    from kizu_core.database.trouble import place_of

    address = settings.database_url
    database = "the embedded database, by a local socket" if address is None else place_of(address.get_secret_value())
    return {
        "commands and workers": [database, *settings.fetch_allow],
        "`kizu models pull`, besides": [settings.model_hub, *settings.model_hosts],
        "processes that open photos or run plugins": [],
    }


def _place_lines(places: dict[str, list[str]]) -> Iterator[str]:
    yield "Who may be talked to:"
    for who, what in places.items():
        yield f"  {who}: {', '.join(what) or 'nobody'}"


def _probe_lines(here: Sequence[Probed], there: Sequence[Probed], level: Level, leaks: Sequence[str]) -> Iterator[str]:
    from kizu_core.privacy.isolation import Level

    yield ""
    yield f"Tried just now, to this machine's own address. The system leaves a process that runs plugins {level}."
    rows = [("  WAY OUT", "IN THIS PROCESS", "IN A PROCESS THAT RUNS PLUGINS")]
    rows += [(f"  {a.way}", WORDS[a.stopped_by], WORDS[b.stopped_by]) for a, b in zip(here, there, strict=True)]
    yield from aligned(rows)
    yield "This process runs Kizu's own code and needs its database, so nothing native is stopped in it."
    yield from (f"FAIL  Open, and should not be: {leak}" for leak in leaks)
    if level is Level.NONE:
        yield "!     Only the hook guards plugins here: native code of theirs could get out. See docs/privacy.md."
