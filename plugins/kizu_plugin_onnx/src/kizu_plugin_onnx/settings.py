"""What can be set from outside: bundles that lie somewhere else than where `kizu models import` puts them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class OnnxSettings(BaseModel):
    """Read from the environment by the fields' aliases. Each folder holds a `bundle.json` and what it lists."""

    model_config = ConfigDict(frozen=True)

    clip: Annotated[Path | None, Field(alias="ONNX_CLIP", description="folder with an exported CLIP")] = None
    yolo: Annotated[Path | None, Field(alias="ONNX_YOLO", description="folder with an exported YOLO")] = None
    faces: Annotated[Path | None, Field(alias="ONNX_FACES", description="folder with an exported face pack")] = None
