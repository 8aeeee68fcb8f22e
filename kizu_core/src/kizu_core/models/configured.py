"""Models whose weights, space or languages follow from their settings: what a plugin declared, made definite."""

from __future__ import annotations

from dataclasses import replace
from pkgutil import resolve_name

from kizu_core.errors import KizuError
from kizu_core.models.weights import model_folder
from kizu_core.plugins.contract import check_specs
from kizu_core.plugins.discovery import PluginRecord
from kizu_core.plugins.specs import AnySpec, Fault, ModelSpec
from kizu_core.settings import Settings


def configured(record: PluginRecord, settings: Settings) -> PluginRecord:
    """The plugin with its models as today's settings make them. One that can't be so has a `fault` and no weights."""
    return replace(record, specs=tuple(configure_spec(spec, settings) for spec in record.specs))


def configure_spec(spec: AnySpec, settings: Settings) -> AnySpec:
    """One of them, as `configured`; what is no model, or has nothing to configure, is as it was."""
    if not isinstance(spec, ModelSpec) or spec.configure is None:
        return spec
    try:
        own = settings.plugin(resolve_name(spec.settings)) if spec.settings else None
        made = resolve_name(spec.configure)(spec, own, model_folder(spec, settings))
        (checked,) = check_specs([made], type(spec))
    except KizuError as error:
        return replace(spec, weights=(), fault=Fault(error.message, error.hint or "See `kizu config`."))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
        reason = f"{spec.name} can't be set up: {type(error).__name__}: {error}".rstrip(": ")
        hint = f"Update its plugin, or tell its author: {spec.configure} failed."
        return replace(spec, weights=(), fault=Fault(reason, hint))
    if checked.name == spec.name:
        return checked
    reason = f"{spec.configure} made {checked.name!r} of {spec.name!r}, and a model keeps its name."
    return replace(spec, weights=(), fault=Fault(reason, "Update its plugin, or tell its author."))
