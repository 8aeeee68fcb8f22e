"""HDBSCAN as a clusterer: its settings, and that it groups as the library does."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from kizu_plugin_hdbscan.settings import HdbscanSettings

pytest.importorskip("hdbscan", reason="hdbscan is not installed")
faces = pytest.importorskip("kizu_support.faces", reason="the repository's test support is not here")

from kizu_plugin_hdbscan.clusterer import HdbscanClusterer  # noqa: E402 - the skips come first


def clusterer(**settings: object) -> HdbscanClusterer:
    return HdbscanClusterer(HdbscanSettings.model_validate(settings), threads=1)


def test_it_groups_made_up_faces_well() -> None:
    made = faces.made_faces(1500, seed=3)
    assert faces.b_cubed(made.people, clusterer().cluster(made.vectors, made.photos.tolist())) > 0.9


def test_a_larger_least_size_leaves_more_faces_alone() -> None:
    made = faces.made_faces(600, seed=3)
    few, many = (
        sum(one is None for one in clusterer(HDBSCAN_MIN_CLUSTER_SIZE=least).cluster(made.vectors, []))
        for least in (2, 12)
    )
    assert few < many


def test_too_few_faces_stand_alone() -> None:
    vectors = np.eye(512, dtype=np.float32)
    for count in range(5):
        assert clusterer().cluster(vectors[:count], range(count)) == [None] * count
    assert len(clusterer(HDBSCAN_MIN_SAMPLES=9).cluster(vectors[:9], range(9))) == 9


@pytest.mark.parametrize("wrong", [{"HDBSCAN_MIN_CLUSTER_SIZE": 1}, {"HDBSCAN_MIN_SAMPLES": 0}, {"HDBSCAN_EPSILON": 3}])
def test_settings_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        HdbscanSettings.model_validate(wrong)
