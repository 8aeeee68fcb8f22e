"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core import FaceClustererSpec, hookimpl


@hookimpl
def kizu_face_clusterers() -> Iterable[FaceClustererSpec]:
    return [
        FaceClustererSpec(
            name="hdbscan",
            summary="groups faces by density (HDBSCAN); slow beyond some ten thousand",
            factory="kizu_plugin_hdbscan.clusterer:build",
            output_version="1",
            requires=("hdbscan",),
            memory_mb=400,
            settings="kizu_plugin_hdbscan.settings:HdbscanSettings",
        )
    ]
