"""`import kizu_core` costs nothing and has every public name."""

from __future__ import annotations

import subprocess
import sys

import pytest

import kizu_core


@pytest.mark.parametrize("name", kizu_core.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(kizu_core, name).__module__.startswith(("kizu_core", "pluggy"))


def test_names_are_sorted_and_others_are_refused() -> None:
    assert list(kizu_core.__all__) == sorted(kizu_core.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        kizu_core.nothing  # noqa: B018


def test_what_a_plugin_module_imports_is_light() -> None:
    code = "import sys; from kizu_core import EmbedderSpec, Picture, hookimpl; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "pydantic", "PIL", "kizu_core.models.registry"} & set(done.stdout.split())
