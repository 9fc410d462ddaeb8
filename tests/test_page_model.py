from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import pages, seed_pages, text_of

from filter.classify import lexical_context
from filter.context import Context, LineOrder
from filter.page_model import KINDS, SURROUNDINGS, Calibration, against_all, as_odds
from filter.segment import fold, segment


def seen_of(texts: list[str], model) -> Context:
    batch = segment(texts)
    return lexical_context(batch, fold(batch), model)


@given(st.lists(st.lists(st.floats(-20, 20, width=32), min_size=3, max_size=3), min_size=1, max_size=9))
def test_odds_are_those_of_the_three_kinds(outputs):
    values = np.array(outputs, np.float32)
    # Not divided by their sum: one minus a share that is nearly one would be nothing but rounding.
    mass = np.exp(values.astype(np.float64))
    genuine, furniture, injected = (mass[:, KINDS.index(kind)] for kind in ("genuine", "furniture", "injected"))
    log = np.log
    assert np.allclose(
        as_odds(values), np.stack((log(injected / (genuine + furniture)), log(furniture / genuine)), axis=1), atol=1e-3
    )
    assert np.allclose(against_all(values)[:, 1], log(furniture / (genuine + injected)), atol=1e-3)


@given(st.lists(pages, min_size=1, max_size=4))
def test_probabilities_of_a_page_are_the_same_bits_in_any_batch(tiny_model, texts):
    together = (
        np.stack(tiny_model.page_model.probabilities(seen_of(texts, tiny_model)), axis=1)
        if any(map(str.strip, texts))
        else None
    )
    alone = [
        np.stack(tiny_model.page_model.probabilities(seen_of([text], tiny_model)), axis=1)
        for text in texts
        if text.strip()
    ]
    assert together is None or together.tobytes() == np.concatenate(alone).tobytes()


def test_the_second_look_knows_what_the_first_said_of_the_neighbours(tiny_model):
    text = text_of(next(page for page in seed_pages() if page.name and len(page.lines) > 15))
    seen = seen_of([text], tiny_model)
    alone = replace(seen, order=LineOrder.of(np.arange(len(seen.lines))))
    with_page, without = (tiny_model.page_model.odds(one) for one in (seen, alone))
    assert np.abs(with_page - without).max() > 0.1
    first = tiny_model.page_model.first_odds(seen.values)
    assert (
        len(tiny_model.page_model.second.mean)
        == seen.values.shape[1] + len(SURROUNDINGS)
        == seen.values.shape[1] + 5 * first.shape[1]
    )


@pytest.mark.parametrize("lexical_slope", [0.0, 0.5])
def test_calibration_rises_with_the_odds(lexical_slope):
    odds = np.linspace(-40, 40, 81, dtype=np.float32)
    found = Calibration(0.8, -0.3, lexical_slope).probability(odds, np.zeros_like(odds))
    assert (np.diff(found) >= 0).all()
    assert found[0] < 0.01
    assert found[-1] > 0.99
    more = Calibration(0.8, -0.3, lexical_slope).probability(odds, np.ones_like(odds))
    assert (more >= found).all()
