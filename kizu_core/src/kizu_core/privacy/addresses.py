"""Which network addresses are public, the many spellings of private ones included."""

from __future__ import annotations

import ipaddress
from enum import Enum

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Reach(Enum):
    """How far an address reaches."""

    PUBLIC = "public"
    LOCAL = "local"
    """This machine or the network it stands in: loopback, private, unique local, shared (CGNAT)."""
    NOWHERE = "nowhere"
    """What no storage has: link-local (cloud metadata), unspecified, multicast, reserved, documentation."""


_SHARED = ipaddress.ip_network("100.64.0.0/10")
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_ISATAP = (0x00005EFE, 0x02005EFE)


def reach_of(address: Address) -> Reach:
    """How far `address` reaches; an IPv6 address that wraps an IPv4 one reaches no farther than that."""
    wrapped = _embedded(address)
    if wrapped is not None:
        inner = reach_of(wrapped)
        # A tunnel to the public network is no storage either: nobody spells a public address that way.
        return Reach.NOWHERE if inner is Reach.PUBLIC and not _is_mapped(address) else inner
    if address.is_loopback or address in _SHARED:
        return Reach.LOCAL
    if address.is_link_local or address.is_unspecified or address.is_multicast or address.is_reserved:
        return Reach.NOWHERE
    if address.is_global:
        return Reach.PUBLIC
    return Reach.LOCAL if _is_lan(address) else Reach.NOWHERE


def _is_lan(address: Address) -> bool:
    ranges = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16") if address.version == 4 else ("fc00::/7",)
    return any(address in ipaddress.ip_network(text) for text in ranges)


def _is_mapped(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv6 one: mapped, compatible, 6to4, Teredo, NAT64, ISATAP."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    value = int(address)
    low = ipaddress.IPv4Address(value & 0xFFFFFFFF)
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    is_compatible = value >> 32 == 0 and value > 1  # :: and ::1 are addresses of their own
    is_isatap = (value >> 32) & 0xFFFFFFFF in _ISATAP
    return low if is_compatible or is_isatap or any(address in network for network in _NAT64) else None
