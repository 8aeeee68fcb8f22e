"""The pip command names what lies beside core: a checkout's folder, or a wheel."""

from __future__ import annotations

import json
import shlex
import sys
from importlib import metadata
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from kizu_core.plugins.suggestions import install_command


@pytest.mark.parametrize(
    "place", ["plugins/kizu_plugin_new", "kizu_plugin_new", "kizu_plugin_new-1.0-py3-none-any.whl"]
)
def test_it_names_what_lies_beside_core(place: str, tmp_path: Path, mocker: MockerFixture) -> None:
    around = tmp_path / "my photos & more"
    (around / place).mkdir(parents=True)
    _core_from(mocker, (around / "kizu_core").as_uri())
    assert shlex.split(install_command("kizu-plugin-new")) == [
        sys.executable,
        "-m",
        "pip",
        "install",
        str(around / place),
    ]


@pytest.mark.parametrize("origin", [None, "https://example.org/kizu_core.whl", "file:///nowhere/kizu_core"])
def test_without_it_the_command_says_what_to_fill_in(origin: str | None, mocker: MockerFixture) -> None:
    _core_from(mocker, origin)
    assert install_command("kizu-plugin-new").endswith("-m pip install PATH-OR-WHEEL-OF-kizu-plugin-new")


def _core_from(mocker: MockerFixture, url: str | None) -> None:
    """As pip records where a distribution was installed from (PEP 610); nothing if it came from an index."""
    recorded = None if url is None else json.dumps({"url": url, "dir_info": {}})
    mocker.patch.object(metadata.PathDistribution, "read_text", return_value=recorded)
