"""What every command shares: its settings, printing, and how an error looks."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from kizu_core.errors import KizuError
    from kizu_core.settings import Settings

DONE, FATAL, DONE_WITH_FAILURES, INTERRUPTED = 0, 1, 3, 130
"""Exit codes; 2 is a wrong use of the command line."""


def settings_of(ctx: typer.Context, **overrides: object) -> Settings:
    """The settings of this invocation: what the root command was given, then `overrides` (None means not given).

    From now on this process keeps their secrets to itself, and libraries stay quiet.
    """
    from kizu_core.models.environment import quiet_libraries
    from kizu_core.privacy.redact import hide
    from kizu_core.settings import load_settings

    root = ctx.find_root().params
    settings = load_settings({"home": root.get("data"), "debug": root.get("debug") or None, **overrides})
    hide(*settings.secrets)
    quiet_libraries(settings.models_dir)
    return settings


def console(*, stderr: bool = False) -> Console:
    """A rich console that never breaks paths over lines and shows plain text when not on a terminal."""
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=True, highlight=False)


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a table, columns aligned; never cut, so that it can be searched and piped."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def size_of(count: int) -> str:
    """Bytes for people."""
    if count < 1_000_000:
        return f"{count / 1e3:,.0f} kB"
    return f"{count / 1e6:,.1f} MB" if count < 1_000_000_000 else f"{count / 1e9:,.1f} GB"


def print_json(value: Any) -> None:
    """One JSON document on one line; ids, paths and times as text."""
    import json

    sys.stdout.write(json.dumps(value, default=str, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_lines(lines: Iterable[str]) -> None:
    """Lines for people; what is in them is no markup."""
    out = console()
    for line in lines:
        out.print(line, markup=False)


def conclude(answer: Any, sentence: str, *, as_json: bool) -> None:
    """What came of a change: for programs what it is now, for people a sentence."""
    if as_json:
        print_json(answer)
    else:
        print_lines([sentence])


def program() -> str:
    """How to call `kizu` from here: by name if the shell finds this one, else by its path."""
    import shutil
    from pathlib import Path

    this = Path(sys.argv[0]).absolute()
    found = shutil.which("kizu")
    if found and Path(found).absolute() == this:
        return "kizu"
    return str(this.relative_to(Path.cwd()) if this.is_relative_to(Path.cwd()) else this)


def show_error(error: KizuError) -> None:
    """One sentence and, if there is one, the next step. Never a traceback."""
    from kizu_core.privacy.redact import clean

    sys.stderr.write(clean(f"kizu: {error.message}\n"))
    if error.hint:
        sys.stderr.write(clean(f"      {error.hint}\n"))
