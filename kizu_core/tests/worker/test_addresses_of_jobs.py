"""Addresses that somebody put into job rows: none of them makes the worker call where it should not."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest

from kizu_core.types import JobTable
from kizu_support.bench import Bench
from kizu_support.embedded import settings_for

STORE = "https://store.example/photos/"
SECRET = "the body of an answer"

OUTSIDE = [
    "http://127.0.0.1:{port}/a.jpg",
    "http://127.0.0.2:{port}/a.jpg",
    "http://127.1:{port}/a.jpg",
    "http://127.0.1:{port}/a.jpg",
    "http://2130706433:{port}/a.jpg",
    "http://0x7f000001:{port}/a.jpg",
    "http://0x7f.0.0.1:{port}/a.jpg",
    "http://0177.0.0.1:{port}/a.jpg",
    "http://017700000001:{port}/a.jpg",
    "http://0:{port}/a.jpg",
    "http://0.0.0.0:{port}/a.jpg",
    "http://[::]:{port}/a.jpg",
    "http://[::1]:{port}/a.jpg",
    "http://[::ffff:127.0.0.1]:{port}/a.jpg",
    "http://[::ffff:7f00:1]:{port}/a.jpg",
    "http://[::127.0.0.1]:{port}/a.jpg",
    "http://[64:ff9b::127.0.0.1]:{port}/a.jpg",
    "http://[2002:7f00:1::]:{port}/a.jpg",
    "http://[fe80::1%25lo]:{port}/a.jpg",
    "http://localhost:{port}/a.jpg",
    "http://localhost.:{port}/a.jpg",
    "http://LOCALHOST:{port}/a.jpg",
    "http://{lan}:{port}/a.jpg",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1:{port}/a.jpg",
    "http://①②⑦.⓪.⓪.①:{port}/a.jpg",
    "http://127。0。0。1:{port}/a.jpg",
    "http://store.example@127.0.0.1:{port}/photos/a.jpg",
    "https://store.example:{port}@127.0.0.1:{port}/photos/a.jpg",
    "http://127.0.0.1:{port}#@store.example/photos/a.jpg",
    "http://127.0.0.1:{port}\\@store.example/photos/a.jpg",
    "http://127.0.0.1:5432/a.jpg",
    "https://store.example.evil/photos/a.jpg",
    "https://store.example./photos/a.jpg",
    "https://store.example:{port}/photos/a.jpg",
    "http://store.example/photos/a.jpg",
    "https://store.example/photos/..%2f..%2fsecret",
    "https://store.example/photos/%2e%2e/secret",
    "https://store.example/photosx/a.jpg",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "ftp://127.0.0.1:{port}/a.jpg",
    "gopher://127.0.0.1:{port}/_GET%20/a.jpg",
    "data:image/png;base64,iVBORw0KGgo=",
    "dict://127.0.0.1:{port}/",
    "jar:http://127.0.0.1:{port}/a.jpg!/",
    "unix:/var/run/docker.sock",
    "//127.0.0.1:{port}/a.jpg",
    "/etc/passwd",
    "http://",
    "http://[",
    "http:///a.jpg",
    "http://127.0.0.1:{port}/a.jpg\r\nX-Evil: 1",
    " http://127.0.0.1:{port}/a.jpg",
    "\thttp://127.0.0.1:{port}/a.jpg",
    "http://x:99999999/a.jpg",
    "javascript:fetch('http://127.0.0.1:{port}')",
]


@dataclass
class Listener:
    """A server on every address of this machine that counts who came."""

    port: int
    hits: list[str] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.hits.append(self.path)
            status, location = ANSWERS.get(self.path, (200, ""))
            self.send_response(status)
            if location:
                self.send_header("Location", location.format(port=here.port))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(SECRET.encode())

        def log_message(self, *args: Any) -> None:
            pass

    class Both(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if socket.has_ipv6 else socket.AF_INET
        daemon_threads = True

    server = Both(("::" if socket.has_ipv6 else "", 0), Handler)  # takes IPv4 as well
    here = Listener(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


ANSWERS = {
    "/store/gone.jpg": (404, ""),
    "/store/forbidden.jpg": (403, ""),
    "/store/teapot.jpg": (418, ""),
    "/store/inside.jpg": (302, "http://localhost:{port}/inside"),
    "/store/metadata.jpg": (302, "http://169.254.169.254/latest/meta-data/"),
    "/store/file.jpg": (302, "file:///etc/passwd"),
    "/store/up.jpg": (302, "http://127.0.0.1:{port}/secret"),
    "/store/loop.jpg": (302, "http://127.0.0.1:{port}/store/loop.jpg"),
    "/store/page.jpg": (200, ""),
}
"""What the allowed storage answers: status and where to go next."""


def lan_address() -> str:
    """An address of this machine other than loopback; loopback if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def asked(bench: Bench, urls: list[str]) -> list[UUID]:
    """One job for each address, of a photo of its own."""
    assets = bench.query(
        "insert into assets (user_id, sha256) select %s, n::text from generate_series(1, %s) n returning id",
        *(bench.user, len(urls)),
    )
    jobs = [
        {"user_id": bench.user, "asset_id": asset["id"], "params": {"input_url": url}}
        for asset, url in zip(assets, urls, strict=True)
    ]
    return [UUID(one["id"]) for one in bench.database.worker.enqueue(JobTable.IMAGE, jobs)]


def check_refused(bench: Bench, jobs: list[UUID], urls: list[str]) -> None:
    """All ended at their first attempt, and no answer's text was kept."""
    rows = [bench.row(job, "image_processing_jobs") for job in jobs]
    wrong = {url: row["errors"] for url, row in zip(urls, rows, strict=True) if row["outcome"] != "invalid"}
    assert wrong == {}
    assert {row["attempt"] for row in rows} == {1}
    assert SECRET not in str(rows)


def test_no_address_leads_inside(bench: Bench, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")
    urls = [url.format(port=listener.port, lan=lan_address()) for url in OUTSIDE]
    jobs = asked(bench, urls)
    bench.drain(settings_for(bench.settings.home, fetch_allow=(STORE,)), only=("optimize",))
    check_refused(bench, jobs, urls)
    assert listener.hits == []


def test_an_allowed_storage_leads_nowhere_else(bench: Bench, listener: Listener) -> None:
    store = f"http://127.0.0.1:{listener.port}"
    urls = [store + path for path in ANSWERS]
    jobs = asked(bench, urls)
    bench.drain(settings_for(bench.settings.home, fetch_allow=(f"{store}/store/",)), only=("optimize",))
    check_refused(bench, jobs, urls)
    assert set(listener.hits) == set(ANSWERS), "nothing but the storage was asked"
