"""From what a plugin declares as the source of a file to an address, and to the hosts that may deliver it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from kizu_core.errors import FetchRefused, SettingError
from kizu_core.plugins.contract import DOWNLOAD_HOST
from kizu_core.plugins.specs import WeightFile
from kizu_core.settings import Settings

PACKAGE = "package:"
FILE = "file:"
BUNDLE = "bundle:"
_HUB = "hf:"
_LAN = "lan+"

_HUB_STORAGE = ("https://*.hf.co",)
"""The hub's own storage, whose names change with region and time (huggingface.co/.well-known/meta.json)."""


@dataclass(frozen=True, slots=True)
class Source:
    """`url`: what is asked for. `hosts`: the only ones that may answer, its own first, written as in the settings.

    `member`: the file is that one of the zip archive at `url`.
    """

    url: str
    hosts: tuple[str, ...]
    member: str | None = None

    def origin_of(self, url: str) -> str:
        """The allowed origin that `url` lies in. Raises `FetchRefused` naming what would have to be allowed."""
        origin = _origin(url)
        for host in self.hosts:
            if _covers(host, origin):
                return (_LAN if host.startswith(_LAN) else "") + origin
        raise FetchRefused(
            f"{self.hosts[0]} hands the download over to {origin}, which nobody allowed.",
            hint=f"If you trust that host for this file, run the same again with KIZU_MODEL_HOSTS={origin}",
        )


def source_of(weight: WeightFile, settings: Settings) -> Source | None:
    """Where `kizu models pull` gets the file; None if it comes in another way only. Raises `SettingError`."""
    if weight.source.startswith((PACKAGE, FILE, BUNDLE)):
        return None
    url, own = weight.source, _origin(weight.source)
    declared: Iterable[str] = weight.hosts
    if weight.source.startswith(_HUB):
        hub = settings.model_hub.rstrip("/")
        repository, _, inside = weight.source.removeprefix(_HUB).partition("@")
        revision, _, path = inside.partition("/")
        url, own = f"{hub.removeprefix(_LAN)}/{repository}/resolve/{revision}/{path}", hub
        if hub == type(settings).model_fields["model_hub"].default:
            declared = (*declared, *_HUB_STORAGE)
    hosts = (own, *declared, *settings.model_hosts)
    for host in hosts:
        if not DOWNLOAD_HOST.fullmatch(host):
            raise SettingError(
                f"{host!r} can't be a host of weights.",
                hint="Write https://name in KIZU_MODEL_HUB and KIZU_MODEL_HOSTS; http:// only for this machine.",
            )
    archive, _, member = url.partition("#")
    is_member = archive.endswith(".zip") and bool(member)
    return Source(archive if is_member else url, tuple(dict.fromkeys(hosts)), member if is_member else None)


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise FetchRefused(f"A source of weights is not a valid address: {error}.") from error
    return f"{parts.scheme}://{parts.netloc}"


def _covers(host: str, origin: str) -> bool:
    """Whether an allowed host, perhaps with `*.` for any names in front, stands for `origin`."""
    allowed = _origin(host.removeprefix(_LAN))
    before, star, after = allowed.partition("*")
    pattern = re.escape(before) + (r"\w[\w.-]*" if star else "") + re.escape(after)
    return re.fullmatch(pattern, origin, re.ASCII) is not None
