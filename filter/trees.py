"""Gradient-boosted trees as plain arrays, walked for all lines and all trees at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filter.context import Floats

FIRST_TREES = 40
CLEAR = -5.0
"""Log-odds after the first trees under which a line is not walked through the others: under one in a hundred."""
ROWS = 256
"""Lines at a time, so that the nodes they stand at stay in the cache."""


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of regression trees.

    Attributes
    ----------
    feature : ndarray of int32, shape (n_nodes,)
        Column to compare; in a leaf any.
    threshold : ndarray of float32, shape (n_nodes,)
        Left where the value is at most this; infinite in a leaf.
    left : ndarray of int32, shape (n_nodes,)
        Index of the left child, the right one is the next; of the node itself in a leaf, so that a walk goes on in place.
    value : ndarray of float32, shape (n_nodes,)
        What a leaf adds; in an inner node the mean of what lies below it.
    roots : ndarray of int32, shape (n_trees,)
    depth : int
        Steps from a root to its deepest leaf.
    baseline : float
        Added to the sum.
    """

    feature: NDArray[np.int32]
    threshold: Floats
    left: NDArray[np.int32]
    value: Floats
    roots: NDArray[np.int32]
    depth: int
    baseline: float

    def predict(self, values: Floats) -> Floats:
        """Sum of the trees.

        Parameters
        ----------
        values : ndarray of float32, shape (n, n_features)

        Returns
        -------
        ndarray of float32, shape (n,)
            Log-odds before calibration.

        Examples
        --------
        >>> one = np.array([0, 0, 0], np.int32)
        >>> trees = Trees(one, np.array([0.5, np.inf, np.inf], np.float32), np.array([1, 1, 2], np.int32),
        ...               np.array([0, -1, 2], np.float32), one[:1], 1, 0.25)
        >>> trees.predict(np.array([[0.0], [1.0]], np.float32)).tolist()
        [-0.75, 2.25]
        """
        flat = np.ascontiguousarray(values, dtype=np.float32)
        found = self._sum(flat, self.roots[:FIRST_TREES])
        found += np.float32(self.baseline)
        # Most lines of most pages are clear after the first trees; the others are worth all of them.
        open_rows = np.flatnonzero(found > CLEAR)
        if len(self.roots) > FIRST_TREES and len(open_rows):
            found[open_rows] += self._sum(flat[open_rows], self.roots[FIRST_TREES:])
        return found

    def _sum(self, values: Floats, roots: NDArray[np.int32]) -> Floats:
        """Sum of some of the trees, shape (n,)."""
        n, n_features = values.shape
        found = np.zeros(n, dtype=np.float32)
        for begin in range(0, n, ROWS):
            rows = values[begin : begin + ROWS].ravel()
            n_rows = len(rows) // n_features
            base = np.arange(0, n_rows * n_features, n_features, dtype=np.int32)[:, None]
            node = np.broadcast_to(roots, (n_rows, len(roots))).copy()
            for _ in range(self.depth):
                at = self.feature.take(node, mode="clip")
                at += base
                goes_right = rows.take(at, mode="clip") > self.threshold.take(node, mode="clip")
                node = self.left.take(node, mode="clip")
                node += goes_right
            # float64, and one order of addition, so that the number of rows at a time changes nothing.
            total = self.value.take(node, mode="clip").sum(axis=1, dtype=np.float64)
            found[begin : begin + ROWS] = total.astype(np.float32)
        return found

    def contributions(self, values: Floats) -> Floats:
        """What each feature adds to the sum, by the change of the mean along each path.

        Parameters
        ----------
        values : ndarray of float32, shape (n, n_features)

        Returns
        -------
        ndarray of float32, shape (n, n_features)
            Its row sums differ from `predict` by the same constant for every row.

        References
        ----------
        Saabas, Interpreting random forests, 2014.
        """
        n, n_features = values.shape
        found = np.zeros((n, n_features), dtype=np.float32)
        row = np.repeat(np.arange(n), len(self.roots))
        node = np.tile(self.roots, n)
        for _ in range(self.depth):
            feature = self.feature[node]
            child = self.left[node] + (values[row, feature] > self.threshold[node])
            np.add.at(found, (row, feature), np.where(child != node, self.value[child] - self.value[node], 0))
            node = child
        return found
