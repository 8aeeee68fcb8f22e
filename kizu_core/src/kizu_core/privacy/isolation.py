"""Takes the network from this process at the level of the system, for native code that no hook of Python sees.

Two ways, both without rights and both inherited by whatever the process starts. A filter of system calls that lets
it make no socket at all, not even a local one: name services are local sockets that ask the network. Where that can't
be had (another processor, an old kernel), a network of its own with nothing in it.

Files, devices and memory stay as they are. Programs that gain rights when started (setuid) no longer gain them: the
driver modules of a GPU have to be loaded before.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from enum import StrEnum
from pathlib import Path


class Level(StrEnum):
    """What the system refuses to this process."""

    NO_SOCKETS = "no sockets"
    NO_NETWORK = "no network"
    NONE = "nothing"


_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000

# By processor: its number in the audit interface, and the calls `socket`, `io_uring_setup` (whose rings make sockets)
# and `pidfd_getfd` (which takes those of another process).
_CALLS = {"x86_64": (0xC000003E, (41, 425, 438)), "aarch64": (0xC00000B7, (198, 425, 438))}
_X32 = 0x40000000
"""Calls of the x32 interface have this bit set and numbers of their own."""

_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW = 0x7FFF0000
_DENY = 0x00050000 | errno.EPERM


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def isolate() -> Level:
    """Takes the network away, as far as this system can. Call it before there are threads: each has its own."""
    if sys.platform != "linux":
        return Level.NONE
    if _deny_sockets():
        return Level.NO_SOCKETS
    return Level.NO_NETWORK if _leave_network() else Level.NONE


def _deny_sockets() -> bool:
    known = _CALLS.get(platform.machine())
    if known is None:
        return False
    code = _filter(*known)
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(code) // 8, code)
    return (
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program)) == 0
    )


def _filter(architecture: int, calls: tuple[int, ...]) -> bytes:
    """BPF: deny calls of another architecture, of x32, and `calls`; allow the rest."""
    deny = len(calls) + 1
    """Distance from the instruction after the number was loaded to the last one, which denies."""
    code = [
        (_LOAD, 0, 0, 4),  # the architecture
        (_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _DENY),
        (_LOAD, 0, 0, 0),  # the number of the call
        (_IF_AT_LEAST, deny, 0, _X32),
        *((_IF_EQUAL, deny - 1 - index, 0, call) for index, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]
    return b"".join(struct.pack("HBBI", *one) for one in code)


def _leave_network() -> bool:
    """A network namespace of our own; without the right to make one, inside a user namespace where we are ourselves."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) == 0:
        return True
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    this = Path("/proc/self")
    this.joinpath("setgroups").write_text("deny", encoding="ascii")
    this.joinpath("uid_map").write_text(f"{uid} {uid} 1", encoding="ascii")
    this.joinpath("gid_map").write_text(f"{gid} {gid} 1", encoding="ascii")
    return True
