"""Training stage two: two looks at every line of whole pages, and their calibration on pages they had not seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from filter.classify import FURNITURE_COLUMNS, INJECTED_COLUMNS
from filter.context import LineOrder, surroundings
from filter.labels import INDEX, LABELS, METADATA
from filter.page_model import KINDS, Calibration, PageModel, against_all, as_odds
from filter.perceptron import Perceptron
from filter.segment import Floats
from filter.training.lexicon import at_most
from filter.training.look import MAYBE_GENUINE, UNKNOWN_KIND, Seen
from filter.training.perceptron import Plan, Task, fit_perceptrons

HIDDEN = 64
NETS = 2
FIRST_PLAN: Plan = ((8, 1e-3), (3, 2e-4))
SECOND_PLAN: Plan = ((4, 1e-3), (2, 2e-4))
LABEL_HIDDEN = 48
LABEL_PLAN: Plan = ((16, 1e-3), (4, 2e-4))
LABEL_ROWS = 80_000
METADATA_LENGTH = 40
"""Characters up to which a line outside an extracted content may be a byline or a date."""
_GENUINE, _FURNITURE, _INJECTED = range(len(KINDS))


def fit_page_model(seen: Seen, seed: int) -> tuple[PageModel, Floats, Floats]:
    """Both looks, and their calibration.

    Parameters
    ----------
    seen : Seen
    seed : int

    Returns
    -------
    page_model : PageModel
    injected, furniture : ndarray of float32, shape (n,)
        Probabilities of every row by perceptrons that had not seen its page.

    Notes
    -----
    The second look must learn from a first look at pages unknown to it, as all are when it is used. Pages are in four
    groups, two to a half: a quarter's model looks at the other quarter of its half, for the second look of that half;
    a half's models look at the other half, for calibration, and for the second look that is kept.
    """
    kind, known = kinds(seen), ~(reads_like_metadata(seen) | reads_genuine(seen))
    teaches = known & ~seen.far
    half, quarter = seen.group % 2, seen.group // 2 % 2

    def task(values: Floats, rows: NDArray[np.bool_]) -> Task:
        rows = rows & teaches
        return Task(values[rows], kind[rows], seen.weight[rows], len(KINDS))

    parts = [(half == h) & (quarter == q) for h in (0, 1) for q in (0, 1)]
    halves = [half == h for h in (0, 1)]
    everything = np.ones(len(kind), bool)
    # What only serves calibration need not be averaged.
    inner_firsts = fit_perceptrons(
        [task(seen.values, rows) for rows in parts], hidden=HIDDEN, plan=FIRST_PLAN, seed=seed, n_nets=1
    )
    *outer_firsts, first = fit_perceptrons(
        [task(seen.values, rows) for rows in (*halves, everything)],
        hidden=HIDDEN, plan=FIRST_PLAN, seed=seed, n_nets=NETS,
    )  # fmt: skip
    order = LineOrder.of(seen.page)
    inner = _looked_at(seen.values, inner_firsts, [parts[1], parts[0], parts[3], parts[2]], against_all)
    outer = _looked_at(seen.values, outer_firsts, [halves[1], halves[0]], against_all)
    within, across = (np.concatenate((seen.values, surroundings(order, odds)), axis=1) for odds in (inner, outer))
    *seconds, second = fit_perceptrons(
        [*(task(within, rows) for rows in halves), task(across, everything)],
        hidden=HIDDEN, plan=SECOND_PLAN, seed=seed, n_nets=NETS,
    )  # fmt: skip
    odds = _looked_at(across, seconds, [halves[1], halves[0]], as_odds)
    is_injected, is_furniture = kind == _INJECTED, kind == _FURNITURE
    injected = calibrated(odds[:, 0], is_injected, seen.weight)
    rest = teaches & ~is_injected
    furniture = calibrated(odds[rest, 1], is_furniture[rest], seen.weight[rest])
    lexical = np.zeros(len(kind), np.float32)
    p_injected, p_furniture = (c.probability(odds[:, i], lexical) for i, c in enumerate((injected, furniture)))
    return PageModel(first, second, injected, furniture), p_injected, p_furniture


def kinds(seen: Seen) -> NDArray[np.int64]:
    """Kind of every row, an index into `filter.page_model.KINDS`."""
    is_furniture = np.isin(seen.label, [*FURNITURE_COLUMNS, UNKNOWN_KIND, MAYBE_GENUINE])
    return np.where(np.isin(seen.label, INJECTED_COLUMNS), _INJECTED, np.where(is_furniture, _FURNITURE, _GENUINE))


def _looked_at(
    values: Floats, models: list[Perceptron], rows: list[NDArray[np.bool_]], as_odds: Callable[[Floats], Floats]
) -> Floats:
    """Log-odds of every row by the model that it is given to."""
    odds = np.zeros((len(values), 2), np.float32)
    for model, chosen in zip(models, rows, strict=True):
        odds[chosen] = as_odds(model.outputs(values[chosen]))
    return odds


def calibrated(odds: Floats, target: NDArray[np.bool_], weight: NDArray[np.float64]) -> Calibration:
    """Platt's calibration; none where there is nothing to tell apart."""
    from sklearn.linear_model import LogisticRegression

    if not target.any() or target.all():
        return Calibration(1.0, 0.0)
    platt = LogisticRegression(C=1e6).fit(odds[:, None], target, sample_weight=weight)
    return Calibration(float(platt.coef_[0, 0]), float(platt.intercept_[0]))


def reads_like_metadata(seen: Seen) -> NDArray[np.bool_]:
    """Lines outside the content of an extracted page that are bylines and dates: not junk, whatever the extraction says."""
    scores = seen.inputs[:, : len(LABELS)]
    best_furniture = scores[:, FURNITURE_COLUMNS].max(axis=1)
    short = seen.length < METADATA_LENGTH
    found: NDArray[np.bool_] = (seen.label == UNKNOWN_KIND) & short & (scores[:, INDEX[METADATA]] > best_furniture)
    return found


def reads_genuine(seen: Seen) -> NDArray[np.bool_]:
    """Paragraphs outside the content of an extracted page that read like none of its notices: other posts, comments."""
    found: NDArray[np.bool_] = (seen.label == MAYBE_GENUINE) & (seen.column("furniture") < 0)
    return found


def fit_label_head(seen: Seen, seed: int) -> Perceptron:
    """Which label, from label scores and page features; drawn rows of a label stand for all of it, so that rare ones stay rare."""
    rows = at_most(seen.label, LABEL_ROWS, seed)
    drawn, there = (
        np.bincount(some, minlength=len(LABELS)) for some in (seen.label[rows], seen.label[seen.label >= 0])
    )
    weight = there / np.maximum(drawn, 1)
    task = Task(seen.inputs[rows], seen.label[rows], weight[seen.label[rows]], len(LABELS))
    return fit_perceptrons([task], hidden=LABEL_HIDDEN, plan=LABEL_PLAN, seed=seed)[0]
