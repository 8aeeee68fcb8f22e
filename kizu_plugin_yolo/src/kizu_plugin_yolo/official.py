"""The five official networks: files, sizes, memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kizu_core import WeightFile

LICENCE = "AGPL-3.0 (or a licence bought from Ultralytics)"
_READ = "the hub's own record of that file (Git LFS), as quoted by public projects"
_RELEASE = "https://github.com/ultralytics/assets/releases/download/v8.3.0"
_RELEASE_HOSTS = ("https://*.githubusercontent.com",)


@dataclass(frozen=True, slots=True)
class Official:
    """`memory_mb`: resident once loaded and used, with torch."""

    size: str
    memory_mb: int
    weight: WeightFile

    @property
    def summary(self) -> str:
        return f"80 kinds of everyday things (YOLOv8{self.size}, AGPL-3.0)"

    @property
    def output_version(self) -> str:
        """Results of another size are stale."""
        return f"yolov8{self.size}-1"


def _on_hub(size: str, length: int, sha256: str) -> WeightFile:
    name = f"yolov8{size}.pt"
    source = f"hf:Ultralytics/YOLOv8@main/{name}"
    return WeightFile(name=name, source=source, bytes=length, licence=LICENCE, sha256=sha256, digest_source=_READ)


def _released(size: str, length: int) -> WeightFile:
    """No digest of these was found in a citable place: theirs is recorded when they first come."""
    name = f"yolov8{size}.pt"
    return WeightFile(
        name=name, source=f"{_RELEASE}/{name}", hosts=_RELEASE_HOSTS, bytes=length, exact=False, licence=LICENCE
    )


_N = _on_hub("n", 6_534_387, "31e20dde3def09e2cf938c7be6fe23d9150bbbe503982af13345706515f2ef95")
_S = _on_hub("s", 22_573_363, "268e5bb54c640c96c3510224833bc2eeacab4135c6deb41502156e39986b562d")
_M = _on_hub("m", 52_117_635, "6c25b0b63b1a433843f06d821a9ac1deb8d5805f74f0f38772c7308c5adc55a5")

OFFICIAL: Mapping[str, Official] = {
    "n": Official("n", 500, _N),
    "s": Official("s", 550, _S),
    "m": Official("m", 700, _M),
    "l": Official("l", 850, _released("l", 87_800_000)),
    "x": Official("x", 1100, _released("x", 136_800_000)),
}
