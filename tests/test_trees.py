from __future__ import annotations

import numpy as np
import pytest

from filter import training
from filter.training import fit_trees
from filter.trees import ROWS, Trees

RNG = np.random.default_rng(11)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """Enough to be wrong in; the number changes nothing else."""
    monkeypatch.setattr(training, "TREES", 12)


def problem(n: int, n_features: int = 6, steps: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random features, in `steps` distinct values where given, and a target that depends on them."""
    values = RNG.normal(size=(n, n_features)).astype(np.float32)
    if steps:
        values = np.round(values * steps) / np.float32(steps)
    target = (values[:, 0] * values[:, 1] + values[:, 2] > 0) ^ (RNG.random(n) < 0.1)
    return values.astype(np.float32), target


def fitted(values: np.ndarray, target: np.ndarray):
    """The trees, and the scikit-learn classifier that they were taken from."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    kept: list[HistGradientBoostingClassifier] = []
    original = HistGradientBoostingClassifier.fit

    def remember(self, *arguments, **options):
        kept.append(self)
        return original(self, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HistGradientBoostingClassifier, "fit", remember)
        trees = fit_trees(values, target, np.ones(len(values)), seed=3)
    return trees, kept[0]


@pytest.mark.parametrize(("n", "steps"), [(300, 0), (3000, 0), (2000, 2)])
def test_trees_agree_with_scikit_learn(n, steps):
    values, target = problem(n, steps=steps)
    trees, booster = fitted(values, target)
    fresh = np.concatenate((values, problem(2 * n + 7)[0]))
    assert np.allclose(trees.predict(fresh), booster.decision_function(fresh), atol=1e-4)


def test_neighbouring_numbers_fall_on_the_side_scikit_learn_puts_them():
    """The middle of two neighbouring floats rounds to one of them: it must not be the upper one."""
    lower = RNG.normal(size=40).astype(np.float32)
    upper = np.nextafter(lower, np.float32(np.inf))
    for pair in zip(lower, upper, strict=True):
        values = np.tile(np.array(pair, np.float32), 60)[:, None]
        target = np.tile([False, True], 60)
        trees, booster = fitted(values, target)
        assert np.allclose(trees.predict(values[:2]), booster.decision_function(values[:2]), atol=1e-4)


def test_rows_alone_or_together_give_the_same_bits():
    values, target = problem(2 * ROWS + 5)
    trees, _ = fitted(values, target)
    together = trees.predict(values)
    assert np.array_equal(together[:7], np.concatenate([trees.predict(row[None]) for row in values[:7]]))
    assert np.array_equal(together[ROWS - 3 :], trees.predict(values[ROWS - 3 :]))


def test_contributions_add_up_to_the_prediction():
    values, target = problem(800)
    trees, _ = fitted(values, target)
    rest = trees.predict(values) - trees.contributions(values).sum(axis=1)
    assert np.ptp(rest) < 1e-3


def test_a_feature_that_no_tree_asks_for_contributes_nothing():
    values, target = problem(800)
    values[:, 5] = 0
    trees, _ = fitted(values, target)
    assert not trees.contributions(values)[:, 5].any()


def test_no_rows_give_no_predictions():
    leaf = np.zeros(1, np.int32)
    trees = Trees(leaf, np.array([np.inf], np.float32), leaf, np.zeros(1, np.float32), leaf, 0, -2.5)
    assert trees.predict(np.zeros((0, 3), np.float32)).shape == (0,)
    assert trees.predict(np.zeros((2, 3), np.float32)).tolist() == [-2.5, -2.5]
