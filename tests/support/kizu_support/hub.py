"""A model hub on this machine: a real HTTP server that delivers files as hubs do, and misbehaves as they do.

It knows ranges, `If-Range`, ETags, and hands downloads over to a second server on another port as hubs hand them to
their storage. What it is to do wrong is set on `Hub.files[path]` or `Hub`.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_RANGE = re.compile(r"bytes=(\d+)-")


@dataclass
class HubFile:
    """One file and how it is delivered.

    `cut_at`: the connection breaks after so many bytes of the file, once for each entry. `answers`: statuses given
    before the file is (with `retry_after`). `redirect`: to this address instead. `pause_s`: between pieces of `piece`
    bytes. `ranges`: whether partial answers are given. `etag`: made of the content if empty, none if None.
    """

    content: bytes
    etag: str | None = ""
    ranges: bool = True
    cut_at: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    retry_after: int | None = None
    redirect: str | None = None
    pause_s: float = 0.0
    piece: int = 1 << 16
    length: bool = True

    @property
    def tag(self) -> str | None:
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"' if self.etag == "" else self.etag


@dataclass
class Hub:
    """A running server: `files` by path, `requests` as (path, Range) in the order in which they came."""

    server: ThreadingHTTPServer
    files: dict[str, HubFile] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def put(self, path: str, content: bytes, **ways: Any) -> HubFile:
        """Serves `content` at `path`; see `HubFile` for the ways."""
        self.files[path] = HubFile(content, **ways)
        return self.files[path]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """One request from beginning to end."""
        path, wanted = handler.path.split("?")[0], handler.headers.get("Range")
        self.requests.append((path, wanted))
        file = self.files.get(path)
        if file is None or file.answers:
            _refuse(handler, file.answers.pop(0) if file else 404, file.retry_after if file else None)
        elif file.redirect:
            handler.send_response(302)
            handler.send_header("Location", file.redirect)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        else:
            _deliver(handler, file, wanted)


def _refuse(handler: BaseHTTPRequestHandler, status: int, retry_after: int | None) -> None:
    handler.send_response(status)
    if retry_after is not None:
        handler.send_header("Retry-After", str(retry_after))
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def _deliver(handler: BaseHTTPRequestHandler, file: HubFile, wanted: str | None) -> None:
    start = _start(handler, file, wanted)
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(file.content) - 1}/{len(file.content)}")
    if file.tag is not None:
        handler.send_header("ETag", file.tag)
    if file.length:
        handler.send_header("Content-Length", str(len(file.content) - start))
    else:
        handler.close_connection = True
    handler.end_headers()
    end = file.cut_at.pop(0) if file.cut_at else len(file.content)
    for at in range(start, end, file.piece):
        handler.wfile.write(file.content[at : min(at + file.piece, end)])
        handler.wfile.flush()
        time.sleep(file.pause_s)
    if end < len(file.content):
        handler.close_connection = True


def _start(handler: BaseHTTPRequestHandler, file: HubFile, wanted: str | None) -> int:
    """The byte to begin with: 0 unless the range asked for is of this very version."""
    found = _RANGE.fullmatch(wanted or "")
    if not found or not file.ranges or handler.headers.get("If-Range") not in (file.tag, None):
        return 0
    return int(found[1])


@contextlib.contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with contextlib.suppress(OSError):  # the client hung up, which is what several tests are about
                hub.answer(self)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up is no trouble of the hub."""

    server = Server(("127.0.0.1", 0), Handler)
    hub = Hub(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
