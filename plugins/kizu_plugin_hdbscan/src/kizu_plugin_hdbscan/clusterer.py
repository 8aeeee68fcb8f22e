"""HDBSCAN (Campello et al. 2013; McInnes et al. 2017) behind Kizu's `FaceClusterer`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kizu_core import ModelContext
from kizu_plugin_hdbscan.settings import HdbscanSettings


class HdbscanClusterer:
    """Distances are Euclidean between unit vectors, which orders pairs as the cosine does.

    It knows nothing of photos: that nobody is in one twice is seen to by Kizu afterwards.
    """

    def __init__(self, settings: HdbscanSettings, threads: int) -> None:
        self._settings = settings
        self._threads = threads

    def cluster(self, vectors: NDArray[np.float32], photos: Sequence[int]) -> Sequence[int | None]:
        """A cluster for each face, None for what the library calls noise."""
        needed = max(self._settings.min_cluster_size, self._settings.min_samples or 0)
        if len(vectors) <= needed:  # the library looks for so many neighbours besides the face itself
            return [None] * len(vectors)
        from hdbscan import HDBSCAN

        method = HDBSCAN(
            min_cluster_size=self._settings.min_cluster_size,
            min_samples=self._settings.min_samples,
            cluster_selection_epsilon=self._settings.epsilon,
            core_dist_n_jobs=self._threads,
        )
        with warnings.catch_warnings():  # of its own use of other libraries
            warnings.simplefilter("ignore", (FutureWarning, DeprecationWarning))
            labels = method.fit_predict(vectors)
        return [None if label < 0 else int(label) for label in labels]

    def close(self) -> None:
        """Nothing is kept."""


def build(context: ModelContext) -> HdbscanClusterer:
    """The factory named by the spec."""
    return HdbscanClusterer(context.settings or HdbscanSettings(), context.threads)
