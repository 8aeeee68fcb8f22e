"""What `kizu doctor` looks at: small checks, each one sentence and, where something is wrong, the next step.

To add one: a function from settings to a `Check`, in `CHECKS`.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from kizu_core.errors import KizuError

if TYPE_CHECKING:
    from kizu_core.settings import Settings

State = Literal["ok", "warn", "fail"]

OLDEST_PYTHON = (3, 11)
RELEASED = datetime(2026, 11, 1, tzinfo=UTC)
"""A clock that shows an earlier day is wrong."""

GB = 10**9
DISK_WARN, DISK_FAIL = 5 * GB, GB // 2
MEMORY_WARN = 2 * GB
FEW_FILES = 512


@dataclass(frozen=True, slots=True)
class Check:
    """What one look found. `hint`: the next step, empty if there is nothing to do."""

    name: str
    state: State
    sentence: str
    hint: str = ""


def run_checks(settings: Settings) -> list[Check]:
    """Every check, in order. One that fails in a way that nobody foresaw is a failure with its reason."""
    from kizu_core.cli.model_checks import engines, opencv, runtimes

    checks = [*CHECKS, engines, opencv]
    return [*(_guarded(check, settings) for check in checks), *runtimes(settings)]


def _guarded(check: Callable[[Settings], Check], settings: Settings) -> Check:
    name = check.__name__.replace("_", " ")
    try:
        return check(settings)
    except KizuError as error:
        return Check(name, "fail", error.message, error.hint or "")
    except OSError as error:
        return Check(name, "fail", f"It could not be looked at: {error}.")


def python(settings: Settings) -> Check:
    system = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON or platform.system() not in {"Linux", "Darwin"}:
        return Check("python", "fail", f"{system} is not supported.", "Use Python 3.11 or later on Linux or macOS.")
    return Check("python", "ok", f"{system}.")


def data_folder(settings: Settings) -> Check:
    from kizu_core.database.embedded.filesystem import refuse_unfit

    home = settings.home
    if not home.exists():
        return Check("data folder", "ok", f"{home} is not there yet; it is made when it is needed.")
    refuse_unfit(home)
    if home.stat().st_uid != os.geteuid() and os.geteuid() != 0:
        hint = "Choose a folder of your own with --data or KIZU_HOME."
        return Check("data folder", "fail", f"{home} belongs to another user.", hint)
    if stat.S_IMODE(home.stat().st_mode) & 0o077:
        return Check("data folder", "warn", f"Other users of this machine can open {home}.", f"chmod 700 '{home}'")
    return Check("data folder", "ok", f"{home} can be opened by its owner only.")


def disk(settings: Settings) -> Check:
    place = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    said = f"{free / GB:.1f} GB are free for the data folder."
    if free < DISK_WARN:
        return Check("disk", "fail" if free < DISK_FAIL else "warn", said, "Free some space, or move it with --data.")
    return Check("disk", "ok", said)


def server_programs(settings: Settings) -> Check:
    from kizu_core.database.embedded.account import account_for
    from kizu_core.database.embedded.programs import Programs

    if settings.database_url is not None:
        return Check("server programs", "ok", "Not needed: the database is one of your own.")
    if not settings.home.exists():
        return Check("server programs", "ok", "Looked at when the database is made.")
    done = Programs(account_for(settings.home, settings.paths.database)).run("postgres", "--version")
    if done.returncode != 0:
        return Check("server programs", "fail", f"They do not run: {done.stderr.strip()}", "Install kizu-core again.")
    return Check("server programs", "ok", f"{done.stdout.strip()} runs as this user.")


def database(settings: Settings) -> Check:
    from kizu_core.database.embedded.launcher import Embedded
    from kizu_core.database.trouble import place_of

    if settings.database_url is not None:
        address = settings.database_url.get_secret_value()
        return _schema(address, place_of(address))
    server = Embedded(settings.paths)
    if not server.status().exists:
        return Check("database", "ok", "It is not there yet; it is made when it is needed.")
    with server:
        return _schema(server.urls().owner, "The embedded database")


def _schema(address: str, place: str) -> Check:
    from kizu_core.database.migrate import is_behind, schema_version

    version = schema_version(address)
    if version is None or is_behind(address):
        return Check("database", "warn", f"{place} answers, with an older schema.", "Run `kizu db migrate`.")
    return Check("database", "ok", f"{place} answers, schema {version}.")


def plugins(settings: Settings) -> Check:
    from kizu_core.models.selection import build_catalog

    problems = build_catalog(settings).problems
    if problems:
        said = "; ".join(f"{one.plugin}: {one.message}" for one in problems)
        return Check("plugins", "warn", said, problems[0].hint)
    return Check("plugins", "ok", "Every installed plugin can be used.")


def search_model(settings: Settings) -> Check:
    """A process that stays behind should surprise nobody."""
    from kizu_core.worker.warm import keeper_of

    kept = keeper_of(settings.paths)
    if kept is None:
        return Check("search model", "ok", "No search has left its model loaded.")
    return Check(
        "search model",
        "ok",
        f"A search has left its model loaded for the next one: process {kept.pid}, which ends within "
        f"{kept.seconds / 60:.0f} min without a search. `kizu db stop` ends it now, KIZU_SEARCH_KEEP=0 keeps none.",
    )


def models(settings: Settings) -> Check:
    """Kinds that no plugin brings are no fault; a model that is installed and can't be loaded is."""
    from kizu_core.models.selection import build_catalog
    from kizu_core.models.weights import readiness
    from kizu_core.types import OPERATION_MODELS

    found = [(spec, readiness(spec, settings)) for spec in build_catalog(settings).models()]
    broken = [(spec, state) for spec, state in found if not state.ready]
    if broken:
        said = "; ".join(f"{spec.kind} {spec.name}: {state.reason}" for spec, state in broken)
        return Check("models", "warn", said, broken[0][1].hint)
    if not any(spec.kind in OPERATION_MODELS.values() for spec, _ in found):
        return Check("models", "warn", "No plugin with a model for photos is installed.", "See `kizu models list`.")
    return Check("models", "ok", f"Ready: {', '.join(f'{spec.name} ({spec.kind})' for spec, _ in found)}.")


def isolation(settings: Settings) -> Check:
    """Tried in a process of its own, which does not get its network back."""
    code = "from kizu_core.privacy.isolation import isolate; print(isolate().value)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    level = done.stdout.strip()
    if done.returncode != 0 or level == "nothing":
        said = "This system takes no network from a process; only Python's hook guards those that run plugins."
        return Check("isolation", "warn", said, "See docs/privacy.md for what closes the rest.")
    return Check("isolation", "ok", f"Processes that run plugins have {level}; see `kizu doctor --privacy`.")


def namespaces(settings: Settings) -> Check:
    """Only who is root, or has no name, needs them: PostgreSQL refuses to run as either."""
    try:
        works = subprocess.run(["unshare", "-U", "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        works = False
    if works:
        return Check("user namespaces", "ok", "They can be made here.")
    if os.geteuid() != 0:
        return Check("user namespaces", "ok", "They can't be made here, and are not needed by this user.")
    return Check("user namespaces", "warn", "They can't be made here.", "Run Kizu as an ordinary user.")


def ffmpeg(settings: Settings) -> Check:
    there = "is there" if shutil.which("ffmpeg") else "is not there"
    return Check("ffmpeg", "ok", f"It {there}; nothing that is installed needs it.")


def clock(settings: Settings) -> Check:
    now = datetime.now().astimezone()
    said = f"{now:%Y-%m-%d %H:%M} in {time.tzname[bool(time.localtime().tm_isdst)]}."
    if now < RELEASED:
        return Check("clock", "warn", f"It shows {said}", "Set the clock of this machine.")
    return Check("clock", "ok", said)


def left_overs(settings: Settings) -> Check:
    """What a killed process leaves is swept by the next one; a restore that was cut has to be repeated by hand."""
    if settings.paths.restoring.exists():
        said = f"A backup was being restored in {settings.paths.restoring}, and that was cut short."
        return Check("left-overs", "warn", said, "Run `kizu db restore` again.")
    count = len(list(settings.paths.scratch.glob("worker-*")))
    said = f"{count} scratch folders of workers; those of killed ones go with the next run." if count else "None."
    return Check("left-overs", "ok", said)


def memory(settings: Settings) -> Check:
    import psutil

    from kizu_core.database.embedded.config import CGROUP_LIMIT

    limits = [psutil.virtual_memory().total, resource.getrlimit(resource.RLIMIT_AS)[0]]
    if CGROUP_LIMIT.exists() and (text := CGROUP_LIMIT.read_text(encoding="ascii").strip()).isdigit():
        limits.append(int(text))
    least = min(limit for limit in limits if limit > 0)
    if least < MEMORY_WARN:
        hint = "Use light models (`kizu models list`), or give this machine or container more memory."
        return Check("memory", "warn", f"{least / GB:.1f} GB may be used.", hint)
    return Check("memory", "ok", f"{least / GB:.1f} GB may be used.")


def open_files(settings: Settings) -> Check:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 < most < FEW_FILES:
        return Check("open files", "warn", f"A process may open {most} files only.", "ulimit -n 1024")
    return Check("open files", "ok", "Enough may be open at once.")


CHECKS: Sequence[Callable[[Settings], Check]] = [
    python,
    data_folder,
    disk,
    server_programs,
    database,
    plugins,
    models,
    search_model,
    isolation,
    namespaces,
    memory,
    open_files,
    clock,
    left_overs,
    ffmpeg,
]
