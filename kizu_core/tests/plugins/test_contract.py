"""Specs are checked where they enter: what comes behind may trust their types."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kizu_core.errors import PluginError
from kizu_core.plugins import hookspecs
from kizu_core.plugins.contract import HOOK_SPECS, check_specs
from kizu_core.plugins.specs import EmbedderSpec, JobHandlerSpec, WeightFile
from kizu_core.types import JobTable

WEIGHT = WeightFile(
    name="a.onnx", source="package:a/a.onnx", bytes=3, licence="MIT", sha256="0" * 64, digest_source="computed"
)
EMBEDDER = EmbedderSpec(
    name="tiny", summary="tiny", factory="a.b:build", output_version="1", dim=4, space="tiny", weights=(WEIGHT,)
)
HANDLER = JobHandlerSpec(
    name="job", summary="job", table=JobTable.AI, job_type="job", factory="a:build", offers=("job",)
)


def test_good_specs_pass_as_they_are() -> None:
    assert check_specs([EMBEDDER], EmbedderSpec) == (EMBEDDER,)
    assert check_specs(iter([HANDLER]), JobHandlerSpec) == (HANDLER,)
    assert check_specs((), EmbedderSpec) == ()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "Tiny Model"}, "a-z, 0-9"),
        ({"name": None}, "field name"),
        ({"summary": "two\nlines"}, "one line"),
        ({"factory": "a.b.build"}, "package.module:attribute"),
        ({"settings": "not/a:reference"}, "package.module:attribute"),
        ({"output_version": ""}, "output_version"),
        ({"dim": 0}, "positive dim"),
        ({"dim": "4"}, "field dim"),
        ({"space": ""}, "space"),
        ({"languages": ["en"]}, "field languages"),
        ({"weights": (WEIGHT, WEIGHT)}, "one name"),
        ({"weights": (replace(WEIGHT, name="../a.onnx"),)}, "plain file name"),
        ({"weights": (replace(WEIGHT, name=".."),)}, "plain file name"),
        ({"weights": (replace(WEIGHT, source="http://a/a.onnx"),)}, "not of the form package:"),
        ({"weights": (replace(WEIGHT, source="http://127.0.0.1.example.org/a.onnx"),)}, "not of the form package:"),
        ({"weights": (replace(WEIGHT, source="https://user@example.org/a.onnx"),)}, "not of the form package:"),
        ({"weights": (replace(WEIGHT, source="hf:tiny@main/a.onnx"),)}, "not of the form package:"),
        ({"weights": (replace(WEIGHT, hosts=("http://cdn.example.org",)),)}, "not of the form https://name"),
        ({"weights": (replace(WEIGHT, hosts=("lan+https://cdn.example.org",)),)}, "not of the form https://name"),
        ({"weights": (replace(WEIGHT, bytes=0),)}, "size in bytes"),
        ({"weights": (replace(WEIGHT, licence=""),)}, "licence"),
        ({"weights": (replace(WEIGHT, sha256="abc"),)}, "64 hexadecimal"),
        ({"weights": (replace(WEIGHT, digest_source=None),)}, "digest_source"),
        ({"weights": ("a.onnx",)}, "field weights"),
    ],
)
def test_a_bad_field_is_named(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PluginError, match=complaint):
        check_specs([replace(EMBEDDER, **change)], EmbedderSpec)


def test_a_handler_must_offer_something() -> None:
    with pytest.raises(PluginError, match="offers nothing"):
        check_specs([replace(HANDLER, offers=())], JobHandlerSpec)


def test_a_spec_of_another_hook_is_refused() -> None:
    with pytest.raises(PluginError, match="JobHandlerSpec where EmbedderSpec"):
        check_specs([HANDLER], EmbedderSpec)


def test_every_hook_has_its_spec() -> None:
    assert {name for name in vars(hookspecs) if name.startswith("kizu_")} == set(HOOK_SPECS)
