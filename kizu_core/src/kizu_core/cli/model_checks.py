"""What `kizu doctor` says of the engines that compute models, and of each model in use."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kizu_core.cli.checks import Check

if TYPE_CHECKING:
    from kizu_core.models.runtimes.record import Record
    from kizu_core.plugins.specs import ModelSpec
    from kizu_core.settings import Settings


def engines(settings: Settings) -> Check:
    """Two distributions that bring the same module overwrite each other, and which one is left nobody knows."""
    from kizu_core.models.runtimes.machine import this_machine

    machine = this_machine()
    if {"onnxruntime", "onnxruntime-gpu"} <= set(machine.libraries):
        pip, keep = f"{sys.executable} -m pip", "onnxruntime-gpu" if machine.gpu else "onnxruntime"
        said = "onnxruntime and onnxruntime-gpu are both installed; they overwrite each other's files."
        hint = f"{pip} uninstall -y onnxruntime onnxruntime-gpu && {pip} install {keep}"
        return Check("engines", "fail", said, hint)
    said = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    gpu = "an NVIDIA GPU is there" if machine.gpu else "no NVIDIA GPU was found"
    return Check("engines", "ok", f"{said or 'None is installed'}; {gpu}.")


def opencv(settings: Settings) -> Check:
    """Two builds bring the module cv2: the last one installed is left, and one of them needs a desktop's libraries.

    Looked at without importing it, which may fail for that very reason.
    """
    from importlib.util import find_spec
    from pathlib import Path

    found = find_spec("cv2")
    if found is None or found.origin is None:
        return Check("opencv", "ok", "Not installed; nothing that is ready needs it.")
    about = Path(found.origin).with_name("version.py")
    if about.is_file() and "headless = False" in about.read_text(encoding="utf-8"):
        said = "cv2 is the build with windows (opencv-python), which can't be imported without libGL and a desktop."
        hint = f"{sys.executable} -m pip install --force-reinstall --no-deps opencv-python-headless"
        return Check("opencv", "warn", said, hint)
    return Check("opencv", "ok", "cv2 is the build without windows.")


def runtimes(settings: Settings) -> Sequence[Check]:
    """One for each model that is used, ready, and leaves a choice."""
    from kizu_core.models.selection import build_catalog
    from kizu_core.models.store import specs_in_use
    from kizu_core.models.weights import readiness

    specs = specs_in_use(build_catalog(settings))
    return [_runtime(spec, settings) for spec in specs if spec.runtimes and readiness(spec, settings).ready]


def _runtime(spec: ModelSpec, settings: Settings) -> Check:
    """Not to have tried is no fault, but may be slow."""
    from kizu_core.models.runtimes.machine import this_machine
    from kizu_core.models.runtimes.possible import engine_of
    from kizu_core.models.runtimes.record import recorded

    name, bench = f"runtime of {spec.name}", f"Try what else could compute it: kizu models bench {spec.name}"
    found = recorded(spec, settings)
    if found is None:
        return Check(name, "ok", f"On the CPU, {spec.runtimes[0]}, never compared with others on this machine.", bench)
    libraries = this_machine().libraries
    engines = dict.fromkeys(engine_of(runtime, libraries) for runtime in spec.runtimes)
    new = [engine for engine in engines if engine is not None and engine not in found.libraries]
    said = f"{_place(found)}{_why_not_gpu(spec, found)}"
    return Check(name, "ok", f"{said} {', '.join(new)} came since.", bench) if new else Check(name, "ok", said)


def _place(found: Record) -> str:
    """`On the CPU, openvino-bf16, 17 ms a picture.`"""
    from kizu_core.models.runtimes.possible import GPU

    device = "GPU" if found.runtime in GPU else "CPU"
    cost = next((one.cpu_ms for one in found.trials if one.runtime == found.runtime), None)
    return f"On the {device}, {found.runtime}{f', {cost:.0f} ms a picture' if cost is not None else ''}."


def _why_not_gpu(spec: ModelSpec, found: Record) -> str:
    from kizu_core.models.runtimes.possible import GPU

    if found.runtime in GPU:
        return ""
    tried = [one for one in found.trials if one.runtime in GPU]
    if not tried:
        return " Not on a GPU: its plugin can't use one."
    return f" Not on a GPU: {'; '.join(dict.fromkeys(one.obstacle or 'the CPU was as fast' for one in tried))}."
