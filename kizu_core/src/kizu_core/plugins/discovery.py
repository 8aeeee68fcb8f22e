"""Which plugins are installed, and what became of each: a bad plugin is a row in a report, never a crash.

Entry points of the group `kizu` are loaded one by one, each inside a guard. Nothing is printed here, and
nothing a plugin does at import (short of killing the process) stops the others.
"""

from __future__ import annotations

import importlib.metadata as metadata
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

import pluggy

from kizu_core.errors import PluginError, SettingError
from kizu_core.plugins import hookspecs
from kizu_core.plugins.contract import CORE, CORE_DISTRIBUTION, HOOK_SPECS, check_core_range, check_hooks, check_specs

if TYPE_CHECKING:
    from kizu_core.plugins.specs import AnySpec
    from kizu_core.settings import Settings


class PluginState(StrEnum):
    READY = "ready"
    DISABLED = "disabled"
    DUPLICATE = "duplicate"
    INCOMPATIBLE = "incompatible"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRecord:
    """One installed plugin. `reason` and `hint` say why it is not ready and what to do; `specs` only if it is."""

    name: str
    state: PluginState = PluginState.READY
    reason: str = ""
    hint: str = ""
    distribution: str | None = None
    version: str | None = None
    licence: str = "not declared"
    module: str = ""
    file: str | None = None
    hooks: tuple[str, ...] = ()
    specs: tuple[AnySpec, ...] = ()
    trace: str = ""
    """Traceback of what it raised, for its author."""

    @property
    def is_problem(self) -> bool:
        return self.state not in (PluginState.READY, PluginState.DISABLED)

    def but(self, state: PluginState, reason: str, hint: str) -> PluginRecord:
        """The same plugin in another state."""
        return replace(self, state=state, reason=reason, hint=hint)


def discover(settings: Settings) -> tuple[PluginRecord, ...]:
    """A record of every plugin, sorted by name, `core` first.

    Raises `SettingError` if the settings switch `core` off; everything else is a record.
    """
    if CORE in settings.disable_plugins:
        raise SettingError(
            f"The plugin {CORE} is Kizu itself and can't be disabled.",
            hint="Take it out of KIZU_DISABLE_PLUGINS and of [plugins] in kizu.toml.",
        )
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    found = list(_installed())
    records = [_record(manager, one, found, settings) for one in found]
    records += _missing({record.name for record in records}, settings)
    return tuple(sorted(records, key=lambda record: (record.name != CORE, record.name, record.distribution or "")))


@dataclass(frozen=True, slots=True)
class _Installed:
    """An entry point with its distribution; no entry point where the distribution's list can't be read."""

    name: str
    distribution: metadata.Distribution
    entry: metadata.EntryPoint | None

    @property
    def label(self) -> str:
        return f"{self.distribution.name} {self.distribution.version}"


def _installed() -> Iterator[_Installed]:
    """Entry points of our group. Read per distribution, so that broken metadata spoils only its own."""
    seen: set[str] = set()
    for distribution in metadata.distributions():
        try:
            text = distribution.read_text("entry_points.txt") or ""
            name = str(distribution.name) if f"[{hookspecs.PROJECT}]" in text else ""
        except UnicodeDecodeError:  # damaged beyond telling whose it is
            continue
        if not name or name in seen:
            continue
        seen.add(name)  # a copy further down the path is shadowed
        try:
            entries = distribution.entry_points.select(group=hookspecs.PROJECT)
        except Exception:  # noqa: BLE001 - whatever a damaged file makes the parser raise
            yield _Installed(name, distribution, None)
        else:
            yield from (_Installed(entry.name, distribution, entry) for entry in entries)


def _record(
    manager: pluggy.PluginManager, one: _Installed, found: list[_Installed], settings: Settings
) -> PluginRecord:
    record = PluginRecord(
        name=one.name,
        distribution=str(one.distribution.name),
        version=one.distribution.version,
        licence=_licence(one.distribution),
        module=one.entry.value if one.entry else "",
    )
    if one.entry is None:
        return record.but(PluginState.FAILED, "Its list of entry points is damaged.", f"Reinstall {one.name}.")
    others = sorted(other.label for other in found if other.name == one.name and other is not one)
    if others and record.distribution != CORE_DISTRIBUTION:
        reason = f"{one.label} and {', '.join(others)} have a plugin of this name, so it is not used."
        return record.but(PluginState.DUPLICATE, reason, "Uninstall all but one of these distributions.")
    if not _wanted(one.name, settings):
        hint = f"`kizu plugins enable {one.name}`, or change KIZU_DISABLE_PLUGINS or KIZU_LOAD_PLUGINS."
        return record.but(PluginState.DISABLED, "Switched off in the settings.", hint)
    return _load(manager, one.entry, record, one.distribution)


def _licence(distribution: metadata.Distribution) -> str:
    """What its metadata says of the licence of its code."""
    about = distribution.metadata
    classifiers = about.get_all("Classifier") or ()
    classified = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    said = [*(about.get_all("License-Expression") or ()), ", ".join(classified), *(about.get_all("License") or ())]
    return next((one.strip().partition("\n")[0] for one in said if one.strip()), "not declared")


def _wanted(name: str, settings: Settings) -> bool:
    if name == CORE:
        return True
    chosen = settings.load_plugins
    return name not in settings.disable_plugins and (chosen is None or name in chosen)


def _missing(names: set[str], settings: Settings) -> Iterator[PluginRecord]:
    for name in settings.load_plugins or ():
        if name not in names:
            reason = "The settings ask for it, but nothing installed has that name."
            hint = "Install it, or take it out of KIZU_LOAD_PLUGINS."
            yield PluginRecord(name=name).but(PluginState.FAILED, reason, hint)


def _load(
    manager: pluggy.PluginManager,
    entry: metadata.EntryPoint,
    record: PluginRecord,
    distribution: metadata.Distribution,
) -> PluginRecord:
    """Imports and registers one plugin, calls its hooks, checks what they return."""
    ask_author = f"Update {record.distribution}, or `kizu plugins disable {record.name}` and tell its author."
    try:
        complaint = _guarded("reading its requirements", lambda: check_core_range(distribution.requires or ()))
        if complaint:
            hint = f"Install a version of {record.distribution} made for this kizu-core."
            return record.but(PluginState.INCOMPATIBLE, complaint, hint)
        plugin = _guarded(f"importing {entry.value}", entry.load)
        record = replace(record, file=getattr(plugin, "__file__", None))
        _guarded("registering its hooks", lambda: check_hooks(manager, plugin, record.name))
        specs, hooks = _call_hooks(manager, plugin)
    except _Faulty as fault:
        return replace(record.but(PluginState.FAILED, str(fault), ask_author), trace=fault.trace)
    return replace(record, hooks=hooks, specs=specs)


def _call_hooks(manager: pluggy.PluginManager, plugin: Any) -> tuple[tuple[AnySpec, ...], tuple[str, ...]]:
    """Specs and hook names of one plugin; the hooks of the others are not called."""
    specs: list[AnySpec] = []
    hooks: list[str] = []
    for caller in manager.get_hookcallers(plugin) or ():
        wanted = HOOK_SPECS[caller.name]
        for implementation in caller.get_hookimpls():
            if implementation.plugin is plugin:
                returned = _guarded(f"its hook {caller.name}", implementation.function)
                specs += _guarded(f"its hook {caller.name}", partial(check_specs, returned, wanted))
                hooks.append(caller.name)
    return tuple(specs), tuple(sorted(hooks))


class _Faulty(Exception):
    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message)
        self.trace = trace


def _guarded(doing: str, action: Callable[[], Any]) -> Any:
    """Runs plugin code. `SystemExit` counts as failing: a library that calls `sys.exit` must not end Kizu.

    What it prints goes to standard error, where it can't end up in the middle of somebody's JSON.
    """
    try:
        with redirect_stdout(sys.stderr):
            return action()
    except PluginError as error:
        raise _Faulty(error.message, "") from error
    except (Exception, SystemExit) as error:
        text = f"{type(error).__name__}: {error}".rstrip(": ")
        raise _Faulty(f"It failed at {doing}: {text}", traceback.format_exc()) from error
