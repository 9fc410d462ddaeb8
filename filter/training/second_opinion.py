"""Training the head of the second opinion on lines that stage two leaves in doubt on composed pages."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from filter.classify import INJECTED_COLUMNS
from filter.encoder import Encoder, encoded
from filter.labels import GENUINE, INJECTED
from filter.second_opinion import ODDS_LIMIT, PAGE_FEATURES, Head, Reader, beside, in_doubt, weighed
from filter.segment import Floats
from filter.training.data import Lines
from filter.training.lexicon import Say
from filter.training.look import MAYBE_GENUINE, Seen
from filter.training.page_model import calibrated
from filter.training.perceptron import Plan, Task, fit_perceptrons

READER_HIDDEN = 128
READER_ALPHA = 0.3
READER_PASSES = 15
HIDDEN = 24
PLAN: Plan = ((10, 1e-3), (4, 2e-4))
ALPHA = 1e-2
MOST_READ = 12_000
"""Distinct lines in doubt on composed pages that are read when a model is built, those of pages as they came first."""
MOST_TAUGHT = 15_000
"""Lines of each kind, injected and genuine, that the reader learns from beside them; the weightiest first."""


def fit_second_opinion(
    seen: Seen, lines: Lines, injected: Floats, furniture: Floats, encoder: Encoder, seed: int,
    say: Say = lambda message: None,
) -> tuple[Head, Floats, NDArray[np.bool_]]:  # fmt: skip
    """The head, and what it says of lines whose families it had not seen.

    Parameters
    ----------
    seen : Seen
    lines : Lines
    injected, furniture : ndarray of float32, shape (n,)
        Probabilities of every row by models that had not seen its page.
    encoder : Encoder
    seed : int
    say : callable

    Returns
    -------
    head : Head
    injected : ndarray of float32, shape (n,)
        Probabilities of every row, those in doubt by heads that had not seen its family or page.
    read : ndarray of bool, shape (n,)
        Rows of pages on which what was in doubt was read: reading all of them would take an hour.
    """
    rows = in_doubt(injected, seen.page)
    left_out = _left_out(seen.page[rows], seen.line[rows], seen.natural[rows], seed)
    read = ~np.isin(seen.page, left_out)
    rows = rows[read[rows] & (seen.label[rows] != MAYBE_GENUINE)]
    label = np.array(lines.labels)
    is_injected, is_genuine = np.isin(label, INJECTED), np.isin(label, GENUINE)
    taught = np.concatenate([_weightiest(lines, which, seed) for which in (is_injected, is_genuine)])
    read_lines = np.unique(np.concatenate((taught, seen.line[rows])))
    say(f"second opinion on {len(read_lines)} lines")
    vectors = encoded(encoder, [lines.texts[line] for line in read_lines])
    teaches = is_injected[read_lines] | is_genuine[read_lines]
    reader, odds = _fit_readers(vectors, is_injected[read_lines], teaches, lines.fold[read_lines], seed)
    said = odds[np.searchsorted(read_lines, seen.line[rows])]
    features = np.stack([seen.column(name)[rows] for name in PAGE_FEATURES], axis=1)
    others = beside(injected[rows], furniture[rows], features)
    values = np.concatenate((np.clip(said, -ODDS_LIMIT, ODDS_LIMIT)[:, None], others), axis=1).astype(np.float32)
    target = np.isin(seen.label[rows], INJECTED_COLUMNS)
    half, weight = seen.group[rows] % 2, seen.weight[rows]
    tasks = [Task(values[half != h], target[half != h].astype(np.int64), weight[half != h], 2) for h in (0, 1)]
    tasks.append(Task(values, target.astype(np.int64), weight, 2))
    *halves, whole = fit_perceptrons(tasks, hidden=HIDDEN, plan=PLAN, seed=seed, n_nets=2, alpha=ALPHA)
    judged = np.zeros(len(rows), np.float32)
    for h, net in enumerate(halves):
        judged[half == h] = weighed(net, said[half == h], others[half == h])
    calibration = calibrated(judged, target, weight)
    found = injected.copy()
    found[rows] = calibration.probability(judged, np.zeros_like(judged))
    return Head(reader, whole, calibration), found, read


def _weightiest(lines: Lines, which: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    """At most `MOST_TAUGHT` of some lines: those that weigh most, which were written for the purpose, then any."""
    some = np.flatnonzero(which)
    order = np.lexsort((np.random.default_rng(seed).permutation(len(some)), -lines.weight[some]))
    return some[order[:MOST_TAUGHT]]


def _fit_readers(
    vectors: Floats, target: NDArray[np.bool_], teaches: NDArray[np.bool_], fold: NDArray[np.int64], seed: int
) -> tuple[Reader, Floats]:
    """A reader of all lines that teach, and what readers say of every line whose family and page they had not seen."""
    center, deviation = vectors.mean(axis=0), np.maximum(vectors.std(axis=0), 1e-6)
    inputs = (vectors - center) / deviation
    odds = np.zeros(len(vectors), np.float32)
    for k in np.unique(fold).tolist():
        reader = _fit_reader(center, deviation, inputs[teaches & (fold != k)], target[teaches & (fold != k)], seed)
        odds[fold == k] = reader.odds(vectors[fold == k])
    return _fit_reader(center, deviation, inputs[teaches], target[teaches], seed), odds


def _fit_reader(center: Floats, deviation: Floats, inputs: Floats, target: NDArray[np.bool_], seed: int) -> Reader:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    if len(target) == 0 or target.all() or not target.any():
        hidden = np.zeros((inputs.shape[1], 1), np.float32)
        return Reader(center, deviation, hidden, np.zeros(1, np.float32), np.zeros(1, np.float32), 0.0)
    net = MLPClassifier((READER_HIDDEN,), alpha=READER_ALPHA, max_iter=READER_PASSES, random_state=seed)
    with warnings.catch_warnings(), threadpool_limits(1):
        # A fixed number of passes is the regularisation.
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(inputs, target)
    first, last = (layer.astype(np.float32) for layer in net.coefs_)
    return Reader(
        center, deviation, first, net.intercepts_[0].astype(np.float32), last[:, 0], float(net.intercepts_[1][0])
    )


def _left_out(
    page: NDArray[np.int64], line: NDArray[np.int64], natural: NDArray[np.bool_], seed: int
) -> NDArray[np.int64]:
    """Pages not to be read, so that no more than `MOST_READ` distinct lines are: pages as they came are read before others."""
    drawn = np.random.default_rng(seed).permutation(int(page.max(initial=-1)) + 1)[page]
    order = np.lexsort((drawn, ~natural))
    _, first = np.unique(line[order], return_index=True)
    is_new = np.zeros(len(order), bool)
    is_new[first] = True
    last = int(np.searchsorted(np.cumsum(is_new), MOST_READ, side="right"))
    found: NDArray[np.int64] = np.unique(page[order[last:]])
    return found
