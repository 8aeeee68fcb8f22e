"""Downloads from a real server on this machine: every way in which a storage can misbehave."""

from __future__ import annotations

import contextlib
import gzip
import ipaddress
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kizu_core.errors import DiskFull, FetchError, FetchFailed, FetchRefused, SourceMissing
from kizu_core.media.fetch import fetch
from kizu_core.privacy.addresses import Address
from kizu_core.privacy.http import Policy

PICTURE = os.urandom(200_000)
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Storage:
    """A server; `answers` by path, `hits` counts what reached it."""

    server: ThreadingHTTPServer
    answers: dict[str, Answer] = field(default_factory=dict)
    hits: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def policy(self) -> Policy:
        return Policy([self.url])


@pytest.fixture
def storage() -> Iterator[Storage]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.hits.append(self.path)
            with contextlib.suppress(OSError):  # the client hung up, which is what several tests are about
                here.answers.get(self.path.split("?")[0], picture)(self)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here = Storage(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


def reply(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


picture = reply(200, PICTURE)


def test_a_picture_arrives_whole(storage: Storage, tmp_path: Path) -> None:
    path = fetch(f"{storage.url}/a.jpg?token=secret", tmp_path / "a.jpg", storage.policy())
    assert path.read_bytes() == PICTURE
    assert [one.name for one in tmp_path.iterdir()] == ["a.jpg"]


def test_proxies_of_the_environment_are_ignored(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetch(f"{storage.url}/a.jpg", tmp_path / "a.jpg", storage.policy()).stat().st_size == len(PICTURE)


@pytest.mark.parametrize(
    ("status", "error", "retryable"),
    [
        (404, SourceMissing, False),
        (410, SourceMissing, False),
        (403, FetchError, False),
        (204, FetchError, False),
        (408, FetchFailed, True),
        (429, FetchFailed, True),
        (500, FetchFailed, True),
        (503, FetchFailed, True),
    ],
)
def test_status(storage: Storage, tmp_path: Path, status: int, error: type[FetchError], retryable: bool) -> None:
    storage.answers["/a.jpg"] = reply(status, b"" if status == 204 else b"body with a secret", Retry_After="7")
    with pytest.raises(error) as caught:
        fetch(f"{storage.url}/a.jpg?token=hidden", tmp_path / "a.jpg", storage.policy())
    assert type(caught.value) is error
    assert caught.value.retryable is retryable
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert not list(tmp_path.iterdir())
    if isinstance(caught.value, FetchFailed):
        assert caught.value.retry_after_s == 7


@pytest.mark.parametrize("wish", ["Wed, 21 Oct 2026 07:28:00 GMT", "-5", "soon"])
def test_a_retry_after_that_is_no_number_of_seconds(storage: Storage, tmp_path: Path, wish: str) -> None:
    storage.answers["/a.jpg"] = reply(503, Retry_After=wish)
    with pytest.raises(FetchFailed) as caught:
        fetch(f"{storage.url}/a.jpg", tmp_path / "a.jpg", storage.policy())
    assert caught.value.retry_after_s is None


def test_redirects_inside_the_storage(storage: Storage, tmp_path: Path) -> None:
    for number in range(3):
        storage.answers[f"/{number}"] = reply(302, Location=f"/{number + 1}")
    assert fetch(f"{storage.url}/0", tmp_path / "a.jpg", storage.policy()).read_bytes() == PICTURE
    storage.answers["/3"] = reply(302, Location="/4")
    with pytest.raises(FetchRefused, match="more than 3"):
        fetch(f"{storage.url}/0", tmp_path / "b.jpg", storage.policy())
    assert "/4" not in storage.hits


@pytest.mark.parametrize(
    "target",
    ["http://localhost:{port}/in", "http://127.0.0.2:{port}/in", "file:///etc/passwd", "http://[::1", "ftp://x/"],
)
def test_redirects_out_of_the_storage_are_refused(storage: Storage, tmp_path: Path, target: str) -> None:
    storage.answers["/a.jpg"] = reply(302, Location=target.format(port=storage.port))
    with pytest.raises(FetchError):
        fetch(f"{storage.url}/a.jpg", tmp_path / "a.jpg", storage.policy())
    assert storage.hits == ["/a.jpg"]


def test_a_name_that_changes_its_address_reaches_nothing_inside(storage: Storage, tmp_path: Path) -> None:
    def resolve(host: str, port: int) -> Sequence[Address]:
        return [ipaddress.ip_address("127.0.0.1")]

    policy = Policy([f"http://photos.example:{storage.port}/"], resolve=resolve)
    with pytest.raises(FetchRefused, match="private network"):
        fetch(f"http://photos.example:{storage.port}/a.jpg", tmp_path / "a.jpg", policy)
    assert storage.hits == []


def test_the_address_checked_is_the_one_connected_to(storage: Storage, tmp_path: Path) -> None:
    asked = []

    def resolve(host: str, port: int) -> Sequence[Address]:
        asked.append(host)
        return [ipaddress.ip_address("127.0.0.1")]

    hosts: list[str | None] = []

    def note_host(request: BaseHTTPRequestHandler) -> None:
        hosts.append(request.headers["Host"])
        picture(request)

    storage.answers["/a.jpg"] = note_host
    policy = Policy([f"http://nas.local:{storage.port}/"], resolve=resolve)
    fetch(f"http://nas.local:{storage.port}/a.jpg", tmp_path / "a.jpg", policy)
    assert asked == ["nas.local"]
    assert hosts == [f"nas.local:{storage.port}"]


def test_an_endless_body_is_cut_off(storage: Storage, tmp_path: Path) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(bytes(65536))

    storage.answers["/a.jpg"] = endless
    with pytest.raises(FetchRefused, match="larger than 1 MB"):
        fetch(f"{storage.url}/a.jpg", tmp_path / "a.jpg", storage.policy(), max_bytes=1_000_000)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_byte_now_and_then_does_not_hold_the_worker(storage: Storage, tmp_path: Path, part: str) -> None:
    over = threading.Event()

    def slow(request: BaseHTTPRequestHandler) -> None:
        if part == "body":
            request.send_response(200)
            request.end_headers()
        while not over.wait(0.05):
            request.wfile.write(b"x")

    storage.answers["/a.jpg"] = slow
    started = time.monotonic()
    with pytest.raises(FetchFailed, match="took too long"):
        fetch(f"{storage.url}/a.jpg", tmp_path / "a.jpg", storage.policy(), total_s=0.5)
    over.set()
    assert time.monotonic() - started < 20
    assert not list(tmp_path.iterdir())


def test_a_resolver_that_hangs_does_not_hold_the_worker(tmp_path: Path) -> None:
    over = threading.Event()

    def resolve(host: str, port: int) -> Sequence[Address]:
        over.wait(20)
        return []

    with pytest.raises(FetchFailed, match="took too long"):
        fetch("http://nas.local/a.jpg", tmp_path / "a.jpg", Policy(["http://nas.local/"], resolve=resolve), total_s=0.3)
    over.set()


def test_a_compressed_answer_is_refused(storage: Storage, tmp_path: Path) -> None:
    storage.answers["/a.jpg"] = reply(200, gzip.compress(bytes(1_000_000)), Content_Encoding="gzip")
    with pytest.raises(FetchRefused, match="compressed"):
        fetch(f"{storage.url}/a.jpg", tmp_path / "a.jpg", storage.policy())


def test_a_body_that_breaks_off_is_worth_another_try(storage: Storage, tmp_path: Path) -> None:
    storage.answers["/a.jpg"] = reply(200, b"half", Content_Length="1000")
    with pytest.raises(FetchFailed, match="broke off"):
        fetch(f"{storage.url}/a.jpg", tmp_path / "a.jpg", storage.policy())
    assert not list(tmp_path.iterdir())


def test_nobody_there(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with pytest.raises(FetchFailed, match="can't be reached"):
        fetch(url + "a.jpg", tmp_path / "a.jpg", Policy([url]))


def test_a_full_disk(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "a.jpg.part").symlink_to("/dev/full")
    with pytest.raises(DiskFull):
        fetch(f"{storage.url}/a.jpg", tmp_path / "a.jpg", storage.policy())


@pytest.mark.parametrize("url", ["", "not a url", "http://[", "http://", "file:///etc/passwd", "http://x:99999999/"])
def test_an_address_that_is_none(tmp_path: Path, url: str) -> None:
    with pytest.raises(FetchRefused):
        fetch(url, tmp_path / "a.jpg", Policy(["http://127.0.0.1/"]))
