"""Decoding: upright, scaled for free where that is possible, in colours that mean what they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from kizu_core.errors import FetchFailed, PictureTooLarge, UnreadablePicture, UnsupportedFormat
from kizu_core.media.decode import decode, to_picture

from .conftest import CORNERS, UNTURN, Save, corners_of, corners_picture

FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF", "MPO"]
LOSSLESS: dict[str, dict[str, Any]] = {
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "HEIF": {"quality": 95},
}
UPRIGHT = list(CORNERS)


def stored(orientation: int) -> Image.Image:
    turn = UNTURN[orientation]
    return corners_picture() if turn is None else corners_picture().transpose(turn)


def tag(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("form", FORMATS)
def test_every_format(save: Save, form: str, engine: str) -> None:
    decoded = decode(save(corners_picture(), form, **LOSSLESS.get(form, {"quality": 95})), max_side=4096)
    assert (decoded.image.mode, decoded.image.size) == ("RGB", (96, 64))
    assert (decoded.width_px, decoded.height_px) == (96, 64)
    assert corners_of(decoded.image) == UPRIGHT


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_eight_orientations(save: Save, form: str, orientation: int, engine: str) -> None:
    path = save(stored(orientation), form, exif=tag(orientation), **LOSSLESS.get(form, {"quality": 95}))
    decoded = decode(path, max_side=4096)
    assert (decoded.width_px, decoded.height_px) == decoded.image.size == (96, 64)
    assert corners_of(decoded.image) == UPRIGHT


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_heif_is_turned_once(save: Save, orientation: int) -> None:
    path = save(stored(orientation), "HEIF", exif=tag(orientation).tobytes(), quality=95)
    assert corners_of(decode(path).image) == UPRIGHT


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_heif_is_never_turned_by_what_a_job_says(save: Save, form: str) -> None:
    assert corners_of(decode(save(corners_picture(), form), orientation=6).image) == UPRIGHT


def test_what_a_job_says_counts_only_where_the_file_is_silent(save: Save) -> None:
    silent = save(stored(6), "JPEG", name="silent.jpg", quality=95)
    assert corners_of(decode(silent, orientation=6).image) == UPRIGHT
    assert decode(silent, orientation=42).image.size == (64, 96)
    speaking = save(corners_picture(), "JPEG", name="speaking.jpg", exif=tag(1), quality=95)
    assert corners_of(decode(speaking, orientation=6).image) == UPRIGHT


@pytest.mark.parametrize(
    ("size", "max_side", "want"),
    [
        ((806, 604), 410, (403, 302)),  # half of it lands within 10 % below: taken as it is
        ((806, 604), 500, (500, 375)),
        ((806, 604), 806, (806, 604)),
        ((806, 604), 4096, (806, 604)),  # never enlarged
        ((950, 1), 410, (410, 1)),
    ],
)
def test_scaling(save: Save, size: tuple[int, int], max_side: int, want: tuple[int, int], engine: str) -> None:
    decoded = decode(save(Image.new("RGB", size, "teal"), "JPEG"), max_side=max_side)
    assert (decoded.image.size, decoded.width_px, decoded.height_px) == (want, *size)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_smallest_side(save: Save, form: str) -> None:
    assert decode(save(Image.new("RGB", (1601, 1200)), form), min_side=300).image.size == (401, 300)
    assert decode(save(Image.new("RGB", (400, 300)), form), min_side=301).image.size == (400, 300)
    wide, tall = Image.new("RGB", (3200, 400)), Image.new("RGB", (1600, 1200))
    assert decode(save(wide, form), min_side=400, max_side=1600).image.size == (1600, 200), "the smaller of the two"
    assert decode(save(tall, form), min_side=300, max_side=1600).image.size == (400, 300)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "1", "P", "I;16", "CMYK"])
def test_reducing_in_bands_is_seamless(save: Save, mode: str) -> None:
    ramp = Image.linear_gradient("L").resize((40, 1700))
    image = Image.fromarray(np.asarray(ramp).astype(np.uint16) * 257) if mode == "I;16" else ramp.convert(mode)
    decoded = decode(save(image, "TIFF"), max_side=400).image
    assert decoded.size == (9, 400)
    middle = np.asarray(decoded)[2:-2, 4, 0].astype(int)
    assert np.abs(middle - np.linspace(1, 254, 396)).max() < (140 if mode == "1" else 6)


RAMP16 = np.linspace(0, 65535, 64 * 64).reshape(64, 64)
DEEP = {
    "16 bits": RAMP16.astype(np.uint16),
    "32 bits": RAMP16.astype(np.int32),
    "32 bits, large": (RAMP16 * 30000).astype(np.int32),
    "floating point, 0 to 1": (RAMP16 / 65535).astype(np.float32),
    "floating point, any": (RAMP16 - 1000).astype(np.float32),
}


@pytest.mark.parametrize("values", DEEP.values(), ids=DEEP.keys())
def test_deep_gray_is_rescaled_and_not_clipped(save: Save, values: Any, engine: str) -> None:
    pixels = np.asarray(decode(save(Image.fromarray(values), "TIFF"), max_side=4096).image)
    assert pixels[0, 0, 0] <= 1
    assert pixels[-1, -1, 0] >= 254
    assert abs(float(pixels.mean()) - 127.5) < 2


def test_big_endian_16_bits(save: Save) -> None:
    image = Image.frombytes("I;16B", (64, 64), RAMP16.astype(">u2").tobytes())
    assert abs(float(np.asarray(decode(save(image, "TIFF")).image).mean()) - 127.5) < 2


def test_hidden_colours_do_not_show(save: Save, engine: str) -> None:
    image = corners_picture().convert("RGBA")
    image.paste((255, 0, 255, 0), (0, 0, 48, 64))
    for form in ("PNG", "WEBP", "TIFF"):
        left = decode(save(image, form, **LOSSLESS.get(form, {})), max_side=4096).image.getpixel((10, 10))
        assert left == (255, 255, 255), form
    palette = corners_picture().convert("P")
    palette.info["transparency"] = palette.getpixel((10, 10))
    assert decode(save(palette, "PNG"), max_side=4096).image.getpixel((10, 10)) == (255, 255, 255)


def test_gray_with_alpha_and_bilevel(save: Save) -> None:
    assert decode(save(Image.new("LA", (8, 8), (0, 0)), "PNG")).image.getpixel((4, 4)) == (255, 255, 255)
    assert decode(save(Image.new("1", (8, 8), 1), "PNG")).image.getpixel((4, 4)) == (255, 255, 255)


def test_lab(save: Save) -> None:
    lab = ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(corners_picture(), ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
    assert image is not None
    assert corners_of(decode(save(image, "TIFF")).image) == UPRIGHT


def test_profiles(save: Save, shared: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert decode(save(corners_picture(), "JPEG", icc_profile=srgb)).icc is None  # it would change nothing
    assert decode(save(corners_picture(), "JPEG", icc_profile=b"\x07" * 3000)).icc is None  # no profile at all
    assert decode(save(corners_picture().convert("L"), "JPEG", icc_profile=srgb)).icc is None  # not for gray
    wide = decode(shared / "images-odd" / "own__icc_p3.jpg")
    assert wide.icc is not None
    assert corners_of(Image.fromarray(np.array(to_picture(wide).pixels))) == UPRIGHT


def test_pictures_for_models_are_read_only_and_know_their_original(save: Save) -> None:
    picture = to_picture(decode(save(Image.new("RGB", (806, 604), "teal"), "JPEG"), max_side=403))
    assert (picture.pixels.shape, picture.width_px, picture.height_px) == ((302, 403, 3), 806, 604)
    assert not picture.pixels.flags.writeable


def test_cut_pictures_are_refused_by_every_decoder(save: Save, engine: str) -> None:
    noise = Image.effect_noise((400, 300), 80).convert("RGB")
    for form in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF", "BMP", "GIF"):
        path = save(noise, form)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(UnreadablePicture):
            decode(path, max_side=4096)


def test_too_many_pixels_are_refused_before_decoding(save: Save, mocker: Any) -> None:
    path = save(Image.new("1", (30_001, 1)), "PNG")
    with pytest.raises(PictureTooLarge, match="30001 x 1 pixels"):
        decode(path)
    mocker.patch("kizu_core.media.opening.MAX_PIXELS", 5000)
    with pytest.raises(PictureTooLarge, match="limit"):
        decode(save(corners_picture(), "PNG"))
    decode(save(corners_picture(), "JPEG"))  # has a limit of its own


def test_trouble_of_the_machine_is_not_the_picture_s_fault(save: Save, mocker: Any) -> None:
    path = save(corners_picture(), "JPEG")
    mocker.patch("PIL.ImageFile.ImageFile.load", side_effect=OSError(5, "Input/output error"))
    with pytest.raises(FetchFailed, match="Input/output error"):
        decode(path)
    mocker.patch("PIL.ImageFile.ImageFile.load", side_effect=MemoryError)
    with pytest.raises(PictureTooLarge, match="memory"):
        decode(path)


def test_a_raw_photo_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.CR2"
    path.write_bytes(b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(100))
    with pytest.raises(UnsupportedFormat, match=r"RAW photo \(CR2\)"):
        decode(path)
