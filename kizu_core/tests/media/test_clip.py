"""Small squares out of pictures: what they show, how large they are."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from kizu_core.errors import UnreadablePicture
from kizu_core.media.clip import clip
from kizu_core.types import Box

GROUND, FACE = (30, 60, 200), (230, 200, 20)


def portrait(path: Path, box: Box, size: tuple[int, int] = (800, 600), orientation: int = 1) -> Path:
    """A picture with something yellow in `box` on blue; stored turned, if `orientation` says so."""
    image = Image.new("RGB", size, GROUND)
    width, height = size
    place = (box.left * width, box.top * height, box.right * width - 1, box.bottom * height - 1)
    ImageDraw.Draw(image).rectangle(place, FACE)
    if orientation == 6:
        image = image.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, "JPEG", quality=95, subsampling=0, exif=exif)
    return path


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    assert (image.format, image.mode, len(image.getexif())) == ("JPEG", "RGB", 0)
    return image


def is_face(colour: object) -> bool:
    assert isinstance(colour, tuple)
    return bool(colour[0] > 150 and colour[2] < 120)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_face_is_in_the_middle_with_air_around_it(tmp_path: Path, orientation: int) -> None:
    box = Box(0.6, 0.3, 0.7, 0.5)
    image = opened(clip(portrait(tmp_path / "a.jpg", box, orientation=orientation), 100, box))
    assert image.size == (100, 100)
    middle = [is_face(image.getpixel((50, y))) for y in (30, 50, 70)]
    edge = [is_face(image.getpixel(place)) for place in ((3, 3), (96, 3), (3, 96), (50, 3), (96, 50))]
    assert (middle, edge) == ([True] * 3, [False] * 5)


def test_a_face_at_the_edge_is_shown_as_far_as_the_picture_goes(tmp_path: Path) -> None:
    box = Box(0.0, 0.0, 0.2, 0.2)
    image = opened(clip(portrait(tmp_path / "a.jpg", box), 100, box))
    assert is_face(image.getpixel((2, 2)))
    assert not is_face(image.getpixel((97, 97)))


def test_without_a_box_it_is_the_middle(tmp_path: Path) -> None:
    image = opened(clip(portrait(tmp_path / "a.jpg", Box(0.25, 0.4, 0.75, 0.6)), 120))
    assert image.size == (120, 120)
    assert is_face(image.getpixel((60, 60)))


def test_nothing_is_enlarged(tmp_path: Path) -> None:
    box = Box(0.4, 0.4, 0.45, 0.45)
    image = opened(clip(portrait(tmp_path / "a.jpg", box, (200, 200)), 300, box))
    assert image.size == (17, 17)


def test_a_small_face_of_a_large_picture_is_sharp(tmp_path: Path) -> None:
    box = Box(0.5, 0.5, 0.52, 0.52)
    image = opened(clip(portrait(tmp_path / "a.jpg", box, (6000, 6000)), 200, box))
    assert image.size == (200, 200)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    with pytest.raises(UnreadablePicture):
        clip(tmp_path / "a.jpg", 100)


edge = st.floats(0, 1, allow_subnormal=False)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(edge, edge), st.tuples(edge, edge), st.integers(1, 300), st.tuples(st.integers(1, 90), st.integers(1, 90))
)
def test_any_box_gives_a_square_inside_the_picture(
    tmp_path_factory: pytest.TempPathFactory,
    across: tuple[float, float],
    down: tuple[float, float],
    side: int,
    size: tuple[int, int],
) -> None:
    box = Box(min(across), min(down), max(across), max(down))
    path = tmp_path_factory.getbasetemp() / "any.png"
    Image.new("RGB", size, GROUND).save(path)
    image = opened(clip(path, side, box))
    assert image.width == image.height <= min(side, *size)
