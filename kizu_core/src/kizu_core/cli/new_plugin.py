"""`kizu plugins new`: a complete distribution to start from, out of the files in `templates/`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from kizu_core.errors import PluginError

_TEMPLATES = Path(__file__).with_name("templates")
_PREFIX = "kizu-plugin-"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST = 40


class Kind(StrEnum):
    """What a new plugin brings. The value names its folder of templates."""

    EMBEDDER = "embedder"
    DETECTOR = "detector"
    OCR = "ocr"
    MOMENT_STRATEGY = "moment-strategy"
    JOB_HANDLER = "job-handler"


@dataclass(frozen=True, slots=True)
class _Example:
    """What differs between the kinds beside their files: the summary, the module that works, and how it is used."""

    summary: str
    module: str
    needs: tuple[str, ...]
    use: str


_RUN = "`kizu run FOLDER` uses it for every photo once it is the default: `kizu models use {kind} {name}`."
_EXAMPLES: Mapping[Kind, _Example] = {
    Kind.EMBEDDER: _Example("the mean colour of a picture", "model", ("numpy",), _RUN),
    Kind.DETECTOR: _Example("the bright region of a picture", "model", ("numpy",), _RUN),
    Kind.OCR: _Example("lines of printed digits", "model", ("numpy", "pillow"), _RUN),
    Kind.MOMENT_STRATEGY: _Example(
        "photos of one day",
        "strategy",
        (),
        "Kizu lists it. The service that asks strategies for moments is not there yet.",
    ),
    Kind.JOB_HANDLER: _Example(
        "how sharp a photo is",
        "handler",
        ("pillow",),
        "Every `kizu worker` with it does jobs of the type `{name}`. A program asks for one with\n"
        '`library.database.worker.enqueue(JobTable.AI, [{{"user_id": ..., "asset_id": ..., "job_type": "{name}"}}])`.',
    ),
}


def new(
    name: Annotated[str, typer.Argument(help="What to call it; `kizu-plugin-` is put in front of the name.")],
    kind: Annotated[Kind, typer.Option("--kind", help="What it brings.")],
    folder: Annotated[
        Path, typer.Option("--dir", metavar="FOLDER", help="Where to put its folder; the current one by default.")
    ] = Path(),
    author: Annotated[str, typer.Option("--author", help="Who writes it, for its licence.")] = "",
) -> None:
    """Start a plugin: a complete distribution that installs, works and passes its tests at once.

    Examples:

      kizu plugins new sunsets --kind detector

      kizu plugins new my-clip --kind embedder --dir ~/code --author "Anna Example"
    """
    short = plain_name(name)
    target = folder.expanduser() / f"{_PREFIX}{short}"
    write(target, render(short, kind, author or f"The {short} authors"))
    for line in _next_steps(target, short):
        typer.echo(line)


def plain_name(name: str) -> str:
    """The name without the prefix, in small letters. Raises `PluginError` for what can't be a name."""
    short = name.lower().removeprefix(_PREFIX)
    if not _NAME.fullmatch(short) or len(short) > _LONGEST:
        hint = f"Use letters from a to z, digits and single hyphens, at most {_LONGEST} in all: bright-lamps."
        raise PluginError(f"A plugin can't be called {name!r}.", hint=hint)
    if short == "core":
        raise PluginError("The plugin core is Kizu itself.", hint="Choose another name.")
    return short


def render(name: str, kind: Kind, author: str) -> dict[Path, str]:
    """Files of the distribution, by their path in its folder."""
    values = _values(name, kind, author)
    files = {}
    for top in (_TEMPLATES / "common", _TEMPLATES / kind):
        for template in sorted(top.rglob("*.tmpl")):
            path = str(template.relative_to(top).with_suffix("")).replace("src/package/", f"src/{values['package']}/")
            files[Path(path)] = Template(template.read_text(encoding="utf-8")).substitute(values)
    return files


def _values(name: str, kind: Kind, author: str) -> dict[str, str]:
    from datetime import date

    if not author.isprintable():
        raise PluginError("The author is one line of text.")
    example = _EXAMPLES[kind]
    needs = (_core_range(), *example.needs)
    return {
        "name": name,
        "kind": kind.value,
        "distribution": f"{_PREFIX}{name}",
        "package": f"{_PREFIX}{name}".replace("-", "_"),
        "summary": example.summary,
        "module": example.module,
        "dependencies": ", ".join(json.dumps(need) for need in needs),
        "use": example.use.format(kind=kind, name=name),
        "author": author,
        "author_quoted": json.dumps(author, ensure_ascii=False),
        "year": str(date.today().year),  # noqa: DTZ011 - the author's own calendar
    }


def _core_range() -> str:
    """The versions of core that it may be used with: this one, up to the next that may break it."""
    from importlib.metadata import version

    major, minor = (int(part) for part in version("kizu-core").split(".")[:2])
    after = f"0.{minor + 1}" if major == 0 else str(major + 1)
    return f"kizu-core>={major}.{minor},<{after}"


def write(target: Path, files: Mapping[Path, str]) -> None:
    """Writes the files below `target`, which must be new or empty: all of them or none. Raises `PluginError`."""
    from tempfile import TemporaryDirectory

    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise PluginError(f"{target} is already there and not empty.", hint="Choose another name or --dir.")
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent, prefix=".kizu-") as scratch:
            made = Path(scratch, target.name)
            for path, text in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_text(text, encoding="utf-8")
            made.rename(target)
    except OSError as error:
        raise PluginError(f"{target} can't be written: {error.strerror}.", hint="Choose another --dir.") from error


def _next_steps(target: Path, name: str) -> list[str]:
    from shlex import quote

    from kizu_core.cli.context import program

    python, place = quote(sys.executable), quote(str(target))
    return [
        f"{target} is a complete plugin. It works as it is; what is yours to change is marked in it.",
        "",
        f"  {python} -m pip install -e {place} 'pytest>=8.3'",
        f"  {python} -m pytest {place}",
        f"  {program()} plugins list",
        "",
        f"Its licence is MIT until you change that. It is called {name} wherever Kizu names it.",
    ]
