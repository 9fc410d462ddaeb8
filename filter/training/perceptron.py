"""Training perceptrons with scikit-learn, and rounding them to whole numbers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filter.perceptron import SPREAD, VALUE_LIMIT, WEIGHT_LIMIT, Perceptron
from filter.segment import Floats

BATCH_ROWS = 512
FEWEST_STEPS = 1200
"""A small training set is passed over more often, until so many steps are made, or this many times as often."""
MOST_REPEATS = 12
ABSENT = -20.0
"""Output of a class without rows, up to a constant."""
PARALLEL_ROWS = 20_000
"""From here on nets are fitted in processes side by side: starting one costs two seconds."""

Plan = tuple[tuple[int, float], ...]
"""Passes over the rows and the rate at which they teach, one after the other."""


@dataclass(frozen=True, slots=True)
class Task:
    """Rows to fit a perceptron on.

    Attributes
    ----------
    values : ndarray of float32, shape (n, n_inputs)
    target : ndarray of int64, shape (n,)
        Class of each row.
    weight : ndarray of float64, shape (n,)
    n_classes : int
    """

    values: Floats
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    n_classes: int


@dataclass(frozen=True, slots=True)
class _Net:
    """A fitted net over standardised inputs, in floating point."""

    hidden: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]


def fit_perceptrons(
    tasks: Sequence[Task], *, hidden: int, plan: Plan, seed: int, n_nets: int = 1, alpha: float = 1e-3
) -> list[Perceptron]:
    """A perceptron for each task; several nets that start elsewhere are averaged into one.

    Parameters
    ----------
    tasks : sequence of Task
    hidden : int
        Hidden values of a net.
    plan : sequence of (int, float)
    seed : int
    n_nets : int
        Nets a perceptron.
    alpha : float
        Strength of the L2 penalty.

    Returns
    -------
    list of Perceptron
        Outputs are log-odds of the classes up to a constant.
    """
    from joblib import Parallel, cpu_count, delayed

    moments = [_moments(task.values) for task in tasks]
    jobs = [
        (_standard(task.values, *moment), task.target, task.weight, task.n_classes, hidden, plan, alpha, seed + net)
        for task, moment in zip(tasks, moments, strict=True)
        for net in range(n_nets)
    ]
    large = sum(len(task.target) for task in tasks) >= PARALLEL_ROWS
    n_jobs = min(len(jobs), cpu_count()) if large else 1
    nets = Parallel(n_jobs=n_jobs)(delayed(_fit_net)(*job) for job in jobs)
    return [
        _rounded(nets[i * n_nets : (i + 1) * n_nets], jobs[i * n_nets][0], *moment) for i, moment in enumerate(moments)
    ]


def _moments(values: Floats) -> tuple[Floats, Floats]:
    if not len(values):
        return np.zeros(values.shape[1], np.float32), np.ones(values.shape[1], np.float32)
    return values.mean(axis=0, dtype=np.float64).astype(np.float32), np.maximum(
        values.std(axis=0, dtype=np.float64), 1e-2
    ).astype(np.float32)


def _standard(values: Floats, mean: Floats, deviation: Floats) -> Floats:
    standard: Floats = np.clip((values - mean) / deviation, -SPREAD, SPREAD).astype(np.float32)
    return standard


def _fit_net(
    inputs: Floats, target: NDArray[np.int64], weight: NDArray[np.float64], n_classes: int, hidden: int, plan: Plan,
    alpha: float, seed: int,
) -> _Net:  # fmt: skip
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    classes = np.unique(target)
    weights, bias = np.zeros((hidden, n_classes)), np.full(n_classes, ABSENT)
    bias[classes] = 0.0
    if len(classes) < 2:
        return _Net(np.zeros((inputs.shape[1], hidden)), np.zeros(hidden), weights, bias)
    batch = min(BATCH_ROWS, max(len(inputs) // 8, 1))
    steps = sum(passes for passes, _ in plan) * len(inputs) / batch
    repeats = min(max(FEWEST_STEPS / steps, 1.0), MOST_REPEATS)
    net = MLPClassifier((hidden,), alpha=alpha, batch_size=batch, random_state=seed, warm_start=True)
    # One thread: matrices this small gain nothing from more, and sums are then added in one order.
    with warnings.catch_warnings(), threadpool_limits(1):
        # A fixed number of passes is the regularisation.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for passes, rate in plan:
            net.set_params(max_iter=round(passes * repeats), learning_rate_init=rate)
            net.fit(inputs, target, sample_weight=weight / weight.mean())
    out, out_bias = net.coefs_[1], net.intercepts_[1]
    if len(classes) == 2:
        out, out_bias = np.hstack((-out, out)) / 2, np.array([-out_bias[0], out_bias[0]]) / 2
    weights[:, classes], bias[classes] = out, out_bias
    return _Net(net.coefs_[0], net.intercepts_[0], weights, bias)


def _rounded(nets: Sequence[_Net], inputs: Floats, mean: Floats, deviation: Floats) -> Perceptron:
    """The nets side by side as one, their outputs averaged, in whole numbers."""
    hidden = np.hstack([net.hidden for net in nets])
    hidden_bias = np.concatenate([net.hidden_bias for net in nets])
    weights = np.vstack([net.weights for net in nets]) / len(nets)
    bias = np.mean([net.bias for net in nets], axis=0)
    step = deviation * np.float32(SPREAD / VALUE_LIMIT)
    whole, whole_scale = _whole(hidden)
    # Hidden values use their whole range on the rows that were seen.
    some = inputs[:: max(len(inputs) // 20_000, 1)]
    largest = np.maximum((some @ hidden + hidden_bias).max(axis=0, initial=0.0), 1e-6)
    unit = largest / VALUE_LIMIT
    out, out_scale = _whole(weights * unit[:, None])
    return Perceptron(
        mean,
        step,
        whole,
        (whole_scale * (SPREAD / VALUE_LIMIT) / unit).astype(np.float32),
        (hidden_bias / unit).astype(np.float32),
        out,
        out_scale.astype(np.float32),
        bias.astype(np.float32),
    )


def _whole(weights: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Columns as whole numbers, and the size of one in each."""
    scale = np.maximum(np.abs(weights).max(axis=0, initial=0.0), 1e-9) / WEIGHT_LIMIT
    return np.rint(weights / scale).astype(np.int8), scale
