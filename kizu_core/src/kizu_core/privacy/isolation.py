"""Takes the network from this process at the level of the system, for native code that no hook of Python sees.

Two ways, both without rights and both inherited by whatever the process starts. A filter of system calls, under which
no socket can be connected, bound or sent from, not even to this machine: name services are local sockets that ask the
network. Where that can't be had (another processor, an old kernel), a network of its own with nothing in it.

Sockets may still be made: libraries do so to see what the machine can, and the hook of Python, which names who wants
to connect, has to be asked first. Files, devices and memory stay as they are. Programs that gain rights when started
(setuid) no longer gain them: the driver modules of a GPU have to be loaded before.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Level(StrEnum):
    """What the system refuses to this process."""

    NO_CONNECTIONS = "no connections"
    NO_NETWORK = "no network"
    NONE = "nothing"


_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class _Calls:
    """Numbers of a processor: its own in the audit interface, those of its system calls.

    `denied`: connect, bind, listen, accept, accept4, sendmsg, sendmmsg, io_uring_setup (whose rings do all of these),
    pidfd_getfd (which takes the sockets of another process).
    """

    architecture: int
    socket: int
    sendto: int
    denied: tuple[int, ...]


_CALLS = {
    "x86_64": _Calls(0xC000003E, 41, 44, (42, 49, 50, 43, 288, 46, 307, 425, 438)),
    "aarch64": _Calls(0xC00000B7, 198, 206, (203, 200, 201, 202, 242, 211, 269, 425, 438)),
}
_X32 = 0x40000000
"""Calls of the x32 interface have this bit set and numbers of their own."""

_FAMILIES = (1, 2, 10)  # local, IPv4, IPv6
_TYPES = (1, 2)  # stream, datagram
_PROTOCOLS = (0, 6, 17)  # the usual one, TCP, UDP: others can be connected by setting an option

# Instructions of the kernel's packet filter, and what it answers.
_LOAD, _AND, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_ALLOW = 0x7FFF0000
_DENY = 0x00050000 | errno.EPERM
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where `struct seccomp_data` has them


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def isolate() -> Level:
    """Takes the network away, as far as this system can. Call it before there are threads: each has its own."""
    if sys.platform != "linux":
        return Level.NONE
    if _deny_connections():
        return Level.NO_CONNECTIONS
    return Level.NO_NETWORK if _leave_network() else Level.NONE


def _deny_connections() -> bool:
    calls = _CALLS.get(platform.machine())
    if calls is None:
        return False
    code = b"".join(_filter(calls))
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(code) // 8, code)
    asked = ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program)))
    return all(libc.prctl(*one) == 0 for one in asked)


def _filter(calls: _Calls) -> Iterator[bytes]:
    """The filter's instructions: operation, steps to skip if true and if false, operand.

    The last two answer "allow" and "deny"; a check that fails skips to one of them.
    """
    checks = [
        (_LOAD, _ARCHITECTURE, "", ""),
        (_IF_EQUAL, calls.architecture, "", "deny"),
        (_LOAD, _NUMBER, "", ""),
        (_IF_AT_LEAST, _X32, "deny", ""),
        *((_IF_EQUAL, call, "deny", "") for call in calls.denied),
        *_when(calls.sendto, _has_no_address()),
        *_when(calls.socket, _is_common()),
    ]
    allow = len(checks)
    skip = {"allow": allow, "deny": allow + 1}
    for index, (operation, operand, if_true, if_false) in enumerate(checks):
        steps = [skip[one] - index - 1 if one in skip else int(one or 0) for one in (if_true, if_false)]
        yield struct.pack("HBBI", operation, *steps, operand)
    yield struct.pack("HBBI", _RETURN, 0, 0, _ALLOW)
    yield struct.pack("HBBI", _RETURN, 0, 0, _DENY)


_Check = tuple[int, int, str, str]
"""Operation, operand, and where to go if true and if false: "allow", "deny", a number of steps, or on."""


def _when(call: int, checks: Sequence[_Check]) -> list[_Check]:
    """`checks` for one system call, which is allowed if it passes them; the number of the call is loaded."""
    return [(_IF_EQUAL, call, "", str(len(checks))), *checks]


def _has_no_address() -> list[_Check]:
    """The fifth argument, a pointer, is null: the socket was connected before, by whoever gave it to us."""
    low = _ARGUMENTS + 4 * 8
    return [
        (_LOAD, low, "", ""),
        (_IF_EQUAL, 0, "", "deny"),
        (_LOAD, low + 4, "", ""),
        (_IF_EQUAL, 0, "allow", "deny"),
    ]


def _is_common() -> list[_Check]:
    """Family, type and protocol are ones that can't send without a call that is denied."""
    checks: list[_Check] = []
    for index, (values, mask) in enumerate(((_FAMILIES, 0xFFFFFFFF), (_TYPES, 0xF), (_PROTOCOLS, 0xFFFFFFFF))):
        checks += [(_LOAD, _ARGUMENTS + 8 * index, "", ""), (_AND, mask, "", "")]
        *others, last = values
        checks += [(_IF_EQUAL, value, str(len(values) - 1 - place), "") for place, value in enumerate(others)]
        checks.append((_IF_EQUAL, last, "", "deny"))
    return [*checks, (_IF_AT_LEAST, 0, "allow", "allow")]


def _leave_network() -> bool:
    """A network namespace of our own; without the right to make one, inside a user namespace where we are ourselves."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) == 0:
        return True
    # Tried in a process that may be spoilt: one whose number is not carried over can't make files any more.
    attempt = os.fork()
    if attempt == 0:
        os._exit(0 if _leave_as_ourselves(libc) else 1)
    return os.waitpid(attempt, 0)[1] == 0 and _leave_as_ourselves(libc)


def _leave_as_ourselves(libc: ctypes.CDLL) -> bool:
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            Path("/proc/self", name).write_text(text, encoding="ascii")
    except OSError:
        return False
    return True
