"""Training stage one: weights of hashed n-grams by logistic regression, and scores by models that never saw a line."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filter.labels import ARTICLE, DUPLICATE, FURNITURE, GENUINE, INDEX, INJECTED, LABELS
from filter.model import Lexicon
from filter.ngrams import N_BUCKETS, line_buckets
from filter.segment import Floats, batches, fold, segment
from filter.training.data import FOLDS, OTHER_FURNITURE, Lines

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

PARALLEL_LINES = 20_000
"""From here on fits run in processes side by side: starting one costs two seconds."""
PAIR_C, PAIR_STEPS = 20.0, 15
"""Stopping early is regularisation, too: with 40 steps less junk is caught where little may be lost."""
LABEL_C = 10.0
LABEL_LINES = 60_000
"""At most so many lines teach the label vectors: more of them cost minutes and change little."""
ABSENT_BIAS = -9.0
FEWEST_LINES = 2
ARTICLE_SHARES = 3
"""Running text is by far the commonest label, in many languages: it gets so many shares of the lines."""

Say = Callable[[str], None]


def design_matrix(texts: Sequence[str]) -> csr_matrix:
    """Hashed n-gram counts of lines over the square root of their number: the features of stage one.

    Parameters
    ----------
    texts : sequence of str
        Lines, without line feeds.

    Returns
    -------
    scipy.sparse.csr_matrix of float32, shape (n_lines, 2**18)

    Examples
    --------
    >>> design_matrix(["ab", ""]).shape
    (2, 262144)
    """
    from scipy.sparse import csr_matrix

    rows, counts = [], []
    for group in batches(texts, 400_000):
        folded = fold(segment(["\n".join(group)]))
        buckets, offsets = line_buckets(folded)
        lengths = np.diff(offsets)
        # A line feed at the very end starts no line.
        rows.append(buckets)
        counts.append(np.concatenate((lengths, np.zeros(len(group) - len(lengths), np.int64))))
    length = np.concatenate(counts) if counts else np.zeros(0, np.int64)
    indices = np.concatenate(rows) if rows else np.zeros(0, np.int32)
    data = np.repeat((1.0 / np.sqrt(np.maximum(length, 1))).astype(np.float32), length)
    return csr_matrix((data, indices, np.concatenate(([0], np.cumsum(length)))), shape=(len(length), N_BUCKETS))


def quantize(weights: NDArray[np.float64], scale: float) -> NDArray[np.int8]:
    """Weights in whole steps."""
    return np.clip(np.rint(weights / scale), -127, 127).astype(np.int8)


def scale_of(weights: NDArray[np.float64]) -> float:
    """Steps so that all but one in ten thousand of the weights fit: a few large ones must not coarsen the rest."""
    used = np.abs(weights[weights != 0])
    return float(np.quantile(used, 0.9999) / 127) if len(used) else 1.0


def fit_injected(
    matrix: csr_matrix, labels: NDArray[np.str_], weight: NDArray[np.float64], rows: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.float64], float]:
    """The weight of every n-gram for injected text against genuine text, and their bias."""
    return fit_against_genuine(matrix, labels, weight, rows, INJECTED)


def fit_furniture(
    matrix: csr_matrix, labels: NDArray[np.str_], weight: NDArray[np.float64], rows: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.float64], float]:
    """The weight of every n-gram for furniture against genuine text, and their bias."""
    return fit_against_genuine(matrix, labels, weight, rows, OTHER_FURNITURE)


def fit_against_genuine(
    matrix: csr_matrix,
    labels: NDArray[np.str_],
    weight: NDArray[np.float64],
    rows: NDArray[np.int64],
    against: Collection[str],
) -> tuple[NDArray[np.float64], float]:
    """The weight of every n-gram for one kind of junk against genuine text, by logistic regression.

    Parameters
    ----------
    matrix : csr_matrix, shape (n_lines, 2**18)
    labels : ndarray of str, shape (n_lines,)
    weight : ndarray of float64, shape (n_lines,)
    rows : ndarray of int64
        Which lines to learn from.
    against : collection of str
        Labels of the junk; lines that are neither these nor genuine teach nothing.

    Returns
    -------
    weights : ndarray of float64, shape (2**18,)
        Zero where there is nothing to tell apart.
    bias : float
    """
    rarity = _rarity(matrix[rows])
    rows = rows[np.isin(labels[rows], [*GENUINE, *against])]
    target = np.isin(labels[rows], list(against))
    weights = np.zeros(N_BUCKETS)
    if not target.any() or target.all():
        return weights, 0.0
    used, coefficients, intercepts, _ = logistic(
        _scaled(matrix[rows], rarity), target, weight[rows], PAIR_C, PAIR_STEPS
    )
    weights[used] = coefficients[-1] * rarity[used]
    return weights, float(intercepts[-1])


def _rarity(matrix: csr_matrix) -> NDArray[np.float64]:
    """Inverse document frequency of every n-gram: lets rare ones speak, and is folded into the weights."""
    lines_with = np.bincount(matrix.indices, minlength=matrix.shape[1])
    rarity: NDArray[np.float64] = np.log(matrix.shape[0] / (1.0 + lines_with)).clip(0.3)
    return rarity


def _scaled(matrix: csr_matrix, factor: NDArray[np.float64]) -> csr_matrix:
    from scipy.sparse import csr_matrix as sparse

    return sparse(
        (matrix.data * factor[matrix.indices].astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape
    )


def logistic(
    matrix: csr_matrix, target: NDArray[Any], weight: NDArray[np.float64], c: float, iterations: int, tol: float = 1e-4
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[Any]]:
    """Logistic regression on the columns of at least two lines: columns, coefficients by class, intercepts, classes."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    # An n-gram of one line alone says nothing of others, and they are half of all.
    used = np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]) >= FEWEST_LINES)
    with warnings.catch_warnings():
        # Stopping early is part of the regularisation here, and the same every time.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(C=c, max_iter=iterations, tol=tol).fit(
            matrix[:, used], target, sample_weight=weight
        )
    coefficients, intercepts = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:
        coefficients, intercepts = np.vstack((-coefficients, coefficients)), np.array([-intercepts[0], intercepts[0]])
    return used, coefficients.astype(np.float64), intercepts.astype(np.float64), fitted.classes_


def fit_labels(
    matrix: csr_matrix, labels: NDArray[np.str_], weight: NDArray[np.float64], rows: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A weight of every n-gram for every label against the others of its kind, by multinomial logistic regression.

    Which kind a line is of the page decides, so that only labels of a kind need be told apart.

    Returns
    -------
    weights : ndarray of float64, shape (2**18, n_labels)
        Zero for labels without lines.
    bias : ndarray of float64, shape (n_labels,)
    """
    known = np.array([INDEX[label] if label in INDEX and label != DUPLICATE else -1 for label in labels[rows].tolist()])
    rarity = _rarity(matrix[rows])
    picked = at_most(known, LABEL_LINES, seed)
    chosen, target = rows[picked], known[picked]
    weights = np.zeros((N_BUCKETS, len(LABELS)))
    bias = np.full(len(LABELS), ABSENT_BIAS)
    for kind in (GENUINE, FURNITURE, INJECTED):
        of_kind = np.isin(target, [INDEX[label] for label in kind])
        labels_there = np.unique(target[of_kind])
        bias[labels_there] = 0.0
        if len(labels_there) > 1:
            some = _scaled(matrix[chosen[of_kind]], rarity)
            used, coefficients, intercepts, classes = logistic(
                some, target[of_kind], weight[chosen[of_kind]], LABEL_C, 25
            )
            weights[np.ix_(used, classes)] = coefficients.T * rarity[used, None]
            bias[classes] = intercepts
    return weights, bias


def at_most(known: NDArray[np.int64], limit: int, seed: int) -> NDArray[np.int64]:
    """Rows with a known label, no label with more than its share of the limit."""
    rng = np.random.default_rng(seed)
    share = max(limit // (len(LABELS) + ARTICLE_SHARES - 1), 1)
    picked = []
    for column in range(len(LABELS)):
        rows = np.flatnonzero(known == column)
        most = share * (ARTICLE_SHARES if column == INDEX[ARTICLE] else 1)
        picked.append(rng.choice(rows, most, replace=False) if len(rows) > most else rows)
    return np.sort(np.concatenate(picked))


def fit_lexicon(lines: Lines, matrix: csr_matrix, seed: int, say: Say) -> tuple[Lexicon, CrossFitted]:
    """Stage one from all lines, and the scores that each line gets of a stage one trained on the other folds.

    Parameters
    ----------
    lines : Lines
    matrix : csr_matrix
        Of all lines.
    seed : int
    say : callable

    Returns
    -------
    lexicon : Lexicon
    scores : CrossFitted
        In the steps and with the biases of `lexicon`.
    """
    from joblib import Parallel, cpu_count, delayed

    labels = np.array(lines.labels)
    everything = np.ones(len(labels), bool)
    held = [lines.fold == k for k in range(FOLDS) if (lines.fold == k).any() and (lines.fold != k).any()]
    chosen = [np.flatnonzero(rows) for rows in (everything, *(~rows for rows in held))]
    n_jobs = min(cpu_count(), len(chosen)) if len(labels) >= PARALLEL_LINES else 1
    say(f"stage one, {len(chosen)} times")
    parts = Parallel(n_jobs=n_jobs)(
        delayed(fit)(matrix, labels, lines.weight, rows, seed)
        for fit in (fit_labels, fit_injected, fit_furniture)
        for rows in chosen
    )
    by_label, injected, furniture = (parts[i * len(chosen) : (i + 1) * len(chosen)] for i in range(3))
    pairs = [(np.stack((i[0], f[0]), axis=1), np.array([i[1], f[1]])) for i, f in zip(injected, furniture, strict=True)]
    pair, pair_scale = quantized(pairs[0][0])
    label_weights, label_scale = quantized(by_label[0][0])
    lexicon = Lexicon(
        pair, pair_scale, pairs[0][1].astype(np.float32), label_weights, label_scale, by_label[0][1].astype(np.float32)
    )
    scores = CrossFitted(np.zeros((len(labels), 2), np.int64), np.zeros((len(labels), len(LABELS)), np.int64))
    for rows, (weights, bias), (label_weights_of, label_bias) in zip(held, pairs[1:], by_label[1:], strict=True):
        scores.pair[rows] = line_sums(matrix[rows], weights, bias - lexicon.pair_bias, pair_scale)
        scores.labels[rows] = line_sums(matrix[rows], label_weights_of, label_bias - lexicon.label_bias, label_scale)
    return lexicon, scores


def line_sums(
    matrix: csr_matrix, weights: NDArray[np.float64], bias: NDArray[np.float64], scale: Floats
) -> NDArray[np.int64]:
    """What rounded weights sum to on some lines, in steps of `scale`; `bias` is what their bias exceeds another's by."""
    rounded, _ = quantized(weights, scale)
    root = np.sqrt(np.maximum(np.diff(matrix.indptr), 1))[:, None]
    # The matrix holds counts over a root; integers come back exactly by rounding.
    sums: NDArray[np.int64] = np.rint((matrix @ rounded.astype(np.float64) + bias / scale) * root).astype(np.int64)
    return sums


def quantized(weights: NDArray[np.float64], scale: Floats | None = None) -> tuple[NDArray[np.int8], Floats]:
    """Columns of weights as int8, each with its own step."""
    if scale is None:
        scale = np.array([scale_of(column) for column in weights.T], np.float32)
    columns = [quantize(column, float(step)) for column, step in zip(weights.T, scale, strict=True)]
    return np.ascontiguousarray(np.stack(columns, axis=1)), scale


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """Scores of every line from a model that never saw its group."""

    pair: NDArray[np.int64]
    labels: NDArray[np.int64]
