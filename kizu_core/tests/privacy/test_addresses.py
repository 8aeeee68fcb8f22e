"""Which addresses are public; the disguises of the others."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizu_core.privacy.addresses import Reach, reach_of

LOCAL = [
    "127.0.0.1",
    "127.8.8.8",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.178.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:192.168.1.1",
    "::127.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::10.0.0.1",
    "fe80::5efe:192.168.0.1",
    "2001:db8::200:5efe:10.0.0.1",
    "2001:0:4136:e378:8000:63bf:3f57:fefe",  # Teredo around 192.168.1.1
]
NOWHERE = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "169.254.169.254",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "ff02::1",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "2002:808:808::",  # 6to4 around a public address: nobody's storage
    "64:ff9b::8.8.8.8",
    "2001:db8::1",
]
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize(
    ("text", "reach"),
    [(text, reach) for reach, texts in zip(Reach, (PUBLIC, LOCAL, NOWHERE), strict=True) for text in texts],
)
def test_reach(text: str, reach: Reach) -> None:
    assert reach_of(ipaddress.ip_address(text)) is reach


@given(st.ip_addresses())
def test_public_means_public_for_the_standard_library_too(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if reach_of(address) is Reach.PUBLIC:
        assert address.is_global or getattr(address, "ipv4_mapped", None)
        assert not (address.is_private and address.is_loopback)
