"""Token numbers are those of open_clip's own tokenizer, for whatever text."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizu_core import ModelUnavailable
from kizu_plugin_onnx.tokenizer import Tokenizer, load_tokenizer

TEXTS = [
    "a red circle",
    "It's a dog's life, isn't it?",
    "na\u00c3\u00afve caf\u00c3\u00a9 &amp;amp; co",
    "<start_of_text> x",
    "東京 2026 🎉",
    "",
]
NO_VOCABULARIES = [
    b"no gzip",
    gzip.compress(b"too\nshort"),
    gzip.compress(b"\xff\xfe" * 20),
    b"\x1f\x8b\x08" + b"x" * 40,
]


@pytest.fixture(scope="module")
def theirs() -> object:
    tokenizer = pytest.importorskip("open_clip.tokenizer", reason="open_clip is not installed")
    return tokenizer.SimpleTokenizer(context_length=16)


@pytest.fixture(scope="module")
def ours(theirs: object) -> Tokenizer:
    from open_clip.tokenizer import default_bpe

    return load_tokenizer(Path(default_bpe()), 16)


@pytest.mark.parametrize("text", [*TEXTS, "word " * 40])
def test_known_texts(text: str, ours: Tokenizer, theirs: object) -> None:
    assert ours([text]).tolist() == theirs([text]).tolist()  # type: ignore[operator]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text(ours: Tokenizer, theirs: object, text: str) -> None:
    assert ours([text]).tolist() == theirs([text]).tolist()  # type: ignore[operator]


def test_there_are_as_many_tokens_as_in_clip(ours: Tokenizer) -> None:
    assert ours.size == 49_408


@pytest.mark.parametrize("content", NO_VOCABULARIES)
def test_another_file_is_no_vocabulary(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "merges.txt.gz"
    path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match="no vocabulary of CLIP"):
        load_tokenizer(path, 77)
