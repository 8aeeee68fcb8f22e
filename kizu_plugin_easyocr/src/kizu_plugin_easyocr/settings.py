"""What can be set from outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator


class EasyOcrSettings(BaseModel):
    """Read from the environment by the fields' aliases."""

    model_config = ConfigDict(frozen=True)

    languages: Annotated[
        tuple[str, ...],
        Field(
            alias="EASYOCR_LANGUAGES",
            min_length=1,
            description="EasyOCR's codes, with commas, of languages that one of its models reads together",
        ),
    ] = ("en",)

    @field_validator("languages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value
