"""What can be set from outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ClipSettings(BaseModel):
    """Read from the environment by the fields' aliases."""

    model_config = ConfigDict(frozen=True)

    model: Annotated[
        str,
        Field(
            alias="CLIP_MODEL",
            min_length=1,
            description="an architecture of OpenCLIP, or a folder with open_clip_config.json and its weights",
        ),
    ] = "ViT-B-32"
    pretrained: Annotated[
        str,
        Field(alias="CLIP_PRETRAINED", min_length=1, description="which of the architecture's published weights"),
    ] = "openai"
    languages: Annotated[
        tuple[str, ...],
        Field(
            alias="CLIP_LANGUAGES",
            description="languages of queries that a model in a folder understands, with commas, as ISO codes",
        ),
    ] = ("en",)

    @field_validator("languages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value
