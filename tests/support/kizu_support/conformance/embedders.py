"""Embedders: mean colours, and texts by their sum."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from kizu_core import EmbedderSpec, Picture, hookimpl
from kizu_support.conformance.fakes import Fake, all_of, but, by, call_home, declared

MATRIX = "test_vectors_are_a_matrix_of_unit_rows"


def unit(rows: Any, dim: int = 4) -> Any:
    vectors = np.array(rows, np.float32).reshape(-1, dim)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class GoodEmbedder(Fake):
    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        return unit([[*picture.pixels.mean(axis=(0, 1)), 255] for picture in pictures])

    def embed_texts(self, texts: Sequence[str]) -> Any:
        return unit([np.random.default_rng(zlib.crc32(text.encode())).normal(size=4) for text in texts])


class Doubles(GoodEmbedder):
    breaks = by(MATRIX, "float32, not float64")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        return super().embed_images(pictures).astype(np.float64)


class Lists(GoodEmbedder):
    breaks = by(MATRIX, "one numpy array, not a list")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        return list(super().embed_images(pictures))


class WrongSize(GoodEmbedder):
    breaks = by(MATRIX, "the dim of the spec")
    declares = but(dim=5)


class TooLong(GoodEmbedder):
    breaks = by(MATRIX, "unit length")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        return 2 * super().embed_images(pictures)


class LostInTheDark(GoodEmbedder):
    breaks = by("test_odd_pictures_do_no_harm", "finite")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        with np.errstate(invalid="ignore"):
            return unit([[*picture.pixels.mean(axis=(0, 1)), 0] for picture in pictures])


class FlatWhenEmpty(GoodEmbedder):
    breaks = by("test_an_empty_batch_keeps_the_shape", "(0, 4)")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        return super().embed_images(pictures) if pictures else np.empty(0, np.float32)


class NeedsOne(GoodEmbedder):
    breaks = by("test_an_empty_batch_gives_an_empty_result", "at least one")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        return np.stack([super(NeedsOne, self).embed_images([picture])[0] for picture in pictures])


class Indifferent(GoodEmbedder):
    breaks = by("test_different_pictures_get_different_vectors", "vectors that differ")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        return unit([[1, 1, 1, 1] for _ in pictures])


class Moody(GoodEmbedder):
    breaks = by("test_the_same_picture_gives_the_same_result", "the same result at every call")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        return unit(super().embed_images(pictures) + np.random.default_rng().normal(size=(len(pictures), 4)))


class Sorting(GoodEmbedder):
    breaks = by("test_results_are_in_the_order_of_the_pictures", "aligned with the pictures by index")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        return np.sort(super().embed_images(pictures), axis=0)


class BatchNormalised(GoodEmbedder):
    breaks = by("test_a_batch_is_the_same_as_its_pictures_alone", "the rest of its batch")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        vectors = super().embed_images(pictures)
        return unit(vectors + vectors[:1]) if len(vectors) else vectors


class Forgetful(GoodEmbedder):
    breaks = by("test_there_is_a_result_for_each_picture", "3 results, not 2")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        vectors = super().embed_images(pictures)
        return vectors[:-1] if len(vectors) > 1 else vectors


class Scribbling(GoodEmbedder):
    breaks = by("test_pictures_are_left_as_they_are", "never writes into a picture")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        vectors = super().embed_images(pictures)
        for picture in pictures:
            picture.pixels.flags.writeable = True
            picture.pixels[0, 0] = 77
        return vectors


class OneThread(GoodEmbedder):
    breaks = by("test_it_can_be_used_from_another_thread", "only the thread that made me")

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        self.stay()
        return super().embed_images(pictures)


class ClosesOnce(GoodEmbedder):
    breaks = by("test_it_can_be_closed_twice_and_loaded_again", "AttributeError")

    def close(self) -> None:
        del self.thread


class SharedMemory(GoodEmbedder):
    breaks = by("test_it_can_be_closed_twice_and_loaded_again", "Closing one model closes no other")
    loaded: ClassVar[bool] = False

    def __init__(self, context: object) -> None:
        super().__init__(context)
        SharedMemory.loaded = True

    def close(self) -> None:
        SharedMemory.loaded = False

    def embed_images(self, pictures: Sequence[Picture]) -> Any:
        return super().embed_images(pictures) if self.loaded else unit([[1, 0, 0, 0] for _ in pictures])


class CallsHome(GoodEmbedder):
    breaks = by("test_it_never_looks_for_the_network", "192.0.2.1")

    def __init__(self, context: object) -> None:
        super().__init__(context)
        call_home()


class Unclosable(GoodEmbedder):
    breaks = by("test_it_loads_and_is_of_its_kind", "which is no Embedder")
    close = None  # type: ignore[assignment]


class Crashing(GoodEmbedder):
    breaks = by("test_it_loads_and_is_of_its_kind", "failed to load: ZeroDivisionError")

    def __init__(self, context: object) -> None:
        raise ZeroDivisionError


class ElsewhereWithTexts(GoodEmbedder):
    breaks = by("test_texts_get_vectors_of_the_same_space", "(3, 4)")

    def embed_texts(self, texts: Sequence[str]) -> Any:
        return unit(np.ones((len(texts), 5)), 5)


class IndifferentToTexts(GoodEmbedder):
    breaks = by("test_texts_get_vectors_of_the_same_space", "Texts that differ")

    def embed_texts(self, texts: Sequence[str]) -> Any:
        return unit(np.ones((len(texts), 4)))


class PaddedTexts(GoodEmbedder):
    breaks = by("test_a_batch_of_texts_is_the_same_as_each_alone", "the rest of its batch")

    def embed_texts(self, texts: Sequence[str]) -> Any:
        longest = max(map(len, texts), default=0)
        return super().embed_texts([text.ljust(longest) for text in texts])


class NoBlankTexts(GoodEmbedder):
    breaks = by("test_odd_texts_do_no_harm", "IndexError")

    def embed_texts(self, texts: Sequence[str]) -> Any:
        return super().embed_texts([text.split()[0] + text for text in texts])


class SilentAboutLanguages(GoodEmbedder):
    breaks = by("test_languages_are_those_of_its_text_side", "declares `languages`")
    declares = but(languages=())


class BoastsOfLanguages(GoodEmbedder):
    breaks = by("test_languages_are_those_of_its_text_side", "has no `languages`")

    def embed_texts(self, texts: Sequence[str]) -> Any:
        raise NotImplementedError


@hookimpl
def kizu_embedders() -> Iterable[EmbedderSpec]:
    usual = {"output_version": "1", "dim": 4, "space": "fake", "languages": ("en",)}
    return [EmbedderSpec(**{**usual, **declared(fake)}) for fake in all_of(GoodEmbedder)]
