"""Originals that lie in a storage, not on a disk: downloaded under the rules of `privacy.http`."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

import httpx

from kizu_core.errors import DiskFull, FetchError, FetchFailed, FetchRefused, KizuError, SourceMissing
from kizu_core.privacy.http import Policy, open_client

MAX_BYTES = 100_000_000
MAX_REDIRECTS = 3
TOTAL_S = 20.0
MAX_RETRY_AFTER_S = 3600.0
BUSY = frozenset({408, 425, 429})
"""Answers after which the same request may succeed later, besides those of 500 and above."""


def fetch(url: str, dest: Path, policy: Policy, *, total_s: float = TOTAL_S, max_bytes: int = MAX_BYTES) -> Path:
    """Downloads `url` to `dest`, which has its name only once it is whole. Returns `dest`.

    Raises `FetchRefused` (not allowed, too large, compressed), `SourceMissing` (404, 410), `FetchFailed` (worth
    another try; `retry_after_s` if the storage said when), `FetchError` (any other answer), `DiskFull`.
    Messages name the host only: paths and queries may hold secrets, and answers may hold anything.
    """
    part = dest.with_name(dest.name + ".part")
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise FetchRefused("The address of the photo is not a valid one.") from None
    try:
        with (
            network_errors(target.host),
            open_client(policy, total_s=total_s) as client,
            _following(client, target) as response,
        ):
            _save(response, part, max_bytes)
        part.replace(dest)
    finally:
        part.unlink(missing_ok=True)
    return dest


@contextlib.contextmanager
def _following(client: httpx.Client, url: httpx.URL) -> Iterator[httpx.Response]:
    """The answer at the end of at most three redirects, each of them checked like a first address."""
    for _ in range(MAX_REDIRECTS + 1):
        with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            if not response.has_redirect_location:
                _check_status(response)
                yield response
                return
            url = url.join(response.headers["Location"])
    raise FetchRefused(f"{url.host} redirects more than {MAX_REDIRECTS} times.")


def _check_status(response: httpx.Response) -> None:
    status, host = response.status_code, response.url.host
    if status in (404, 410):
        raise SourceMissing(f"The photo is not on {host} any more ({status}).")
    if status in BUSY or status >= 500:
        raise FetchFailed(f"{host} can't deliver now ({status}).", retry_after_s=retry_after(response))
    if status != 200:
        raise FetchError(f"{host} does not hand the photo out ({status}).", hint="Has the address expired?")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchRefused(f"{host} sent the photo compressed, although it was asked not to.")


def retry_after(response: httpx.Response) -> float | None:
    """How many seconds the server asks to be left alone, at most an hour; None if it does not say."""
    seconds = response.headers.get("Retry-After", "").strip()
    return min(float(seconds), MAX_RETRY_AFTER_S) if seconds.isascii() and seconds.isdigit() else None


def _save(response: httpx.Response, part: Path, max_bytes: int) -> None:
    """Counts what arrives; what the server says about its length is not believed."""
    received = 0
    with part.open("wb") as file:
        for chunk in response.iter_raw(1 << 16):
            received += len(chunk)
            if received > max_bytes:
                raise FetchRefused(f"The photo on {response.url.host} is larger than {max_bytes // 1_000_000} MB.")
            file.write(chunk)


@contextlib.contextmanager
def network_errors(host: str) -> Iterator[None]:
    """What httpx and the disk raise during a download from `host`, as errors of ours."""
    try:
        yield
    except KizuError:
        raise
    except httpx.TimeoutException:
        raise FetchFailed(f"{host} took too long.") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise FetchRefused(f"{host} redirects to an address that is not a valid one.") from None
    except httpx.HTTPError as error:
        raise FetchFailed(f"{host} can't be reached or broke off ({type(error).__name__}).") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull("No space is left for the download.", hint="Free some space, then run again.") from error
        raise FetchFailed(f"The download from {host} can't be written: {error.strerror}.") from error
