"""Checks of a plugin's module as a whole: what it declares, and that declaring it is cheap."""

from __future__ import annotations

import importlib.metadata as metadata
import re
import subprocess
import sys
from importlib.util import find_spec
from pkgutil import resolve_name
from types import ModuleType
from typing import Any

import pluggy
import pytest
from pydantic import BaseModel

from kizu_core.errors import PluginError
from kizu_core.models.loading import references
from kizu_core.plugins import hookspecs
from kizu_core.plugins.contract import HOOK_SPECS, check_hooks, check_specs
from kizu_core.plugins.specs import AnySpec, ModelSpec
from kizu_core.testing.expect import expect

HEAVY = ("PIL", "cv2", "numpy", "onnxruntime", "pandas", "scipy", "sklearn", "tensorflow", "torch", "transformers")
"""What takes long to import and has no place in a list of plugins."""

_LIST = """
import importlib, sys
module = importlib.import_module(sys.argv[1])
for hook in sys.argv[2].split(","):
    list(getattr(module, hook)())
print(*{name.partition(".")[0] for name in sys.modules})
"""

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def specs_of(plugin: ModuleType) -> list[AnySpec]:
    """What the hooks of a plugin's module return, checked as Kizu checks it. Raises `PluginError`."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    check_hooks(manager, plugin, plugin.__name__)
    return [spec for hook in hooks_of(plugin) for spec in check_specs(getattr(plugin, hook)(), HOOK_SPECS[hook])]


def hooks_of(plugin: ModuleType) -> list[str]:
    """Names of the hooks that the module implements."""
    return [name for name in HOOK_SPECS if hasattr(plugin, name)]


class PluginConformance:
    """`plugin`: your module with the hooks, the one that the entry point names.

    The suites of the kinds contain these checks, so a plugin that brings one thing needs one class only.
    """

    plugin: ModuleType

    def test_plugin_implements_hooks(self) -> None:
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        try:
            check_hooks(manager, self.plugin, self.plugin.__name__)
        except (PluginError, pluggy.PluginValidationError) as error:
            pytest.fail(f"{error} Functions marked @hookimpl have the names and no arguments.", pytrace=False)

    def test_plugin_returns_valid_specs(self) -> None:
        for hook in hooks_of(self.plugin):
            try:
                found = check_specs(getattr(self.plugin, hook)(), HOOK_SPECS[hook])
            except PluginError as error:
                pytest.fail(error.message, pytrace=False)
            expect(found, f"{hook} returns at least one {HOOK_SPECS[hook].__name__}; leave out what brings nothing.")

    def test_plugin_returns_the_same_specs_every_time(self) -> None:
        expect(specs_of(self.plugin) == specs_of(self.plugin), "A hook returns the same specs whenever it is called.")

    def test_plugin_is_an_entry_point(self) -> None:
        points = metadata.entry_points(group=hookspecs.PROJECT)
        expect(
            self.plugin.__name__ in {point.module for point in points},
            f"The distribution is installed and its pyproject.toml names {self.plugin.__name__} under "
            f"[project.entry-points.{hookspecs.PROJECT}].",
        )

    def test_plugin_names_a_range_of_core(self) -> None:
        needs = [line for line in _distribution(self.plugin).requires or () if re.match(r"kizu[-_.]core\b", line)]
        expect(
            any("<" in line and ">=" in line for line in needs),
            'dependencies name the range of core that it was made for, such as "kizu-core>=0.1,<0.2".',
        )

    def test_plugin_declares_its_licence(self) -> None:
        about = _distribution(self.plugin).metadata
        classified = any(line.startswith("License ::") for line in about.get_all("Classifier") or ())
        expect(
            classified or "License-Expression" in about or "License" in about,
            "pyproject.toml declares the licence of the code (those of weights stand in their WeightFile).",
        )

    def test_plugin_factories_can_be_imported(self) -> None:
        for spec in specs_of(self.plugin):
            for name in getattr(spec, "requires", ()):
                if find_spec(name) is None:
                    pytest.skip(f"{spec.name} requires {name}, which is not installed")
            for reference in references(spec):
                expect(_resolves(reference), f"{spec.name} names {reference}, which can't be imported or called.")

    def test_plugin_lists_without_heavy_imports(self) -> None:
        requires = {name for spec in specs_of(self.plugin) for name in getattr(spec, "requires", ())}
        command = [sys.executable, "-c", _LIST, self.plugin.__name__, ",".join(hooks_of(self.plugin))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        expect(done.returncode == 0, f"The module can be imported by itself, in a new process: {done.stderr[-500:]}")
        heavy = sorted({*HEAVY, *requires} & set(done.stdout.split()))
        expect(not heavy, f"Listing plugins stays light: import {', '.join(heavy)} in what the factory names.")

    def test_plugin_settings_are_described(self) -> None:
        for spec in specs_of(self.plugin):
            if isinstance(spec, ModelSpec) and spec.settings:
                _check_settings(resolve_name(spec.settings))


def _distribution(plugin: ModuleType) -> metadata.Distribution:
    """The one whose entry point names the module."""
    for point in metadata.entry_points(group=hookspecs.PROJECT):
        if point.module == plugin.__name__ and point.dist is not None:
            return point.dist
    pytest.fail(f"No installed distribution names {plugin.__name__} as its entry point.", pytrace=False)


def _resolves(reference: str) -> bool:
    try:
        return callable(resolve_name(reference))
    except (Exception, SystemExit):  # noqa: BLE001 - whatever a broken module raises
        return False


def _check_settings(model: Any) -> None:
    """Of a class of settings: each field has a name in the environment, a default and a description."""
    expect(isinstance(model, type) and issubclass(model, BaseModel), "`settings` names a pydantic model (`BaseModel`).")
    for name, field in model.model_fields.items():
        where = f"{model.__name__}.{name}"
        expect(
            field.alias and _VARIABLE.fullmatch(field.alias),
            f"{where} has an alias that is its name in the environment, such as `Field(alias='{name.upper()}')`.",
        )
        expect(not field.is_required(), f"{where} has a default, so that the plugin works as installed.")
        expect(field.description, f"{where} has a description: `Field(description='what it changes')`.")
