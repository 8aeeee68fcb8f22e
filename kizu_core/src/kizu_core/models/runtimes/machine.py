"""What there is to compute with, found out without importing any of it."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ENGINES = ("onnxruntime", "onnxruntime-gpu", "openvino", "torch")
"""Distributions that compute models."""

_FLAGS = frozenset(
    {"avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"}  # as x86 names them
    | {"asimddp", "i8mm", "bf16"}  # as Arm does
)
"""Those that decide which number formats are fast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """`libraries`: distribution -> version of the engines that are installed. `gpu`: the system shows an NVIDIA GPU;
    whether an engine can use it, only the engine knows. `contained`: this is a container.
    """

    processor: str
    flags: frozenset[str]
    libraries: Mapping[str, str]
    gpu: bool
    contained: bool

    @property
    def has_bf16(self) -> bool:
        return bool(self.flags & {"avx512_bf16", "amx_bf16", "bf16"})

    @property
    def has_int8(self) -> bool:
        """Whether it multiplies int8 fast, and without the overflows that it has on older processors."""
        return bool(self.flags & {"avx512_vnni", "avx_vnni", "asimddp"})

    @property
    def fingerprint(self) -> str:
        """The same for processors on which a measurement means the same."""
        return " ".join([self.processor, *sorted(self.flags)])


@cache
def this_machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(
        processor=platform.machine(),
        flags=frozenset(_cpu_flags() & _FLAGS),
        libraries={name: found for name in ENGINES if (found := _version(name))},
        gpu=any(Path("/dev").glob("nvidia[0-9]*")),
        contained=Path("/.dockerenv").exists() or Path("/run/.containerenv").exists(),
    )


def _cpu_flags() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # macOS, where the CPU runtimes of choice need none of the flags
        return set()
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return set(found[1].split()) if found else set()


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
