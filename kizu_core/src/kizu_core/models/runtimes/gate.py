"""Whether a candidate runtime sees what the reference sees. A plugin can't make it easier.

    embedder    each vector, less the mean of the reference's, has a cosine >= 0.995 with the reference's; texts too
    detector    each box has one of the same label that covers it with an IoU >= 0.99, and the other way round
    face        the same of boxes, and vectors as with an embedder
    ocr         the same text, by a ratio >= 0.99
    vlm         the same words

Vectors are centred because those of any two photos have much in common, which would hide a difference. What the
reference finds nothing in proves nothing: a candidate without proof is not used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

import numpy as np

from kizu_core.models.runtimes.drawings import TEXTS
from kizu_core.types import Box, Caption, Detection, Face, ModelType, Picture, TextSpan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

VECTORS, BOXES, TEXT, WORDS = 0.995, 0.99, 0.99, 1.0
"""What the agreement of each must reach."""

FEW, PATIENCE_S = 4, 20.0
"""A model that takes seconds over a picture is judged by few of them."""

FEW_VECTORS = 3
"""With fewer there is no telling what they have in common, and they are compared as they are."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fidelity`: the worst agreement found, 1 for the reference itself. `reason`: why it is out, None if it passed."""

    fidelity: float
    reason: str | None = None


def observe(model: Any, kind: ModelType, pictures: Sequence[Picture]) -> Any:
    """What a model makes of the pictures (and, if it embeds texts, of `TEXTS`), to be given to `judge`.

    Of a slow model not all: the first `FEW` in any case, further ones until `PATIENCE_S` are over.
    """
    if kind is not ModelType.EMBEDDER:
        seen: list[Any] = []
        until = time.monotonic() + PATIENCE_S
        while len(seen) < len(pictures) and (len(seen) < FEW or time.monotonic() < until):
            seen += look(model, kind, [pictures[len(seen)]])
        return seen
    try:
        texts = model.embed_texts(TEXTS)
    except NotImplementedError:
        texts = None
    return look(model, kind, pictures), texts


def look(model: Any, kind: ModelType, pictures: Sequence[Picture]) -> Any:
    """The pictures through the model as a worker gives them to it: an embedder gets all at once."""
    if kind is ModelType.EMBEDDER:
        return model.embed_images(pictures)
    call = getattr(model, _CALLS[kind])
    return [call([picture])[0] for picture in pictures]


def judge(kind: ModelType, reference: Any, candidate: Any) -> Verdict:
    """Compares what `observe` gave of both, as far as both came."""
    if kind is not ModelType.EMBEDDER:
        both = min(len(reference), len(candidate))
        reference, candidate = reference[:both], candidate[:both]
    found = _JUDGES[kind](reference, candidate)
    if not found:
        return Verdict(0.0, "the reference found nothing in the test pictures to compare it by")
    worst = min(float(np.nan_to_num(agreement)) for agreement, _ in found)
    if all(agreement >= least for agreement, least in found):  # never true of NaN
        return Verdict(worst)
    return Verdict(worst, f"it does not see the same: {worst:.4f} of 1")


Agreements = Sequence[tuple[float, float]]
"""Each with what it must reach; none if there was nothing to compare."""


def _embedder(reference: tuple[Vectors, Any], candidate: tuple[Vectors, Any]) -> Agreements:
    pairs = [(a, b) for a, b in zip(reference, candidate, strict=True) if a is not None]
    return [(_worst_cosine(a, b), VECTORS) for a, b in pairs]


def _detector(reference: Sequence[Sequence[Detection]], candidate: Sequence[Sequence[Detection]]) -> Agreements:
    shares = [
        _worst_box([(one.label, one.box) for one in ours], [(one.label, one.box) for one in theirs])
        for ours, theirs in zip(reference, candidate, strict=True)
    ]
    return [(min(shares), BOXES)] if any(reference) else []


def _faces(reference: Sequence[Sequence[Face]], candidate: Sequence[Sequence[Face]]) -> Agreements:
    pairs = list(zip(reference, candidate, strict=True))
    boxes = [_worst_box([("", one.box) for one in a], [("", one.box) for one in b]) for a, b in pairs]
    vectors = [
        (face.vector, max(b, key=lambda one, box=face.box: _iou(box, one.box)).vector)  # type: ignore[misc]
        for a, b in pairs
        for face in a
        if b
    ]
    if not vectors:
        return [(min(boxes), BOXES)] if any(reference) else []
    ours, theirs = (np.stack(side) for side in zip(*vectors, strict=True))
    return [(min(boxes), BOXES), (_worst_cosine(ours, theirs), VECTORS)]


def _ocr(reference: Sequence[Sequence[TextSpan]], candidate: Sequence[Sequence[TextSpan]]) -> Agreements:
    ours, theirs = (["\n".join(span.text for span in spans) for spans in found] for found in (reference, candidate))
    ratios = [SequenceMatcher(None, a, b, autojunk=False).ratio() for a, b in zip(ours, theirs, strict=True)]
    return [(min(ratios), TEXT)] if any(ours) else []


def _vlm(reference: Sequence[Caption], candidate: Sequence[Caption]) -> Agreements:
    pairs = [(a.text.split(), b.text.split()) for a, b in zip(reference, candidate, strict=True)]
    return [(sum(a == b for a, b in pairs) / len(pairs), WORDS)] if any(a for a, _ in pairs) else []


def _worst_cosine(reference: Vectors, candidate: Vectors) -> float:
    if reference.shape != candidate.shape:
        return 0.0
    centre = reference.mean(axis=0) if len(reference) >= FEW_VECTORS else np.zeros(reference.shape[1], np.float32)
    a, b = reference - centre, candidate - centre
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.min((a * b).sum(axis=1) / np.maximum(lengths, 1e-12)))


def _worst_box(ours: Sequence[tuple[str, Box]], theirs: Sequence[tuple[str, Box]]) -> float:
    """The least IoU over all boxes of both with the nearest of the same label on the other side; 0 where one is
    missing.
    """
    if len(ours) != len(theirs):
        return 0.0
    both = [(box, [b for other, b in theirs if other == label]) for label, box in ours]
    both += [(box, [b for other, b in ours if other == label]) for label, box in theirs]
    return min((max((_iou(box, one) for one in others), default=0.0) for box, others in both), default=1.0)


def _iou(a: Box, b: Box) -> float:
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    common = max(0.0, width) * max(0.0, height)
    return common / ((a.right - a.left) * (a.bottom - a.top) + (b.right - b.left) * (b.bottom - b.top) - common)


_CALLS: Mapping[ModelType, str] = {
    ModelType.DETECTOR: "detect",
    ModelType.FACE_MODEL: "find_faces",
    ModelType.OCR: "read_text",
    ModelType.VLM: "describe",
}
_JUDGES: Mapping[ModelType, Callable[[Any, Any], Agreements]] = {
    ModelType.EMBEDDER: _embedder,
    ModelType.DETECTOR: _detector,
    ModelType.FACE_MODEL: _faces,
    ModelType.OCR: _ocr,
    ModelType.VLM: _vlm,
}
