"""What a plugin must keep to, checked where it enters, so that everything behind may trust a spec's types.

Each check raises `PluginError` with a sentence for the plugin's author.
"""

from __future__ import annotations

import importlib.metadata as metadata
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, cast, get_type_hints

import pluggy
from pydantic import TypeAdapter, ValidationError

from kizu_core.errors import PluginError
from kizu_core.plugins.specs import (
    AnySpec,
    CommandSpec,
    DetectorSpec,
    EmbedderSpec,
    FaceClustererSpec,
    FaceModelSpec,
    JobHandlerSpec,
    ModelSpec,
    MomentStrategySpec,
    OcrSpec,
    VlmSpec,
    WeightFile,
)

if TYPE_CHECKING:
    from packaging.requirements import Requirement

CORE = "core"
"""Entry-point name of Kizu's own plugin; it can't be disabled or replaced."""

CORE_DISTRIBUTION = "kizu-core"

HOOK_SPECS: Mapping[str, type[AnySpec]] = {
    "kizu_cli_commands": CommandSpec,
    "kizu_detectors": DetectorSpec,
    "kizu_embedders": EmbedderSpec,
    "kizu_face_clusterers": FaceClustererSpec,
    "kizu_face_models": FaceModelSpec,
    "kizu_job_handlers": JobHandlerSpec,
    "kizu_moment_strategies": MomentStrategySpec,
    "kizu_ocr_models": OcrSpec,
    "kizu_vlms": VlmSpec,
}
"""Hook -> what its results must be."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_REFERENCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[\w.+-]*\w[\w.+-]*")
_HERE = r"http://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?"
_SOURCE = re.compile(
    rf"package:.+|bundle:|file:/.+|hf:[\w.-]+/[\w.-]+@[\w.-]+/\S+|(?:https://[\w.-]+(?::\d+)?|{_HERE})/\S+", re.ASCII
)

DOWNLOAD_HOST = re.compile(rf"(?:lan\+)?https://(?:\*\.)?[\w.-]+(?::\d+)?(?:/[^\s?#]*)?|{_HERE}(?:/[^\s?#]*)?")
"""Where weights may come from: encrypted, or not leaving this machine. `*.` stands for any names before the rest."""


def check_core_range(requires: Iterable[str]) -> str | None:
    """Why the distribution does not fit the installed core, by its own Requires-Dist; None if it does."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    def concerns_core(requirement: Requirement) -> bool:
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        return applies and canonicalize_name(requirement.name) == CORE_DISTRIBUTION

    core = metadata.version(CORE_DISTRIBUTION)
    for requirement in filter(concerns_core, map(Requirement, requires)):
        if not requirement.specifier.contains(core, prereleases=True):
            return f"It was made for kizu-core {requirement.specifier}, this is {core}."
    return None


def check_hooks(manager: pluggy.PluginManager, plugin: Any, name: str) -> None:
    """Registers the plugin, or raises and leaves no trace of it in the manager."""
    manager.register(plugin, name=name)  # an unknown argument raises here
    try:
        _check_names(manager, plugin)
    except PluginError:
        manager.unregister(plugin)
        raise


def _check_names(manager: pluggy.PluginManager, plugin: Any) -> None:
    called = {caller.name for caller in manager.get_hookcallers(plugin) or ()}
    for wrong in sorted(called - HOOK_SPECS.keys()):
        raise PluginError(f"It implements {wrong}, which is no hook of Kizu{_did_you_mean(wrong)}.")
    for hook in HOOK_SPECS:
        if hook not in called and callable(getattr(plugin, hook, None)):
            raise PluginError(f"Its function {hook} is not marked with @hookimpl, so it would never be called.")
    if not called:
        raise PluginError("It implements no hook: functions are found by their name and the mark @hookimpl.")


def _did_you_mean(wrong: str) -> str:
    close = get_close_matches(wrong, HOOK_SPECS, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def check_specs(returned: Any, wanted: type[AnySpec]) -> tuple[AnySpec, ...]:
    """What a hook returned, as valid specs of the wanted class."""
    if not isinstance(returned, Iterable) or isinstance(returned, str | bytes):
        raise PluginError(
            f"A hook returned {type(returned).__name__} where an iterable of {wanted.__name__} is needed."
        )
    specs = tuple(returned)
    for spec in specs:
        if type(spec) is not wanted:
            raise PluginError(f"A hook returned a {type(spec).__name__} where {wanted.__name__} is needed.")
        for problem in _problems(spec):
            raise PluginError(f"{wanted.__name__} {spec.name!r}: {problem}.")
    return specs


def _problems(spec: Any) -> Iterable[str]:
    """What is wrong with a spec, types first: the checks of values rely on them."""
    yield from _type_problems(spec)
    if not _NAME.fullmatch(spec.name):
        yield "its name must be of a-z, 0-9 and single hyphens"
    if not spec.summary.strip() or "\n" in spec.summary:
        yield "its summary must be one line of text"
    for name in ("factory", "app", "settings", "configure", "convert"):
        reference = getattr(spec, name, None)
        if reference is not None and not _REFERENCE.fullmatch(reference):
            yield f"its {name} {reference!r} is not of the form 'package.module:attribute'"
    if isinstance(spec, ModelSpec):
        yield from _model_problems(spec)
    if isinstance(spec, JobHandlerSpec) and not spec.offers:
        yield "it offers nothing"


def _model_problems(spec: ModelSpec) -> Iterable[str]:
    if not spec.output_version:
        yield "it has no output_version"
    if getattr(spec, "dim", 1) < 1 or not getattr(spec, "space", "x"):
        yield "its vectors need a positive dim and a space"
    names = [weight.name for weight in spec.weights]
    if len(set(names)) < len(names):
        yield "two of its weight files have one name"
    for weight in spec.weights:
        yield from _type_problems(weight)
        yield from _weight_problems(weight)


def _weight_problems(weight: WeightFile) -> Iterable[str]:
    if not _FILE.fullmatch(weight.name):
        yield f"the weight file {weight.name!r} needs a plain file name"
    if not _SOURCE.fullmatch(weight.source):
        forms = "package:..., bundle:, file:/..., hf:ORG/REPO@REVISION/path or https://..."
        yield f"the source of {weight.name} is not of the form {forms}"
    for host in weight.hosts:
        if not DOWNLOAD_HOST.fullmatch(host) or host.startswith("lan+"):
            yield f"{weight.name} names {host!r} as a host, which is not of the form https://name"
    if weight.sha256 is not None and not (_DIGEST.fullmatch(weight.sha256) and weight.digest_source):
        yield f"the sha256 of {weight.name} needs 64 hexadecimal digits and a digest_source"
    if weight.bytes < 1 or not weight.licence:
        yield f"the weight file {weight.name} needs its size in bytes and its licence"


def _type_problems(value: Any) -> Iterable[str]:
    """Fields whose value is not of the declared type: a dataclass checks nothing by itself."""
    hints = get_type_hints(type(value))
    for field in fields(value):
        try:
            _validator(hints[field.name]).validate_python(getattr(value, field.name), strict=True)
        except ValidationError as error:
            yield f"its field {field.name} does not fit: {error.errors(include_url=False)[0]['msg']}"


@cache
def _validator(hint: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("type[Any]", hint))
