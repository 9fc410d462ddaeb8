from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.perceptron import MOST_INPUTS, VALUE_LIMIT, WEIGHT_LIMIT, Perceptron
from filter.training import perceptron as training
from filter.training.perceptron import ABSENT, Task, fit_perceptrons

RNG = np.random.default_rng(5)
PLAN = ((6, 1e-2), (2, 1e-3))


def problem(n: int = 900, n_inputs: int = 6) -> Task:
    """Three classes that depend on the inputs, these of different sizes."""
    values = (RNG.normal(size=(n, n_inputs)) * 10.0 ** np.arange(n_inputs)).astype(np.float32)
    target = np.where(values[:, 0] > 0.5, 2, np.where(values[:, 1] > 0, 1, 0))
    return Task(values, target, np.ones(n), 3)


def fitted(task: Task, n_nets: int = 1) -> Perceptron:
    return fit_perceptrons([task], hidden=16, plan=PLAN, seed=0, n_nets=n_nets)[0]


def random_perceptron(n_inputs: int, n_hidden: int, n_outputs: int, seed: int) -> Perceptron:
    rng = np.random.default_rng(seed)

    def floats(size: int) -> np.ndarray:
        return rng.uniform(0.1, 2.0, size).astype(np.float32)

    def whole(*shape: int) -> np.ndarray:
        return rng.integers(-WEIGHT_LIMIT, WEIGHT_LIMIT + 1, shape).astype(np.int8)

    return Perceptron(
        floats(n_inputs), floats(n_inputs) / 100, whole(n_inputs, n_hidden), floats(n_hidden) / 1000, floats(n_hidden),
        whole(n_hidden, n_outputs), floats(n_outputs) / 1000, floats(n_outputs),
    )  # fmt: skip


def by_whole_numbers(net: Perceptron, values: np.ndarray) -> np.ndarray:
    """The same with 64-bit integers in every sum."""
    inputs = np.clip(np.rint((values - net.mean) * (np.float32(1) / net.step)), -VALUE_LIMIT, VALUE_LIMIT).astype(
        np.int64
    )
    sums = (inputs @ net.hidden.astype(np.int64)).astype(np.float32)
    inner = np.clip(np.rint(sums * net.hidden_scale + net.hidden_bias), 0, VALUE_LIMIT).astype(np.int64)
    return (inner @ net.weights.astype(np.int64)).astype(np.float32) * net.scale + net.bias


@given(st.integers(1, MOST_INPUTS), st.integers(1, 40), st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_sums_are_exact(n_inputs, n_hidden, n_rows, seed):
    net = random_perceptron(n_inputs, n_hidden, 3, seed)
    values = np.random.default_rng(seed).normal(size=(n_rows, n_inputs), scale=4).astype(np.float32)
    assert np.array_equal(net.outputs(values), by_whole_numbers(net, values))


def test_the_largest_sums_are_exact():
    """All inputs and weights at their limits, one of them odd: float32 must still tell the sum from its neighbours."""
    one = np.ones(1, np.float32)
    hidden = np.full((MOST_INPUTS, 1), WEIGHT_LIMIT, np.int8)
    hidden[0] -= 1
    net = Perceptron(np.zeros(MOST_INPUTS, np.float32), np.ones(MOST_INPUTS, np.float32), hidden, one, 0 * one,
                     np.ones((1, 1), np.int8), one, 0 * one)  # fmt: skip
    values = np.full((1, MOST_INPUTS), VALUE_LIMIT, np.float32)
    exact = VALUE_LIMIT * (WEIGHT_LIMIT * MOST_INPUTS - 1)
    assert exact < 1 << 24
    assert int((values @ net._hidden)[0, 0]) == exact


def test_whole_numbers_say_what_the_fitted_net_says(monkeypatch):
    kept = []
    original = training._fit_net
    monkeypatch.setattr(training, "_fit_net", lambda *job: kept.append((job, original(*job))) or kept[-1][1])
    task = problem()
    net = fitted(task, n_nets=2)
    inputs = kept[0][0][0]
    exact = np.mean([np.maximum(inputs @ n.hidden + n.hidden_bias, 0) @ n.weights + n.bias for _, n in kept], axis=0)
    assert len(kept) == 2
    assert np.abs(net.outputs(task.values) - exact).max() < 0.02 * np.ptp(exact)
    assert (net.outputs(task.values).argmax(axis=1) == exact.argmax(axis=1)).mean() > 0.99


def test_it_learns():
    task, fresh = problem(), problem()
    assert (fitted(task).outputs(fresh.values).argmax(axis=1) == fresh.target).mean() > 0.9


def test_weights_count():
    """Of two opposite halves the one that weighs more is believed."""
    task = problem()
    flipped = Task(np.concatenate((task.values, task.values)), np.concatenate((task.target, (task.target + 1) % 3)),
                   np.concatenate((np.full(900, 1.0), np.full(900, 0.05))), 3)  # fmt: skip
    assert (fitted(flipped).outputs(task.values).argmax(axis=1) == task.target).mean() > 0.85


@pytest.mark.parametrize("classes", [(0,), (2,), (0, 2), (1, 2)])
def test_a_class_without_rows_is_never_likely(classes):
    task = problem()
    rows = np.isin(task.target, classes)
    outputs = fitted(Task(task.values[rows], task.target[rows], task.weight[rows], 3)).outputs(task.values)
    absent = [c for c in range(3) if c not in classes]
    assert (outputs[:, absent].max(axis=1) < outputs[:, list(classes)].max(axis=1) + ABSENT / 2).all()


def test_no_rows_at_all():
    net = fitted(Task(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0), 3))
    assert net.outputs(np.ones((2, 4), np.float32)).shape == (2, 3)
    assert net.outputs(np.ones((0, 4), np.float32)).shape == (0, 3)
