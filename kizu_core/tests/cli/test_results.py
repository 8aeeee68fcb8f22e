"""Results as people read them, and their places in both units."""

from __future__ import annotations

from kizu_core.cli.results import caption_line, embedding_line, face_line, object_line, text_line
from kizu_core.pipeline.pixels import in_pixels

BOX = {"left": 0.1, "top": 0.25, "right": 0.5, "bottom": 1}


def test_lines() -> None:
    assert object_line({"label": "dog", "score": 0.876, "bbox": BOX}) == (
        " 88 %  dog, 10 to 50 % across and 25 to 100 % down"
    )
    assert face_line({"score": 1, "bbox": BOX}).startswith("100 %  a face, 10 to 50 %")
    assert face_line({"score": 0.9, "bbox": None, "name": "Anna"}) == " 90 %  Anna"
    assert text_line({"text": "EXIT", "score": 0.05}) == "  5 %  EXIT"
    assert caption_line({"description": "A dog.", "score": None, "task": "caption"}) == "A dog."
    assert embedding_line({"dim": 512, "space": "openclip/x"}) == "512 numbers in the space openclip/x"


def test_places_in_pixels_stand_beside_relative_ones() -> None:
    row = {"bbox": BOX, "quad": [[0, 0], [1, 0.5]], "keypoints": [[0.25, 0.75]], "score": 1}
    assert in_pixels(row, 400, 300) == row | {
        "bbox_px": {"left": 40.0, "top": 75.0, "right": 200.0, "bottom": 300.0},
        "quad_px": [[0.0, 0.0], [400.0, 150.0]],
        "keypoints_px": [[100.0, 225.0]],
    }


def test_what_is_not_known_or_of_another_form_is_left_as_it_is() -> None:
    assert in_pixels({"bbox": BOX}, None, 300) == {"bbox": BOX}
    for foreign in ([1, 2, 3, 4], {"x": 1}, None, "box", {**BOX, "top": "x"}):
        assert in_pixels({"bbox": foreign, "quad": None}, 400, 300) == {"bbox": foreign, "quad": None}
        assert object_line({"label": "dog", "score": None, "bbox": foreign}) == "dog"
