"""One file from one declared place, however often the connection breaks: what has arrived is kept and continued.

The file grows under a name of its own (`.part`), with what the server said of its version beside it (`.part.json`).
Nothing here judges what arrived but its size: that is `store.accept`, before anything opens it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import httpx

from kizu_core.errors import FetchError, FetchFailed, FetchRefused, SourceMissing
from kizu_core.media.fetch import BUSY, network_errors, retry_after
from kizu_core.models.manifest import write_private
from kizu_core.models.sources import Source
from kizu_core.privacy.http import CONNECT_TIMEOUT_S, Policy, open_client

TOTAL_S = 24 * 3600.0
STALL_S = 60.0
"""A connection that gives nothing for so long is taken for broken."""

MAX_REDIRECTS = 5
TRIES = 5
"""Attempts in a row that bring nothing before it is given up; each byte that arrives starts the count anew."""

PATIENCE_S = 120.0
"""The longest pause that a server may ask for; one that asks for more is left to the user."""


OnBytes = Callable[[int, int], None]
"""Gets how much of a file is there, and how much it is in all."""


@dataclass(frozen=True, slots=True)
class Span:
    """How many bytes a file may have. Where that is not one number, the server must say it before."""

    least: int
    most: int

    def __contains__(self, size: int) -> bool:
        return self.least <= size <= self.most

    def __str__(self) -> str:
        return f"{self.least:,}" if self.least == self.most else f"{self.least:,} to {self.most:,}"


def download(source: Source, span: Span, part: Path, on_bytes: OnBytes) -> None:
    """Brings `part` to its full size, which must lie in `span`, going on where an earlier call stopped.

    Raises `FetchRefused` (a host that nobody allowed, another size), `SourceMissing`, `FetchError` (other answers that
    stay), `FetchFailed` (given up; what arrived is kept), `DiskFull`.
    """
    failures = 0
    while (before := _size(part)) != _full_size(part, source, span):
        try:
            with network_errors(source.hosts[0]):
                _continue(source, span, part, on_bytes)
        except FetchFailed as error:
            failures = 1 if _size(part) > before else failures + 1
            pause = error.retry_after_s or 2.0 ** (failures - 1)
            if failures >= TRIES or pause > PATIENCE_S:
                raise _given_up(error) from error
            sleep(pause)


def discard(part: Path) -> None:
    """Removes what has arrived."""
    part.unlink(missing_ok=True)
    _note_of(part).unlink(missing_ok=True)


def _given_up(error: FetchFailed) -> FetchFailed:
    later = f" in {error.retry_after_s:.0f} seconds" if error.retry_after_s else ""
    return FetchFailed(error.message, hint=f"Run the same again{later}; what has arrived is kept.")


def _continue(source: Source, span: Span, part: Path, on_bytes: OnBytes) -> None:
    """One exchange: appends to what is there if the server still has that very file, else begins anew."""
    there, version, size = _size(part), _version_of(part, source), _full_size(part, source, span)
    if size is None or there > size or (there and version is None):
        discard(part)
        there = 0
    wanted = {"Range": f"bytes={there}-", "If-Range": version} if there and version else {}
    with _answer(source, wanted) as response:
        if response.status_code == 416:  # the server has less than what is here
            discard(part)
        _check_status(response)
        if response.status_code == 206 and not _continues(response, there, size or 0, version):
            discard(part)
            raise FetchFailed(f"{response.url.host} does not continue the file as it began it.")
        if response.status_code == 200:
            discard(part)
            size = _told_size(response, span)
            note = {"url": source.url, "version": _version(response), "bytes": size}
            write_private(_note_of(part), json.dumps(note))
        _append(response, part, size or 0, on_bytes)


@contextmanager
def _answer(source: Source, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
    """The answer at the end of the redirects. Each hop has a client that can reach that one allowed host only."""
    url = source.url
    timeout = httpx.Timeout(STALL_S, connect=CONNECT_TIMEOUT_S)
    for _ in range(MAX_REDIRECTS + 1):
        policy = Policy([source.origin_of(url)], setting="KIZU_MODEL_HOSTS")
        with (
            open_client(policy, total_s=TOTAL_S) as client,
            client.stream("GET", url, headers={"Accept-Encoding": "identity", **headers}, timeout=timeout) as response,
        ):
            if not response.has_redirect_location:
                yield response
                return
            url = str(response.url.join(response.headers["Location"]))
    raise FetchRefused(f"{source.hosts[0]} redirects more than {MAX_REDIRECTS} times.")


def _check_status(response: httpx.Response) -> None:
    status, host = response.status_code, response.url.host
    if status in (401, 403):
        raise FetchError(
            f"{host} gives the file only to those who signed in there ({status}).",
            hint="Accept its terms and download it in your browser, then: kizu models import FILE",
        )
    if status in (404, 410):
        raise SourceMissing(f"The file is not on {host} ({status}).", hint="Is there a newer version of the plugin?")
    if status in BUSY or status >= 500:
        raise FetchFailed(f"{host} can't deliver now ({status}).", retry_after_s=retry_after(response))
    if status == 416:
        raise FetchFailed(f"{host} has less of the file than was here already.")
    if status not in (200, 206):
        raise FetchError(f"{host} does not hand the file out ({status}).")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchRefused(f"{host} sent the file compressed, although it was asked not to.")


def _told_size(response: httpx.Response, span: Span) -> int:
    """How large the file is. Refuses one of another size before it is fetched.

    A server may say nothing of it where the plugin did.
    """
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit():
        if int(length) not in span:
            raise _other_size(response, int(length), span)
        return int(length)
    if span.least != span.most:
        raise FetchRefused(f"{response.url.host} does not say how large the file is; it was not fetched.")
    return span.least


def _continues(response: httpx.Response, there: int, size: int, version: str | None) -> bool:
    """Whether a partial answer is the rest of the file that is here, by range and by version."""
    expected = f"bytes {there}-{size - 1}/{size}"
    return response.headers.get("Content-Range") == expected and _version(response) in (version, None)


def _append(response: httpx.Response, part: Path, size: int, on_bytes: OnBytes) -> None:
    """Counts what arrives; what the server says of its length is not believed."""
    part.touch(mode=0o600)
    with part.open("ab") as file:
        for chunk in response.iter_raw():
            if file.tell() + len(chunk) > size:
                file.close()
                discard(part)
                raise _other_size(response, None, Span(size, size))
            file.write(chunk)
            on_bytes(file.tell(), size)
        got = file.tell()
    if got != size:  # a connection that broke raised before: this is all that the server has
        discard(part)
        raise _other_size(response, got, Span(size, size))


def _other_size(response: httpx.Response, length: int | None, span: Span) -> FetchRefused:
    has = "more" if length is None else f"{length:,}"
    return FetchRefused(
        f"The file on {response.url.host} has {has} bytes instead of {span}; it was not kept.",
        hint="It is another file than the plugin was made for. Is there a newer version of the plugin?",
    )


def _version(response: httpx.Response) -> str | None:
    """What names this very content in `If-Range`: a strong ETag, else the time of its last change."""
    etag = str(response.headers.get("ETag", ""))
    if etag and not etag.startswith("W/"):
        return etag
    changed: str | None = response.headers.get("Last-Modified")
    return changed


def _version_of(part: Path, source: Source) -> str | None:
    """The version of which `part` holds the beginning; None if that is not known or it is from elsewhere."""
    version = _note(part, source).get("version")
    return version if isinstance(version, str) else None


def _full_size(part: Path, source: Source, span: Span) -> int | None:
    """How large the file is to become; None if that is not known yet."""
    if span.least == span.most:
        return span.least
    size = _note(part, source).get("bytes")
    return size if isinstance(size, int) and size in span else None


def _note(part: Path, source: Source) -> dict[str, object]:
    """What was said of the file whose beginning is here; nothing if it is from elsewhere."""
    try:
        note = json.loads(_note_of(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) and note.get("url") == source.url else {}


def _note_of(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0
