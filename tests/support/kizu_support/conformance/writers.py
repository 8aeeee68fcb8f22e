"""Models that read text, and models that write captions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kizu_core import Caption, OcrSpec, Picture, TextSpan, VlmSpec, hookimpl
from kizu_support.conformance.fakes import Fake, all_of, but, by, declared

EACH = "test_there_is_a_result_for_each_picture"
PLACE = "test_corners_run_around_the_text_where_it_is"


class GoodReader(Fake):
    """Takes all dark ink on the ground of a drawn sign for the words."""

    text = "KIZU 2026"
    score: Any = 0.9

    def quad(self, left: float, top: float, right: float, bottom: float) -> Any:
        return ((left, top), (right, top), (right, bottom), (left, bottom))

    def read_text(self, pictures: Sequence[Picture]) -> Any:
        return [self.spans(picture.pixels) for picture in pictures]

    def spans(self, pixels: Any) -> Any:
        ink = pixels.max(axis=2) < 100
        if tuple(pixels[0, 0]) != (236, 230, 210) or not ink.any():
            return []
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        height, width = ink.shape
        ends = (columns[0] / width, rows[0] / height, columns[-1] / width, rows[-1] / height)
        return [TextSpan(text=self.text, score=self.score, quad=self.quad(*map(float, ends)))]


class Misreading(GoodReader):
    breaks = by("test_it_reads_a_plain_sign", "not 'KLZU2026'")
    text = "KLZU 2026"


class Blank(GoodReader):
    breaks = by(EACH, "A span holds text")
    text = " "


class Unsure(GoodReader):
    breaks = by(EACH, "a plain number from 0 to 1, not None")
    score = None


class QuadInPixels(GoodReader):
    breaks = by(EACH, "relative to the picture, 0 to 1")

    def quad(self, left: float, top: float, right: float, bottom: float) -> Any:
        return super().quad(left * 480, top * 360, right * 480, bottom * 360)


class TwoCorners(GoodReader):
    breaks = by(EACH, "four corners")

    def quad(self, left: float, top: float, right: float, bottom: float) -> Any:
        return ((left, top), (right, bottom))


class UpsideDown(GoodReader):
    breaks = by(PLACE, "in the upper half of a picture lies there")

    def quad(self, left: float, top: float, right: float, bottom: float) -> Any:
        return super().quad(left, 1 - bottom, right, 1 - top)


class Anticlockwise(GoodReader):
    breaks = by(PLACE, "clockwise from the text's own top left")

    def quad(self, left: float, top: float, right: float, bottom: float) -> Any:
        return super().quad(left, top, right, bottom)[::-1]


class SpeechlessSpans(GoodReader):
    breaks = by(EACH, "a TextSpan, not a str")

    def spans(self, pixels: Any) -> Any:
        return ["KIZU"]


class NoLanguage(GoodReader):
    breaks = by("test_languages_are_declared", "declares its `languages`")
    declares = but(languages=())


class GoodWriter(Fake):
    text: Any = "a picture"
    score: Any = None

    def describe(self, pictures: Sequence[Picture], *, task: str | None = None) -> Any:
        return [Caption(text=self.text, task=task or "caption", score=self.score) for _ in pictures]


class Wordless(GoodWriter):
    breaks = by(EACH, "says something")
    text = ""


class ScoreOfNumpy(GoodWriter):
    breaks = by(EACH, "a plain number from 0 to 1")
    score = np.float32(0.5)


class Stubborn(GoodWriter):
    breaks = by("test_every_task_works", "names the task that made it, 'detailed'")

    def describe(self, pictures: Sequence[Picture], *, task: str | None = None) -> Any:
        return super().describe(pictures)


class Bare(GoodWriter):
    breaks = by(EACH, "a Caption, not a str")

    def describe(self, pictures: Sequence[Picture], *, task: str | None = None) -> Any:
        return ["a picture" for _ in pictures]


class Taskless(GoodWriter):
    breaks = by("test_tasks_are_declared_once", "names each task once")
    declares = but(tasks=("caption", "caption"))


@hookimpl
def kizu_ocr_models() -> Iterable[OcrSpec]:
    usual = {"output_version": "1", "languages": ("en",)}
    return [OcrSpec(**{**usual, **declared(fake)}) for fake in all_of(GoodReader)]


@hookimpl
def kizu_vlms() -> Iterable[VlmSpec]:
    usual = {"output_version": "1", "tasks": ("caption", "detailed")}
    return [VlmSpec(**{**usual, **declared(fake)}) for fake in all_of(GoodWriter)]
