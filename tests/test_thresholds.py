"""Thresholds keep what they promise, and promise nothing where the sample is too small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.training.thresholds import controlled, most_of_mean


def pages(n_pages: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and pages of genuine lines: long and short pages, some of which read like junk from end to end."""
    size = rng.integers(1, 60, n_pages)
    odd = rng.random(n_pages) < 0.02
    page = np.repeat(np.arange(n_pages), size)
    return np.where(odd[page], rng.beta(2, 2, len(page)), rng.beta(0.3, 8, len(page))).astype(np.float32), page


@pytest.mark.parametrize("of_mean", [False, True])
def test_on_new_pages_no_more_is_lost_than_was_promised(of_mean: bool) -> None:
    rng = np.random.default_rng(0)
    promised, losses = 0.01, []
    for _ in range(60):
        probability, page = pages(400, rng)
        every = np.ones(len(page), bool)
        found = controlled(probability, np.ones(len(page)), page, every, promised, of_mean=of_mean)
        new, new_page = pages(400, rng)
        size = np.bincount(new_page)
        gone = np.bincount(new_page, new >= found.value)
        losses.append(
            np.minimum(gone / size.mean(), most_of_mean(400, promised)).mean() if of_mean else (gone / size).mean()
        )
        assert found.bound is not None
        assert found.bound <= promised + 1e-9
    assert np.mean(losses) <= promised + 3 * np.std(losses) / len(losses) ** 0.5
    assert np.mean(losses) > promised / 2, "a threshold that loses nothing would keep any promise"


def test_one_page_that_reads_like_junk_does_not_use_up_the_budget_of_all() -> None:
    rng = np.random.default_rng(2)
    page = np.repeat(np.arange(2000), 30)
    probability = rng.beta(0.3, 8, len(page)).astype(np.float32)
    one, every = np.ones(len(page)), np.ones(len(page), bool)
    before = controlled(probability, one, page, every, 0.001, of_mean=True)
    probability[page == 7] = 0.99
    after = controlled(probability, one, page, every, 0.001, of_mean=True)
    assert after.bound is not None
    assert after.bound <= 0.001
    # Its thirty lines count as a third of a page; the card says what was lost of it.
    assert after.value < before.value + 0.1
    assert after.loss > after.bound / 2


def test_too_few_pages_get_no_bound() -> None:
    probability, page = pages(50, np.random.default_rng(1))
    found = controlled(probability, np.ones(len(page)), page, np.ones(len(page), bool), 0.001)
    assert found.bound is None
    assert found.on_card()["bound"] == "no bound"
    nothing = controlled(probability, np.ones(len(page)), page, np.zeros(len(page), bool), 0.001)
    assert (nothing.bound, nothing.pages) == (None, 0)


@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 9)), min_size=1, max_size=80), st.floats(0.001, 0.5)
)
def test_a_larger_loss_never_asks_for_more(rows: list[tuple[float, int]], promised: float) -> None:
    probability = np.array([chance for chance, _ in rows], np.float32)
    page, one, every = np.array([number for _, number in rows]), np.ones(len(rows)), np.ones(len(rows), bool)
    strict, loose = (controlled(probability, one, page, every, loss) for loss in (promised, min(2 * promised, 1)))
    if strict.bound is not None:
        assert loose.value <= strict.value
        assert strict.loss <= promised
