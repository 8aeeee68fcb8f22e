"""What can be set from outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class InsightFaceSettings(BaseModel):
    """Read from the environment by the fields' aliases."""

    model_config = ConfigDict(frozen=True)

    pack: Annotated[
        str,
        Field(
            alias="FACE_MODEL_NAME",
            min_length=1,
            description="a pack of InsightFace: buffalo_l, buffalo_m, buffalo_s, or a folder with one's own",
        ),
    ] = "buffalo_l"
