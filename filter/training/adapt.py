"""Teaching a model more lines: what `pagefilter train` does on top of the shipped one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filter.classify import FURNITURE_COLUMNS, INJECTED_COLUMNS
from filter.context import LineOrder, surroundings
from filter.errors import LabelledDataError
from filter.labels import GENUINE, INDEX, INJECTED, LABELS
from filter.model import Lexicon, Model
from filter.ngrams import N_BUCKETS
from filter.page_model import Calibration
from filter.segment import Floats
from filter.training.compose import compose
from filter.training.data import OTHER_FURNITURE, Lines, TrainingSet, gather, shipped_seeds
from filter.training.lexicon import CrossFitted, Say, design_matrix, logistic, quantize, scale_of
from filter.training.look import look
from filter.training.versions import versions

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

ADAPT_FOLDS = 2
ADAPT_C = 200.0
TRUST = 16.0
"""How many times as much as the seeds the user's own lines weigh when a retrained model is calibrated."""
OFFSET_UNIT = 0.25
"""Of the old score as a feature: near the size of an n-gram's, so that the solver converges."""


def adapt(base: Model, given: TrainingSet, *, seed: int = 0, say: Say = lambda message: None) -> Model:
    """Teach a model more lines: n-grams learn what the base does not know, stage two how far to trust them.

    Parameters
    ----------
    base : Model
    given : TrainingSet
    seed : int
    say : callable

    Returns
    -------
    Model

    Notes
    -----
    The base's score enters the regression as one more feature, so that the n-grams of the given lines learn only the
    difference, on these lines and the shipped seeds together. The result is one weight an n-gram again, and as fast.
    Stage two stays; a regression on its verdict and the lexical score, on pages composed of seeds and given lines
    that were scored by a model without them, calibrates anew.
    """
    seeds = shipped_seeds()
    lines, pages, loose = gather(TrainingSet([*given.pages, *seeds.pages], [*given.loose, *seeds.loose]), seed)
    own = {(line.text, line.label) for page in given.pages for line in page.lines} | {
        (line.text, line.label) for line in given.loose
    }
    is_own = np.array([key in own for key in zip(lines.texts, lines.labels, strict=True)])
    if len({label in GENUINE for label, mine in zip(lines.labels, is_own, strict=True) if mine}) < 2:
        raise LabelledDataError("training needs genuine lines (article, metadata) and others; add what is missing")
    say(f"{is_own.sum()} lines on top of {(~is_own).sum()} seeds")
    matrix = design_matrix(lines.texts)
    everything = np.arange(len(lines.texts))
    lexicon = _taught(base.lexicon, lines, matrix, everything, is_own)
    pair = np.zeros((len(everything), 2), np.int64)
    for held_out in range(ADAPT_FOLDS):
        say(f"fold {held_out + 1} of {ADAPT_FOLDS}")
        test = lines.fold % ADAPT_FOLDS == held_out
        judge = _taught(base.lexicon, lines, matrix, everything[~test], is_own, labels=False, scale=lexicon.pair_scale)
        root = np.sqrt(np.maximum(np.diff(matrix.indptr), 1))[test, None]
        bias = (judge.pair_bias - lexicon.pair_bias) / lexicon.pair_scale
        pair[test] = np.rint((matrix[test] @ judge.pair.astype(np.float64) + bias) * root).astype(np.int64)
    scores = CrossFitted(pair, np.zeros((len(pair), len(LABELS)), np.int64))
    seen = look(
        compose(pages, loose, lines.labels, lines.families, lines.languages, seed), lines, scores, lexicon, seed
    )
    card = {
        **base.card,
        "lines": dict(sorted(Counter(label for label, mine in zip(lines.labels, is_own, strict=True) if mine).items())),
        "base_weights_sha256": base.digest,
        "sources": [
            *base.card.get("sources", []),
            {"name": "labelled lines given to train", "rows": int(is_own.sum())},
        ],
        "seed": seed,
        "versions": versions(),
        "metrics": {},
    }
    is_injected: NDArray[np.bool_] = np.isin(seen.label, INJECTED_COLUMNS)
    is_furniture = np.isin(seen.label, FURNITURE_COLUMNS)
    # The user's lines and the seeds weigh the same, kind by kind, however few the user's are.
    mine: NDArray[np.bool_] = is_own[seen.line]
    old = base.page_model
    odds = old.second_odds(seen.values, surroundings(LineOrder.of(seen.page), old.first_odds(seen.values)))
    whole = np.ones(len(mine), dtype=bool)
    rest: NDArray[np.bool_] = ~is_injected
    injected = _recalibrated(old.injected, odds[:, 0], seen.column("injected"), whole, is_injected, mine)
    furniture = _recalibrated(old.furniture, odds[:, 1], seen.column("furniture"), rest, is_furniture, mine)
    return Model(lexicon, replace(old, injected=injected, furniture=furniture), base.label_head, card, head=base.head)


def _taught(
    old: Lexicon, lines: Lines, matrix: csr_matrix, rows: NDArray[np.int64], is_own: NDArray[np.bool_], *,
    labels: bool = True, scale: Floats | None = None,
) -> Lexicon:  # fmt: skip
    """The old lexicon plus what some of the lines add to it, in the n-grams of the user's own lines."""
    own = rows[is_own[rows]]
    columns = np.flatnonzero(np.bincount(matrix[own].indices, minlength=N_BUCKETS))
    # The user's lines must be heard among the seeds, however few they are.
    weight = np.where(is_own[rows], max(1.0, len(rows) / max(len(own), 1) / 4), 1.0)
    taught = {lines.labels[row] for row in own}
    said = [lines.labels[row] for row in rows]
    pair = [(old.pair[:, i], float(old.pair_scale[i]), float(old.pair_bias[i])) for i in range(2)]
    for i, against in enumerate((INJECTED, OTHER_FURNITURE)):
        if taught & set(against):
            chosen = np.array([k for k, label in enumerate(said) if label in GENUINE or label in against])
            target = np.array([said[k] in against for k in chosen])
            step = float(scale[i]) if scale is not None else 0.0
            pair[i] = _on_top(matrix[rows[chosen]], columns, target, weight[chosen], pair[i], step)
    new = [(old.labels[:, i], float(old.label_scale[i]), float(old.label_bias[i])) for i in range(len(LABELS))]
    for label in sorted(taught & set(LABELS)) if labels else ():
        target = np.array([one == label for one in said])
        new[INDEX[label]] = _on_top(matrix[rows], columns, target, weight, new[INDEX[label]], iterations=5)
    return Lexicon(*_columns(pair), *_columns(new))


def _columns(parts: Sequence[tuple[NDArray[np.int8], float, float]]) -> tuple[NDArray[np.int8], Floats, Floats]:
    weights, scales, biases = zip(*parts, strict=True)
    return np.ascontiguousarray(np.stack(weights, axis=1)), np.array(scales, np.float32), np.array(biases, np.float32)


def _on_top(
    matrix: csr_matrix, columns: NDArray[np.int64], target: NDArray[np.bool_], weight: NDArray[np.float64],
    old: tuple[NDArray[np.int8], float, float], scale: float = 0.0,
    iterations: int = 45,
) -> tuple[NDArray[np.int8], float, float]:  # fmt: skip
    """Old weights plus what the lines add in some columns; the old score is a feature of the regression."""
    from scipy.sparse import csr_matrix as sparse
    from scipy.sparse import hstack

    weights, old_scale, bias = old
    offset = matrix @ (weights.astype(np.float64) * old_scale) + bias
    with_offset = hstack([matrix[:, columns], sparse(offset[:, None] * OFFSET_UNIT)], format="csr")
    used, coefficients, intercepts, _ = logistic(with_offset, target, weight, ADAPT_C, iterations, 1e-5)
    learned = np.zeros(len(columns) + 1)
    learned[used] = coefficients[-1]
    trust = float(learned[-1]) * OFFSET_UNIT
    new = (trust * old_scale * weights).astype(np.float64)
    new[columns] += learned[:-1]
    new_scale = scale or max(scale_of(new), old_scale * 0.5)
    return quantize(new, new_scale), new_scale, float(intercepts[-1]) + trust * bias


def _recalibrated(
    old: Calibration, odds: Floats, lexical: Floats, rows: NDArray[Any], target: NDArray[Any],
    mine: NDArray[Any],
) -> Calibration:  # fmt: skip
    """A new calibration of old log-odds and the new lexical score; the user's lines weigh `TRUST` times the seeds."""
    from sklearn.linear_model import LogisticRegression

    target, mine = target[rows], mine[rows]
    if not target[mine].any() or target.all():
        return old
    weight = np.ones(len(target))
    for kind in (True, False):
        own, others = (target == kind) & mine, (target == kind) & ~mine
        if own.any():
            weight[own] = max(1.0, TRUST * others.sum() / own.sum())
    fitted = LogisticRegression(C=1e6).fit(np.stack((odds[rows], lexical[rows]), axis=1), target, sample_weight=weight)
    return Calibration(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]), float(fitted.coef_[0, 1]))
