"""The suites of the kinds of model that look at pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from kizu_core.plugins.specs import DetectorSpec, EmbedderSpec, FaceModelSpec, OcrSpec, VlmSpec
from kizu_core.testing.expect import expect, is_share, same
from kizu_core.testing.model import PictureModelConformance, Seen, Spec
from kizu_core.testing.pictures import sign
from kizu_core.types import Box, Caption, Detection, Face, ModelType, Picture, TextSpan

ODD_TEXTS = ("", " ", "a" * 5_000, "Grüße, 你好, 🐶", "line\nline")


def check_vectors(vectors: Any, count: int, dim: int) -> None:
    """(count, dim) float32, finite, each row of unit length."""
    expect(isinstance(vectors, np.ndarray), f"Vectors are one numpy array, not a {type(vectors).__name__}.")
    expect(vectors.dtype == np.float32, f"Vectors are float32, not {vectors.dtype}.")
    expect(
        vectors.shape == (count, dim),
        f"{count} inputs give the shape ({count}, {dim}), with the dim of the spec, not {vectors.shape}.",
    )
    expect(np.isfinite(vectors).all(), "The numbers of a vector are finite.")
    lengths = np.linalg.norm(vectors, axis=1)
    expect(np.allclose(lengths, 1, atol=1e-3), f"Each vector has unit length, not {lengths.tolist()}.")


def check_box(box: Any) -> None:
    """Relative to the upright picture, and not empty."""
    expect(isinstance(box, Box), f"A place is a Box, not a {type(box).__name__}.")
    expect(
        all(is_share(value) for value in (box.left, box.top, box.right, box.bottom)),
        f"A box is relative to the picture, 0 to 1, in plain numbers: {box}.",
    )
    expect(box.left < box.right and box.top < box.bottom, f"A box has left < right and top < bottom: {box}.")


def check_score(score: Any) -> None:
    """How sure, 0 to 1."""
    expect(is_share(score), f"A score is a plain number from 0 to 1, not {score!r}.")


class _Finding(PictureModelConformance[Spec]):
    """Kinds whose result for a picture is a sequence of things found in it."""

    def test_something_is_found(self, seen: Seen) -> None:
        expect(
            any(len(found) for found in seen.results),
            "Something is found in one of `pictures`, or nothing of what it finds was checked: "
            "return pictures from `pictures` that show what the model looks for.",
        )


class EmbedderConformance(PictureModelConformance[EmbedderSpec]):
    """What Kizu asks of an embedder. See `kizu_core.Embedder`."""

    kind: ModelType = ModelType.EMBEDDER
    texts: Sequence[str] = ("a photo of a dog", "red", "two people at the sea in the evening")

    def look(self, model: Any, pictures: Sequence[Picture]) -> Any:
        """Vectors of pictures."""
        return model.embed_images(pictures)

    def check(self, value: Any, spec: EmbedderSpec) -> None:
        """One vector."""
        check_vectors(np.asarray(value)[None], 1, spec.dim)

    def test_vectors_are_a_matrix_of_unit_rows(self, seen: Seen, spec: EmbedderSpec) -> None:
        check_vectors(seen.results, len(seen.pictures), spec.dim)

    def test_an_empty_batch_keeps_the_shape(self, loaded: Any, spec: EmbedderSpec) -> None:
        check_vectors(self.look(loaded, []), 0, spec.dim)

    def test_different_pictures_get_different_vectors(self, seen: Seen) -> None:
        first, *others = seen.results
        expect(not all(same(first, one, 1e-6) for one in others), "Pictures that differ get vectors that differ.")

    def test_languages_are_those_of_its_text_side(self, loaded: Any, spec: EmbedderSpec) -> None:
        if has_text_side(loaded):
            expect(spec.languages, "An embedder of texts declares `languages`: a query in another one finds nothing.")
        else:
            expect(not spec.languages, "An embedder without a text side has no `languages`.")

    def test_texts_get_vectors_of_the_same_space(self, text_side: Any, spec: EmbedderSpec) -> None:
        vectors = text_side.embed_texts(self.texts)
        check_vectors(vectors, len(self.texts), spec.dim)
        expect(not same(vectors[0], vectors[1], 1e-6), "Texts that differ get vectors that differ.")
        check_vectors(text_side.embed_texts([]), 0, spec.dim)

    def test_a_batch_of_texts_is_the_same_as_each_alone(self, text_side: Any) -> None:
        together = text_side.embed_texts(self.texts)
        alone = np.concatenate([text_side.embed_texts([text]) for text in self.texts])
        expect(same(together, alone, self.tolerance), "A text's vector does not depend on the rest of its batch.")

    def test_odd_texts_do_no_harm(self, text_side: Any, spec: EmbedderSpec) -> None:
        check_vectors(text_side.embed_texts(ODD_TEXTS), len(ODD_TEXTS), spec.dim)

    @pytest.fixture(scope="class")
    @classmethod
    def text_side(cls, loaded: Any) -> Any:
        """The model, if it embeds texts."""
        if not has_text_side(loaded):
            pytest.skip("this embedder has no text side")
        return loaded


def has_text_side(model: Any) -> bool:
    """Whether an embedder embeds texts; one that doesn't raises `NotImplementedError`."""
    try:
        model.embed_texts(["a photo"])
    except NotImplementedError:
        return False
    return True


class DetectorConformance(_Finding[DetectorSpec]):
    """What Kizu asks of a detector. See `kizu_core.Detector`."""

    kind: ModelType = ModelType.DETECTOR

    def look(self, model: Any, pictures: Sequence[Picture]) -> Any:
        """Objects of pictures."""
        return model.detect(pictures)

    def check(self, value: Any, spec: DetectorSpec) -> None:
        """Objects of one picture."""
        for found in value:
            expect(isinstance(found, Detection), f"An object is a Detection, not a {type(found).__name__}.")
            expect(found.label in spec.labels, f"The spec's `labels` name every label; {found.label!r} is not there.")
            check_score(found.score)
            check_box(found.box)

    def test_labels_are_declared_once(self, spec: DetectorSpec) -> None:
        expect(spec.labels, "A detector declares its `labels`.")
        expect(len(set(spec.labels)) == len(spec.labels), "No label is declared twice.")


class FaceModelConformance(_Finding[FaceModelSpec]):
    """What Kizu asks of a face model. See `kizu_core.FaceModel`. The drawn pictures show no face: give your own."""

    kind: ModelType = ModelType.FACE_MODEL

    def look(self, model: Any, pictures: Sequence[Picture]) -> Any:
        """Faces of pictures."""
        return model.find_faces(pictures)

    def check(self, value: Any, spec: FaceModelSpec) -> None:
        """Faces of one picture."""
        for face in value:
            expect(isinstance(face, Face), f"A face is a Face, not a {type(face).__name__}.")
            check_score(face.score)
            check_box(face.box)
            check_keypoints(face.keypoints)
            check_vectors(np.asarray(face.vector)[None], 1, spec.dim)


def check_keypoints(points: Any) -> None:
    """Five relative points. One of a face at the edge may lie outside of the picture, by no more than its half."""
    expect(len(points) == 5, f"A face has five keypoints: eyes, nose, mouth corners; not {len(points)}.")
    expect(
        all(-0.5 <= value <= 1.5 for point in points for value in point),
        f"Keypoints are (x, y) relative to the picture: {points}.",
    )


class OcrConformance(_Finding[OcrSpec]):
    """What Kizu asks of a model that reads. See `kizu_core.OcrModel`. `words`: what it can read on a drawn sign."""

    kind: ModelType = ModelType.OCR
    words: str = "KIZU 2026"

    @classmethod
    def pictures(cls) -> Sequence[Picture]:
        """The words in the upper half of a sign, and an empty sign."""
        return [sign(cls.words, size=(480, 360)), sign(size=(120, 80))]

    def look(self, model: Any, pictures: Sequence[Picture]) -> Any:
        """Text of pictures."""
        return model.read_text(pictures)

    def check(self, value: Any, spec: OcrSpec) -> None:
        """Text of one picture."""
        for span in value:
            expect(isinstance(span, TextSpan), f"A run of text is a TextSpan, not a {type(span).__name__}.")
            expect(isinstance(span.text, str) and span.text.strip(), f"A span holds text, not {span.text!r}.")
            check_score(span.score)
            expect(
                len(span.quad) == 4 and all(is_share(value) for corner in span.quad for value in corner),
                f"A quad is four corners (x, y) relative to the picture, 0 to 1, in plain numbers: {span.quad}.",
            )

    def test_languages_are_declared(self, spec: OcrSpec) -> None:
        expect(spec.languages, "A model that reads declares its `languages`.")

    def test_it_reads_a_plain_sign(self, seen: Seen) -> None:
        read = "".join(span.text for span in seen.results[0]).replace(" ", "")
        wanted = self.words.replace(" ", "")
        expect(read.casefold() == wanted.casefold(), f"It reads {self.words!r} on a drawn sign, not {read!r}.")

    def test_corners_run_around_the_text_where_it_is(self, seen: Seen) -> None:
        for span in seen.results[0]:
            expect(
                all(x > 0.05 and y < 0.5 for x, y in span.quad),
                f"Text in the upper half of a picture lies there: {span.quad}.",
            )
            (left, top), (right, _), (_, bottom), _ = span.quad
            expect(left < right and top < bottom, f"Corners go clockwise from the text's own top left: {span.quad}.")


class VlmConformance(PictureModelConformance[VlmSpec]):
    """What Kizu asks of a model that describes. See `kizu_core.Vlm`."""

    kind: ModelType = ModelType.VLM

    def look(self, model: Any, pictures: Sequence[Picture]) -> Any:
        """Captions of pictures, by the default task."""
        return model.describe(pictures)

    def check(self, value: Any, spec: VlmSpec) -> None:
        """One caption of the default task."""
        _check_caption(value, spec.tasks[0])

    def test_tasks_are_declared_once(self, spec: VlmSpec) -> None:
        expect(spec.tasks and len(set(spec.tasks)) == len(spec.tasks), "`tasks` names each task once, at least one.")

    def test_every_task_works(self, loaded: Any, spec: VlmSpec) -> None:
        for task in spec.tasks:
            for caption in loaded.describe(self.pictures(), task=task):
                _check_caption(caption, task)


def _check_caption(caption: Any, task: str) -> None:
    expect(isinstance(caption, Caption), f"A description is a Caption, not a {type(caption).__name__}.")
    expect(isinstance(caption.text, str) and caption.text.strip(), "A description says something.")
    expect(caption.task == task, f"A caption names the task that made it, {task!r}, not {caption.task!r}.")
    if caption.score is not None:
        check_score(caption.score)
