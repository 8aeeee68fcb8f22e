"""The one HTTP client of Kizu: it talks to origins that the user named, and to no address that he did not mean.

Three checks, on every request and every redirect: the URL against the allow-list, the *resolved* address against
what that origin may reach, and the clock. The address that was checked is the one that is connected to, so a name
that resolves differently a moment later gains nothing. Proxies from the environment are ignored.
"""

from __future__ import annotations

import ipaddress
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import httpcore
import httpx

from kizu_core.errors import FetchRefused, SettingError
from kizu_core.privacy.addresses import Address, Reach, reach_of
from kizu_core.privacy.guard import permit, place

CONNECT_TIMEOUT_S = 5.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_LOCAL_SUFFIXES = (".local", ".lan", ".internal", ".home", ".home.arpa", ".localdomain")

Resolver = Callable[[str, int], Sequence[Address]]


@dataclass(frozen=True, slots=True)
class Origin:
    """An allowed place: requests must match scheme, host and port exactly and begin with `path`.

    `local`: may be on this machine or in its network. That is so for IP addresses and for names that only exist
    in local networks, and where the user wrote `lan+` in front; a public name that suddenly resolves to the
    machine's own network is an attack, not a storage.
    """

    scheme: str
    host: str
    port: int
    path: str
    local: bool

    def covers(self, url: httpx.URL) -> bool:
        """Whether `url` lies in this place."""
        there = (url.scheme, _host_of(url), url.port or _DEFAULT_PORTS.get(url.scheme))
        return there == (self.scheme, self.host, self.port) and _path_of(url).startswith(self.path)


def parse_origin(text: str) -> Origin:
    """`https://photos.example.org/storage/`, or `lan+https://...` for a public name in one's own network.

    Raises `SettingError`.
    """
    lan = text.startswith("lan+")
    try:
        url = httpx.URL(text.removeprefix("lan+").strip())
    except httpx.InvalidURL as error:
        raise SettingError(f"{text!r} is no web address: {error}.") from None
    host = _host_of(url)
    is_host = _as_address(host) is not None or _HOST_NAME.fullmatch(host) is not None
    if url.scheme not in _DEFAULT_PORTS or not is_host or url.userinfo or url.query or url.fragment:
        raise SettingError(
            f"{text!r} can't be an allowed storage address.",
            hint="Write scheme, host, port and path only, for example https://photos.example.org/storage/",
        )
    path = _path_of(url).removesuffix("/") + "/"
    return Origin(url.scheme, host, url.port or _DEFAULT_PORTS[url.scheme], path, lan or _is_local_name(host))


class Policy:
    """What may be reached. `resolve` finds the addresses of a host name; the system's resolver by default.
    `setting`: where the user would name another place.
    """

    def __init__(
        self, origins: Iterable[str], *, resolve: Resolver | None = None, setting: str = "KIZU_FETCH_ALLOW"
    ) -> None:
        self.setting = setting
        self.origins = tuple(parse_origin(text) for text in origins)
        self.resolve = resolve or resolve_by_system

    def check_url(self, url: httpx.URL) -> None:
        """Raises `FetchRefused` unless an allowed origin covers `url`."""
        if url.scheme not in _DEFAULT_PORTS or not url.host or url.userinfo:
            raise FetchRefused("Only plain http and https addresses are fetched.")
        if _is_devious(url):
            raise FetchRefused(f"The path of an address on {url.host} climbs or hides characters.")
        if not any(origin.covers(url) for origin in self.origins):
            raise FetchRefused(
                f"{url.scheme}://{url.host} is not an allowed storage.",
                hint=f"Add it to {self.setting} if the photos are yours and lie there.",
            )

    def addresses(self, host: str, port: int) -> Sequence[Address]:
        """The addresses of `host` that may be connected to. Raises `FetchRefused` if one of them may not."""
        name = _normal_host(host)
        may_be_local = any(o.local for o in self.origins if (o.host, o.port) == (name, port))
        literal = _as_address(name)
        found = [literal] if literal is not None else self.resolve(name, port)
        for address in found:
            reach = reach_of(address)
            if reach is Reach.NOWHERE or (reach is Reach.LOCAL and not may_be_local):
                raise FetchRefused(
                    f"{host} is an address inside a private network.",
                    hint=f"If it is a storage of yours, allow it as lan+https://... in {self.setting}.",
                )
        return found


def open_client(policy: Policy, *, total_s: float) -> httpx.Client:
    """A client under `policy` for one exchange of at most `total_s` seconds, redirects not followed.

    Raises `FetchRefused` from its request methods besides what httpx raises. To be closed by the caller.
    """
    transport = _GuardedTransport(policy, deadline=time.monotonic() + total_s)
    timeout = httpx.Timeout(total_s, connect=min(CONNECT_TIMEOUT_S, total_s))
    return httpx.Client(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False)


def resolve_by_system(host: str, port: int) -> Sequence[Address]:
    """All addresses that the system knows for `host`. Raises `OSError` if it knows none."""
    with permit(place(host, port)):
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(info[4][0]).split("%")[0]) for info in infos]


class _GuardedTransport(httpx.HTTPTransport):
    """httpx's own transport over a backend that checks addresses; each URL is checked before it is used."""

    def __init__(self, policy: Policy, deadline: float) -> None:
        super().__init__(trust_env=False)
        self._policy = policy
        # httpx has no parameter for it; httpcore, below, does.
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False), network_backend=_GuardedBackend(policy, deadline)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._policy.check_url(request.url)
        return super().handle_request(request)


class _GuardedBackend(httpcore.NetworkBackend):
    """Connects to the checked address. TLS and the Host header still see the name."""

    def __init__(self, policy: Policy, deadline: float) -> None:
        self._policy = policy
        self._deadline = deadline
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        limit = _left(self._deadline, timeout)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in _within(limit, lambda: self._policy.addresses(host, port)):
            try:
                with permit(place(address, port)):
                    stream = self._backend.connect_tcp(
                        str(address), port, _left(self._deadline, timeout), local_address, socket_options
                    )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Deadline(stream, self._deadline)
        raise failure

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _Deadline(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline, so that a byte a second can't hold it for ever."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout))
        return _Deadline(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time allowed for the whole exchange is over")
    return left if timeout is None else min(left, timeout)


def _within(limit: float, look_up: Callable[[], Sequence[Address]]) -> Sequence[Address]:
    """The result of `look_up`, or a timeout: the system's resolver itself can't be told to hurry."""
    answers: queue.Queue[Sequence[Address] | Exception] = queue.Queue()

    def run() -> None:
        try:
            answers.put(look_up())
        except Exception as error:  # noqa: BLE001 - carried to the thread that waits
            answers.put(error)

    threading.Thread(target=run, daemon=True, name="kizu-resolve").start()
    try:
        answer = answers.get(timeout=limit)
    except queue.Empty:
        raise httpcore.ConnectTimeout("the name could not be resolved in time") from None
    if isinstance(answer, OSError):
        raise httpcore.ConnectError(str(answer)) from answer
    if isinstance(answer, Exception):
        raise answer
    return answer


def _host_of(url: httpx.URL) -> str:
    return _normal_host(url.raw_host.decode("ascii"))


def _normal_host(host: str) -> str:
    return host.lower().removeprefix("[").removesuffix("]")


def _path_of(url: httpx.URL) -> str:
    return url.raw_path.decode("ascii").split("?", 1)[0]


def _is_devious(url: httpx.URL) -> bool:
    """Whether servers and we might read the path differently: encoded dots and slashes, backslashes, NUL."""
    path = _path_of(url)
    for _ in range(3):  # encoded once, twice, thrice
        if any(bad in path for bad in ("\\", "\x00", "\r", "\n")) or {".", ".."} & set(path.split("/")):
            return True
        path = unquote(path)
    return False


def _as_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_local_name(host: str) -> bool:
    return _as_address(host) is not None or "." not in host or host.endswith(_LOCAL_SUFFIXES)
