"""What the system takes from a process: the network, for whatever code runs in it, and nothing else."""

from __future__ import annotations

import ctypes
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kizu_core.privacy import isolation
from kizu_core.privacy.isolation import Level
from kizu_core.privacy.probes import WAYS, listening

ISOLATED = """
import ctypes, errno, json, os, socket, subprocess, sys
from dataclasses import asdict
from kizu_core.privacy import isolation
from kizu_core.privacy.probes import probe

if sys.argv[1] == "namespace":
    isolation._CALLS = {}
level = isolation.isolate()
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are isolated on Linux only")
filtered = pytest.mark.skipif(
    platform.machine() not in isolation._CALLS, reason="no filter of system calls for this processor"
)


def run(code: str, way: str = "filter", *arguments: str, before: tuple[str, ...] = ()) -> Any:
    """What `code` prints as JSON in a process without network."""
    command = [*before, sys.executable, "-c", ISOLATED + code, way, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@linux
@pytest.mark.parametrize("way", ["filter", "namespace"])
def test_seven_ways_out_are_closed_without_any_hook(way: str) -> None:
    code = "print(json.dumps([level, [asdict(one) for one in probe(json.loads(sys.argv[2]))]]))"
    with listening() as listeners:
        level, results = run(code, way, json.dumps(listeners.ports))
    if level == Level.NONE:
        pytest.skip("this system takes no network from a process")
    open_ways = {one["way"] for one in results if one["stopped_by"] != "system"}
    # A name that stands in a file of this machine is found without asking anybody.
    assert open_ways <= {"a name looked up"}
    assert not listeners.reached
    assert len(results) == len(WAYS)


@linux
def test_without_isolation_every_listener_is_reached() -> None:
    code = "from kizu_core.privacy.probes import probe; import json, sys; probe(json.loads(sys.argv[1]))"
    with listening() as listeners:
        subprocess.run([sys.executable, "-c", code, json.dumps(listeners.ports)], check=True, timeout=60)
    assert {*listeners.reached, "a name looked up", "another program (curl)"} == set(WAYS)


@linux
@filtered
@pytest.mark.parametrize(
    "call",
    [
        "libc.connect(stream, address, 16)",
        "libc.bind(stream, address, 16)",
        "libc.listen(stream, 1)",
        "libc.sendto(datagram, b'x', 1, 0, address, 16)",
        "libc.sendmsg(datagram, message, 0)",
        "libc.sendmmsg(datagram, message, 1, 0)",
        "libc.socket(16, 3, 0)",  # netlink
        "libc.socket(17, 3, 0)",  # packets as they go over the wire
        "libc.socket(2, 3, 1)",  # ICMP
        "libc.socket(2, 1, 132)",  # SCTP
        "libc.socket(40, 1, 0)",  # to the host of a virtual machine
        "libc.syscall(425, 8, message)",  # io_uring_setup
        "libc.syscall(438, 0, 0, 0)",  # pidfd_getfd
    ],
)
def test_each_call_that_could_send_is_denied(call: str) -> None:
    code = f"""
libc = ctypes.CDLL(None, use_errno=True)
stream, datagram = libc.socket(2, 1, 0), libc.socket(2, 2, 0)
address = (2).to_bytes(2, "little") + (9).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
message = ctypes.create_string_buffer(256)
print(json.dumps([stream > 0, {call}, ctypes.get_errno() == errno.EPERM]))
"""
    assert run(code) == [True, -1, True]


@linux
@pytest.mark.parametrize("way", ["filter", "namespace"])
def test_files_users_and_sockets_of_its_own_stay_as_they_are(way: str, tmp_path: Path) -> None:
    code = """
a, b = socket.socketpair()
a.sendall(b"x")
folder = sys.argv[2]
with open(folder + "/new", "w") as file:
    file.write("x")
print(json.dumps([b.recv(1).decode(), os.getuid() == int(sys.argv[3]), os.stat(folder + "/new").st_uid == os.getuid()]))
"""
    import os

    assert run(code, way, str(tmp_path), str(os.getuid())) == ["x", True, True]


@linux
def test_an_ordinary_user_gets_a_network_of_his_own_and_stays_himself(tmp_path: Path) -> None:
    before = ("unshare", "-U", "--map-user=4321", "--map-group=4321")
    if subprocess.run([*before, "true"], capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here")
    code = """
with open(sys.argv[2] + "/new", "w"):
    pass
devices = [line.split(":")[0].strip() for line in open("/proc/self/net/dev").readlines()[2:]]
print(json.dumps([level, os.getuid(), os.getgid(), devices]))
"""
    level, uid, gid, devices = run(code, "namespace", str(tmp_path), before=before)
    assert (level, uid, gid, devices) == (Level.NO_NETWORK, 4321, 4321, ["lo"])


@linux
def test_where_nothing_can_be_had_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Denying:
        def unshare(self, flags: int) -> int:
            return -1

    monkeypatch.setattr(isolation, "_CALLS", {})
    monkeypatch.setattr(ctypes, "CDLL", lambda *a, **k: Denying())
    assert isolation.isolate() is Level.NONE
