"""What can be set from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Size = Literal["n", "s", "m", "l", "x"]


class YoloSettings(BaseModel):
    """Read from the environment by the fields' aliases."""

    model_config = ConfigDict(frozen=True)

    size: Annotated[
        Size, Field(alias="YOLO_SIZE", description="which of the official networks: n, s, m, l or x; larger sees more")
    ] = "m"
    weights: Annotated[
        Path | None,
        Field(alias="YOLO_WEIGHTS", description="a detector of one's own instead: .pt of ultralytics, or .onnx"),
    ] = None
