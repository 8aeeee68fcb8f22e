"""What this distribution brings."""

from __future__ import annotations

from collections.abc import Iterable

from kizu_core import EmbedderSpec, hookimpl


@hookimpl
def kizu_embedders() -> Iterable[EmbedderSpec]:
    return [
        EmbedderSpec(
            name="histogram",
            summary="similar colours; knows nothing of what a picture shows",
            factory="kizu_plugin_histogram.model:build",
            output_version="1",
            dim=64,
            space="histogram-rgb4",
        )
    ]
