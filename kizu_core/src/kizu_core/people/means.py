"""Mean faces of groups, and the nearest of them, in bounded memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Numbers = NDArray[np.int64]

BLOCK = 2048
"""Rows and columns of similarities that are in memory at once: 16 MB."""


def sums_of(vectors: Vectors, labels: Numbers, count: int) -> Vectors:
    """(count, dim): the sum of the vectors with each label. Negative labels are nobody's."""
    sums = np.zeros((count, vectors.shape[1]), np.float32)
    order = np.argsort(labels, kind="stable")
    order = order[np.searchsorted(labels[order], 0) :]
    for start in range(0, len(order), BLOCK):
        some = order[start : start + BLOCK]
        groups, first = np.unique(labels[some], return_index=True)
        sums[groups] += np.add.reduceat(vectors[some], first, axis=0)
    return sums


def unit(sums: Vectors) -> Vectors:
    """Rows of length one; a row of zeros stays."""
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.where(lengths > 0, lengths, 1), np.float32)


def nearest(vectors: Vectors, means: Vectors) -> tuple[Numbers, Vectors]:
    """For each vector the most similar mean and how similar it is; -1 and -2 where there is none."""
    best = np.full(len(vectors), -1, np.int64)
    similarity = np.full(len(vectors), -2, np.float32)
    for row in range(0, len(vectors), BLOCK):
        rows = slice(row, row + BLOCK)
        for column in range(0, len(means), BLOCK):
            found = vectors[rows] @ means[column : column + BLOCK].T
            number = found.argmax(axis=1)
            value = found[np.arange(len(number)), number]
            better = value > similarity[rows]
            best[rows][better] = column + number[better]
            similarity[rows][better] = value[better]
    return best, similarity


def similar_pairs(means: Vectors, least: float) -> tuple[Numbers, Vectors]:
    """(m, 2) pairs of means that are at least so similar, each once, the most similar first; and how similar."""
    pairs, values = [np.empty((0, 2), np.int64)], [np.empty(0, np.float32)]
    for row in range(0, len(means), BLOCK):
        for column in range(row, len(means), BLOCK):
            found = means[row : row + BLOCK] @ means[column : column + BLOCK].T
            one, other = np.nonzero(found >= least)
            once = one + row < other + column
            pairs.append(np.column_stack([one[once] + row, other[once] + column]))
            values.append(found[one[once], other[once]])
    similarity = np.concatenate(values)
    order = np.argsort(-similarity, kind="stable")
    return np.concatenate(pairs)[order], similarity[order]
