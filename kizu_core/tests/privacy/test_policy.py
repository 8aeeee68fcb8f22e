"""The allow-list: what a URL must look like, and which addresses its host may have."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizu_core.errors import FetchRefused, SettingError
from kizu_core.privacy.addresses import Address
from kizu_core.privacy.http import Policy, parse_origin

STORE = "https://store.example/photos/"


def answering(*texts: str) -> Policy:
    """A policy for the store, and for two that stand in the user's own network, where every name has `texts`."""

    def resolve(host: str, port: int) -> Sequence[Address]:
        return [ipaddress.ip_address(text) for text in texts]

    return Policy([STORE, "http://nas.local:9000/", "lan+https://own.example/"], resolve=resolve)


GOOD = [
    "https://store.example/photos/a.jpg",
    "https://store.example:443/photos/a.jpg?token=x",
    "https://STORE.example/photos/a%20b.jpg",
    "https://store.example/photos/user%2fa.jpg",
    "http://nas.local:9000/a.jpg",
]


@pytest.mark.parametrize("url", GOOD)
def test_allowed(url: str) -> None:
    answering().check_url(httpx.URL(url))


REFUSED = [
    "http://store.example/photos/a.jpg",
    "https://store.example:8443/photos/a.jpg",
    "https://store.example/other/a.jpg",
    "https://store.example/photos",
    "https://store.example/photosx/a.jpg",
    "https://store.example.evil/photos/a.jpg",
    "https://evil.example/store.example/photos/a.jpg",
    "https://storezexample/photos/a.jpg",
    "https://user@store.example/photos/a.jpg",
    "https://store.example@evil.example/photos/a.jpg",
    "https://store.example./photos/a.jpg",
    "https://store.example/photos/../secret",
    "https://store.example/photos/..%2fsecret",
    "https://store.example/photos/%2e%2e/secret",
    "https://store.example/photos/%252e%252e%252fsecret",
    "https://store.example/photos/..%5csecret",
    "https://store.example/photos/a%00.jpg",
    "http://127.0.0.1/a.jpg",
    "http://127.1/a.jpg",
    "http://2130706433/a.jpg",
    "http://0x7f000001/a.jpg",
    "http://0177.0.0.1/a.jpg",
    "http://[::1]/a.jpg",
    "http://[::ffff:127.0.0.1]/a.jpg",
    "http://0.0.0.0/a.jpg",
    "http://localhost/a.jpg",
    "http://localhost./a.jpg",
    "http://①②⑦.0.0.1/a.jpg",
    "http://nas.local:5432/a.jpg",
    "file:///etc/passwd",
    "ftp://store.example/photos/a.jpg",
    "gopher://store.example/photos/a.jpg",
    "data:image/png;base64,AAAA",
    "//store.example/photos/a.jpg",
    "/photos/a.jpg",
]


@pytest.mark.parametrize("url", REFUSED)
def test_refused(url: str) -> None:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return
    with pytest.raises(FetchRefused):
        answering().check_url(parsed)


@given(st.text("abes.:/@%2f\\#?[]-xampltor1", max_size=40))
def test_nothing_but_the_store_is_allowed(rest: str) -> None:
    for url in ("https://" + rest, "https://store.example" + rest):
        try:
            parsed = httpx.URL(url)
            Policy([STORE]).check_url(parsed)
        except (httpx.InvalidURL, FetchRefused):
            continue
        assert (parsed.host, parsed.port) == ("store.example", None)
        assert parsed.path.startswith("/photos/")
        assert ".." not in parsed.path.split("/")


@pytest.mark.parametrize("bad", ["127.0.0.1", "192.168.1.1", "100.64.0.1", "::1", "169.254.169.254", "::ffff:10.0.0.1"])
def test_a_public_name_with_an_inner_address_is_refused(bad: str) -> None:
    with pytest.raises(FetchRefused, match="private network"):
        answering(bad).addresses("store.example", 443)
    with pytest.raises(FetchRefused, match="private network"):
        answering("93.184.216.34", bad).addresses("store.example", 443)


def test_a_storage_of_one_s_own_network_may_be_there() -> None:
    for host, port in (("nas.local", 9000), ("own.example", 443)):
        assert answering("192.168.1.9").addresses(host, port)
        with pytest.raises(FetchRefused):  # cloud metadata is nobody's storage
            answering("169.254.169.254").addresses(host, port)


def test_a_local_storage_opens_no_other_port() -> None:
    with pytest.raises(FetchRefused):
        answering("192.168.1.9").addresses("nas.local", 22)


@pytest.mark.parametrize(
    "text",
    ["", "store.example", "ftp://x/", "https://u:p@x/", "https://x/?q", "https://x/#f", "https://", "https://[x/"],
)
def test_an_origin_that_is_none_is_said_at_once(text: str) -> None:
    with pytest.raises(SettingError):
        parse_origin(text)
