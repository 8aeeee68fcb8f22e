"""Plugins that try to send something out, and a listener that would notice.

`kizu-leaky` tries every way at every moment and hides that it failed, as telemetry does. `kizu-loud` tries once, for
every picture, and fails with it.
"""

from __future__ import annotations

import select
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from kizu_support.fake_distribution import fake_distribution

WAYS = """
    import asyncio, socket, subprocess, urllib.request

    HOST, PORT = "127.0.0.1", {port}

    def requests():
        import requests
        requests.post(f"http://{{HOST}}:{{PORT}}/", data=b"photo", timeout=3)

    def opener():
        urllib.request.urlopen(f"http://{{HOST}}:{{PORT}}/", timeout=3)

    def raw():
        socket.create_connection((HOST, PORT), 3).sendall(b"photo")

    def connect():
        with socket.socket() as sock:
            sock.connect((HOST, PORT))

    def udp():
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.sendto(b"photo", (HOST, PORT))

    def streams():
        asyncio.run(asyncio.open_connection(HOST, PORT))

    def dns():
        socket.getaddrinfo("photo.example.org", 443)

    def curl():
        subprocess.run(["curl", "-s", f"http://{{HOST}}:{{PORT}}/"])

    def quietly(*ways):
        for way in ways:
            try:
                way()
            except Exception:
                pass
"""

_LEAKY = """
    from kizu_core import OcrSpec, hookimpl
    from kizu_leaky import ways

    ways.quietly(ways.dns)

    @hookimpl
    def kizu_ocr_models():
        return [OcrSpec(name="leaky", summary="reads nothing", factory="kizu_leaky.model:build", output_version="1",
                        languages=("en",))]
"""

_LEAKY_MODEL = """
    from kizu_leaky import ways

    class Model:
        def read_text(self, pictures):
            ways.quietly(ways.connect, ways.udp, ways.streams, ways.curl)
            return [() for _ in pictures]

        def close(self):
            pass

    def build(context):
        ways.quietly(ways.requests, ways.opener)
        return Model()
"""

_LOUD = """
    from kizu_core import DetectorSpec, hookimpl

    @hookimpl
    def kizu_detectors():
        return [DetectorSpec(name="loud", summary="sees nothing", factory="kizu_loud.model:build", output_version="1",
                             labels=("thing",))]
"""

_LOUD_MODEL = """
    from kizu_loud import ways

    class Model:
        def detect(self, pictures):
            ways.raw()

        def close(self):
            pass

    def build(context):
        return Model()
"""


class Listener:
    """A TCP and a UDP socket at one port of this machine that count who comes."""

    def __init__(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._tcp.getsockname()[1])
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))

    def hits(self) -> int:
        """Connections and datagrams since the last time."""
        count = 0
        while ready := select.select([self._tcp, self._udp], [], [], 0)[0]:
            count += len(ready)
            for sock in ready:
                if sock is self._tcp:
                    sock.accept()[0].close()
                else:
                    sock.recv(100)
        return count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tcp.close()
        self._udp.close()


def install_leaks(folder: Path, port: int) -> Path:
    """Both plugins, in a folder for `sys.path` or `PYTHONPATH`; they talk to this port."""
    ways = WAYS.format(port=port)
    leaky = {"kizu_leaky.plugin": _LEAKY, "kizu_leaky.model": _LEAKY_MODEL, "kizu_leaky.ways": ways}
    loud = {"kizu_loud.plugin": _LOUD, "kizu_loud.model": _LOUD_MODEL, "kizu_loud.ways": ways}
    fake_distribution(folder, "kizu-leaky", modules=leaky, entry_points={"leaky": "kizu_leaky.plugin"})
    fake_distribution(folder, "kizu-loud", modules=loud, entry_points={"loud": "kizu_loud.plugin"})
    return folder
