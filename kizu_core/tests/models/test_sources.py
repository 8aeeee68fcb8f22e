"""Addresses of weights: whatever a plugin, a setting or a redirect says, only allowed hosts are meant."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kizu_core.errors import FetchRefused, KizuError
from kizu_core.models.sources import Source, source_of
from kizu_core.plugins.specs import WeightFile
from kizu_core.privacy.http import Policy
from kizu_core.settings import load_settings

WEIGHT = WeightFile(name="a.onnx", source="hf:kizu/tiny@0123/a.onnx", bytes=1, licence="MIT")
SOURCE = Source(
    "https://hub.example/a", ("https://hub.example", "https://*.cdn.example", "lan+https://nas.example:8443")
)

PIECES = [
    "hub.example",
    "cdn.example",
    "x.cdn.example",
    "evil.test",
    ".",
    "@",
    ":",
    "443",
    "/",
    "\\",
    "#",
    "?",
    "%2e",
    "*",
]


def reached(url: str) -> str | None:
    """The host that a download would talk to, None if it is refused."""
    try:
        policy = Policy([SOURCE.origin_of(url)])
        policy.check_url(httpx.URL(url))
    except (KizuError, httpx.InvalidURL):
        return None
    return httpx.URL(url).host


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from(["https://", "http://", "ftp://", ""]))
@example(["evil.test", "\\", ".", "x.cdn.example"], "https://")
@example(["x.cdn.example", "@", "evil.test"], "https://")
def test_no_spelling_reaches_another_host(pieces: list[str], scheme: str) -> None:
    host = reached(scheme + "".join(pieces))
    assert host is None or host == "hub.example" or re.fullmatch(r"[\w.-]+\.cdn\.example", host)


@given(st.text(max_size=40))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}.cdn.example/"):
        reached(url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://hub.example/b?c", "https://hub.example"),
        ("https://us.west.cdn.example/b", "https://us.west.cdn.example"),
        ("https://nas.example:8443/b", "lan+https://nas.example:8443"),
    ],
)
def test_allowed_hosts(url: str, origin: str) -> None:
    assert SOURCE.origin_of(url) == origin


@pytest.mark.parametrize(
    "url", ["http://hub.example/b", "https://cdn.example/b", "https://hub.example:444/b", "https://hub.example.test/"]
)
def test_neighbours_of_allowed_hosts(url: str) -> None:
    with pytest.raises(FetchRefused, match="which nobody allowed"):
        SOURCE.origin_of(url)


@given(value=st.text(min_size=1, max_size=30))
@example("https://[half")
def test_any_text_as_a_mirror_is_a_sentence_or_a_host(value: str) -> None:
    settings = load_settings({"home": Path("home"), "model_hub": value}, environ={})
    with suppress(KizuError):
        source = source_of(WEIGHT, settings)
        assert source is not None
        assert re.match(r"https://|http://(localhost|127\.0\.0\.1|\[::1\])", source.url)


def test_the_hubs_storage_is_not_the_mirrors() -> None:
    mirror = load_settings({"home": Path("home"), "model_hub": "https://mirror.example/hub/"}, environ={})
    source = source_of(WEIGHT, mirror)
    assert source is not None
    assert source.url == "https://mirror.example/hub/kizu/tiny/resolve/0123/a.onnx"
    assert source.hosts == ("https://mirror.example/hub",)
    declared = source_of(replace(WEIGHT, hosts=("https://*.store.example",)), mirror)
    assert declared is not None
    assert declared.origin_of("https://eu.store.example/x") == "https://eu.store.example"
