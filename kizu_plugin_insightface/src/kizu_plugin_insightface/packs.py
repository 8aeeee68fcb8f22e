"""Packs of InsightFace: which two files of them are used, where they come from, and what their licence asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kizu_core import WeightFile

CONSENT = "non-commercial research only"
LICENCE = "non-commercial research only (InsightFace model zoo)"
_RELEASE = "https://github.com/deepinsight/insightface/releases/download/v0.7"
_HOSTS = ("https://*.githubusercontent.com",)
_PUBLISHED = "published alike by several public projects (mirrors of the pack by ComfyUI and Immich users)"

_DET_10G = "5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91"
_W600K_R50 = "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43"


@dataclass(frozen=True, slots=True)
class Pack:
    """A detector and a recogniser. `recogniser` names the space: packs that share it share their vectors.

    A pack holds three more networks (landmarks, age), whose results nobody stores: they are neither fetched nor loaded.
    """

    recogniser: str
    memory_mb: int
    weights: tuple[WeightFile, WeightFile]


def _mirrored(name: str, size: int, sha256: str) -> WeightFile:
    """A file of buffalo_l by itself, from a mirror: the release has all five in one archive of 289 MB."""
    return WeightFile(
        name=name,
        source=f"hf:public-data/insightface@main/models/buffalo_l/{name}",
        bytes=size,
        licence=LICENCE,
        sha256=sha256,
        digest_source=_PUBLISHED,
        consent=CONSENT,
    )


def _released(pack: str, name: str, size: int) -> WeightFile:
    return WeightFile(
        name=name,
        source=f"{_RELEASE}/{pack}.zip#{name}",
        hosts=_HOSTS,
        bytes=size,
        exact=False,
        licence=LICENCE,
        consent=CONSENT,
    )


PACKS: Mapping[str, Pack] = {
    "buffalo_l": Pack(
        "w600k_r50",
        550,
        (
            _mirrored("det_10g.onnx", 16_923_827, "5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91"),
            _mirrored(
                "w600k_r50.onnx", 174_383_860, "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43"
            ),
        ),
    ),
    "buffalo_m": Pack(
        "w600k_r50",
        500,
        (_released("buffalo_m", "det_2.5g.onnx", 3_300_000), _released("buffalo_m", "w600k_r50.onnx", 174_000_000)),
    ),
    "buffalo_s": Pack(
        "w600k_mbf",
        250,
        (_released("buffalo_s", "det_500m.onnx", 2_500_000), _released("buffalo_s", "w600k_mbf.onnx", 13_600_000)),
    ),
}
