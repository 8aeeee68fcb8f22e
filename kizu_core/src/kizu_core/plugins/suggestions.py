"""Which plugin to install for what, and the command that does it in this environment."""

from __future__ import annotations

import importlib.metadata as metadata
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from urllib.parse import unquote, urlsplit

from kizu_core.types import OPERATION_MODELS, ModelType

SUGGESTED: Mapping[str, str] = {
    "embedding": "kizu-plugin-clip",
    "faces": "kizu-plugin-insightface",
    "objects": "kizu-plugin-yolo",
    "ocr": "kizu-plugin-rapidocr",
    "describe": "kizu-plugin-florence",
}
"""Operation -> distribution that does it; an operation that is not here has no published plugin yet."""


def install_command(distribution: str) -> str:
    """The pip command for this Python. The names are not on any index, so it names a folder or wheel."""
    place = _beside_core(distribution)
    target = quote(str(place)) if place else f"PATH-OR-WHEEL-OF-{distribution}"
    return f"{quote(sys.executable)} -m pip install {target}"


def suggested(kind: ModelType) -> str | None:
    """The distribution to suggest to somebody who has no model of that kind."""
    return next((SUGGESTED.get(name) for name, model in OPERATION_MODELS.items() if model is kind), None)


def _beside_core(distribution: str) -> Path | None:
    """Where the plugin lies if it lies beside what core was installed from: a checkout or a folder of wheels."""
    recorded = metadata.distribution("kizu-core").read_text("direct_url.json")
    address = urlsplit(json.loads(recorded)["url"] if recorded else "")
    if address.scheme != "file":
        return None
    around = Path(unquote(address.path)).parent
    folder = distribution.replace("-", "_")
    candidates = [around / folder, around / "plugins" / folder, *sorted(around.glob(f"{folder}-*.whl"), reverse=True)]
    return next((place for place in candidates if place.exists()), None)
