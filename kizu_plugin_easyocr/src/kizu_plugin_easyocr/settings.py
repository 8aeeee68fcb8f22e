"""What can be set from outside, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kizu_core import OcrSpec, WeightFile
from kizu_plugin_easyocr.languages import ENGLISH, Recogniser, readers, standard_codes
from kizu_plugin_easyocr.plugin import CRAFT, ENGLISH_G2, released


class EasyOcrSettings(BaseModel):
    """Read from the environment by the fields' aliases."""

    model_config = ConfigDict(frozen=True)

    languages: Annotated[
        tuple[str, ...],
        Field(
            alias="EASYOCR_LANGUAGES",
            min_length=1,
            description="languages to read, with commas, in EasyOCR's codes; scripts may be mixed",
        ),
    ] = ("en",)

    @field_validator("languages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def configure(spec: OcrSpec, settings: EasyOcrSettings, folder: Path) -> OcrSpec:
    """The model for the languages that are set: its files, its memory, and a version of its own for its results.

    Until a file of a new language is there, the model waits for it, and what was read before stays. Raises
    `SettingError` for a language that EasyOCR does not have.
    """
    chosen = [recogniser for recogniser, _ in readers(settings.languages)]
    grown = sum(one.megabytes for one in chosen) - ENGLISH.megabytes
    return replace(
        spec,
        weights=(CRAFT, *map(_weights, chosen)),
        languages=standard_codes(settings.languages),
        memory_mb=spec.memory_mb + max(0, round(grown)),
        output_version=f"craft-{'+'.join(sorted(set(settings.languages)))}-2",
    )


def _weights(recogniser: Recogniser) -> WeightFile:
    if recogniser is ENGLISH:
        return ENGLISH_G2
    return released(recogniser.file, recogniser.archive, round(recogniser.megabytes * 1e6))
