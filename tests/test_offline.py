"""Not one packet: everything that works on photos, in a network where a packet would be counted, from outside.

The network is a namespace of its own whose only device is the loopback one, and every route leads there, the default
ones for IPv4 and IPv6 too: a packet to anywhere, this machine included, passes that device and is in its counters.
They are read by this process, which is not in that network.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kizu_core.types import OPERATION_MODELS
from kizu_support.command import KIZU, Kizu
from kizu_support.library import draw
from kizu_support.weights.everything import five_models

ROUTES = """
set -e
ip link set lo up
ip route add default dev lo
ip -6 route add default dev lo 2>/dev/null || true
echo ready
read -r _
"""
PHOTOS = 3


@dataclass
class CountedNetwork:
    """A network that leads nowhere. `holder`: the process that keeps it."""

    holder: int

    def packets(self) -> int:
        """Packets that passed its device so far."""
        lines = Path(f"/proc/{self.holder}/net/dev").read_text(encoding="ascii").splitlines()[2:]
        counts = [line.partition(":")[2].split() for line in lines]
        return sum(int(count[9]) for count in counts)

    def command(self, *arguments: str | Path) -> list[str]:
        """A command line that runs inside."""
        inside = ["nsenter", "--preserve-credentials", "-U", "-n", "-t", str(self.holder), "--"]
        return [*inside, *map(str, arguments)]

    def run(
        self, *arguments: str | Path, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Its output and end."""
        return subprocess.run(self.command(*arguments), env=environment, capture_output=True, text=True, timeout=600)


@pytest.fixture
def network() -> Iterator[CountedNetwork]:
    if sys.platform != "linux" or not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        pytest.skip("network namespaces need Linux with unshare, nsenter and ip")
    holder = subprocess.Popen(
        ["unshare", "-rn", "sh", "-c", ROUTES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        if holder.stdout.readline() != "ready\n":
            pytest.skip(f"no network namespaces here: {holder.communicate()[1].strip()}")
        yield CountedNetwork(holder.pid)
    finally:
        holder.communicate("\n")


@pytest.mark.parametrize(
    "leak",
    [
        "s = socket.socket(type=socket.SOCK_DGRAM); s.sendto(b'photo', ('203.0.113.7', 9))",
        "s = socket.socket(); s.setblocking(False); s.connect_ex(('203.0.113.7', 443))",
        "s = socket.socket(type=socket.SOCK_DGRAM); s.sendto(b'query', ('127.0.0.53', 53))",
        "s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.sendto(b'photo', ('2001:db8::7', 9))",
    ],
    ids=["datagram", "connection", "name server on this machine", "IPv6"],
)
def test_a_leak_would_be_counted(network: CountedNetwork, leak: str) -> None:
    if "AF_INET6" in leak and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    assert network.packets() == 0
    assert network.run(sys.executable, "-c", f"import socket; {leak}").returncode == 0
    assert network.packets() > 0


@pytest.fixture
def photos(shared: Path, tmp_path: Path) -> Path:
    """Small ones: one that was drawn, the smallest JPEG, the smallest HEIC."""
    folder = tmp_path / "photos"
    draw(folder / "drawn.jpg")
    for ending in ("jpg", "heic"):
        smallest = min((shared / "photos").glob(f"*.{ending}"), key=lambda path: path.stat().st_size)
        shutil.copy(smallest, folder)
    return folder


def test_a_run_with_light_plugins_and_a_search_send_nothing(
    network: CountedNetwork, library_home: Path, photos: Path
) -> None:
    light = {"KIZU_LOAD_PLUGINS": "core,rapidocr,histogram"}
    check_that_nothing_is_sent(network, Kizu(library_home, light), photos, {"embedding", "ocr"})


@pytest.mark.timeout(900)
def test_a_run_with_the_five_models_and_a_search_send_nothing(
    network: CountedNetwork, library_home: Path, photos: Path
) -> None:
    check_that_nothing_is_sent(network, Kizu(library_home, five_models()), photos, set(OPERATION_MODELS))


def check_that_nothing_is_sent(network: CountedNetwork, kizu: Kizu, photos: Path, operations: set[str]) -> None:
    environment = {**kizu.environment(), "KIZU_THREADS": str(os.cpu_count() or 1)}
    run = network.run(KIZU, "run", photos, "--json", environment=environment)
    assert run.returncode == 0, run.stderr
    *_, summary = [json.loads(line) for line in run.stdout.splitlines()]
    assert summary["refused"] == []
    done = {name: tally["done"] for name, tally in summary["worked"]["operations"].items()}
    assert done == dict.fromkeys({"optimize", *operations}, PHOTOS)
    for arguments in (["search", "anything", "--json"], ["status", "--json"], ["look", photos / "drawn.jpg", "--json"]):
        command = network.run(KIZU, *arguments, environment=environment)
        assert command.returncode == 0, command.stderr
    assert network.packets() == 0
