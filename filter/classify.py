"""From a batch of pages to the label and the calibrated probabilities of every line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filter.context import Context, context
from filter.errors import ModelError
from filter.labels import FURNITURE, GENUINE, INDEX, INJECTED
from filter.model import Lexicon, Model
from filter.ngrams import score_labels, score_lines, window_counts
from filter.second_opinion import SecondOpinion
from filter.segment import Batch, Floats, Folded, Indices, fold, segment, select
from filter.site import Evidence

Gather = Callable[[Batch, Folded], Evidence]
NO_LABEL = -1
"""Label index of a blank line."""
CLEARLY_GENUINE = 0.02
"""Probability of being junk under which a line of running text is not asked for its label: it is article."""
RUNNING_TEXT = 120.0
"""Width from which such a line is running text; shorter ones may be metadata."""

GENUINE_COLUMNS = [INDEX[label] for label in GENUINE]
FURNITURE_COLUMNS = [INDEX[label] for label in FURNITURE]
INJECTED_COLUMNS = [INDEX[label] for label in INJECTED]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the model says of every line of a batch, before any policy.

    Attributes
    ----------
    label : ndarray of int8, shape (n_lines,)
        Index into `filter.labels.LABELS`, or `NO_LABEL` for a blank line.
    kind : ndarray of int8, shape (n_lines, 3)
        Likeliest genuine, furniture and injected label of a line.
    injected : ndarray of float32, shape (n_lines,)
        Probability that the line was injected.
    furniture : ndarray of float32, shape (n_lines,)
        Probability that it is page furniture, if it was not injected.
    """

    label: NDArray[np.int8]
    kind: NDArray[np.int8]
    injected: Floats
    furniture: Floats

    @property
    def junk(self) -> Floats:
        """Probability that a line is neither article nor metadata."""
        return self.injected + (1 - self.injected) * self.furniture


def lexical_context(batch: Batch, folded: Folded, model: Model, evidence: Evidence | None = None) -> Context:
    """Stage one and the page around each line."""
    lexicon, score = model.lexicon, score_lines(folded, model.packed)
    return context(batch, folded, score, lexicon.pair_scale, lexicon.pair_bias, evidence)


def label_inputs(folded: Folded, lines: Indices, values: Floats, lexicon: Lexicon) -> Floats:
    """What the label head sees of some lines.

    Parameters
    ----------
    folded : Folded
    lines : ndarray of int64, shape (n,)
        Indices of lines of the batch, ascending.
    values : ndarray of float32, shape (n, n_features)
        Their context.
    lexicon : Lexicon

    Returns
    -------
    ndarray of float32, shape (n, n_labels + n_features)
    """
    chosen = select(folded, lines)
    windows = np.maximum(window_counts(chosen), 1)[:, None]
    scores = score_labels(chosen, lexicon.labels) * lexicon.label_scale / np.sqrt(windows) + lexicon.label_bias
    return np.concatenate((scores.astype(np.float32), values), axis=1)


def classify(
    texts: Sequence[str],
    model: Model,
    *,
    labels: bool = True,
    evidence: Gather | None = None,
    second_opinion: SecondOpinion | None = None,
) -> tuple[Batch, Verdicts]:
    """Label every line of some pages.

    Parameters
    ----------
    texts : sequence of str
        Pages.
    model : Model
    labels : bool
        Without, only the probabilities are found, a fifth faster: every line that is not blank is called article, and
        the kinds say nothing.
    evidence : callable, optional
        Takes the batch and its folded form; gives what other pages of the site say of every line.
    second_opinion : SecondOpinion, optional
        Asked of lines in doubt.

    Returns
    -------
    batch : Batch
    verdicts : Verdicts
    """
    batch = segment(texts)
    folded = fold(batch)
    seen = lexical_context(batch, folded, model, evidence and evidence(batch, folded))
    n_lines = len(batch.starts)
    verdicts = Verdicts(
        np.full(n_lines, NO_LABEL, np.int8),
        np.tile(np.array([GENUINE_COLUMNS[0], FURNITURE_COLUMNS[0], INJECTED_COLUMNS[0]], np.int8), (n_lines, 1)),
        np.zeros(n_lines, np.float32),
        np.zeros(n_lines, np.float32),
    )
    if len(seen.lines):
        if model.card.get("page_features") != list(seen.names):
            raise ModelError("the model knows other page features than this pagefilter computes; train it again")
        injected, furniture = model.page_model.probabilities(seen)
        if second_opinion is not None:
            injected = second_opinion.revised(batch, seen, injected, furniture)
        verdicts.injected[seen.lines], verdicts.furniture[seen.lines] = injected, furniture
        verdicts.label[seen.lines] = GENUINE_COLUMNS[0]
        if labels:
            _find_labels(verdicts, folded, seen, model)
    return batch, verdicts


def _find_labels(verdicts: Verdicts, folded: Folded, seen: Context, model: Model) -> None:
    injected, furniture = verdicts.injected[seen.lines], verdicts.furniture[seen.lines]
    junk = injected + (1 - injected) * furniture
    doubtful = np.flatnonzero((junk > CLEARLY_GENUINE) | (seen.width < RUNNING_TEXT))
    if not len(doubtful):
        return
    lines = seen.lines[doubtful]
    scores = model.label_head.outputs(label_inputs(folded, lines, seen.values[doubtful], model.lexicon))
    kind = np.stack(
        [_best(scores, columns) for columns in (GENUINE_COLUMNS, FURNITURE_COLUMNS, INJECTED_COLUMNS)], axis=1
    )
    verdicts.kind[lines] = kind
    which = np.where(injected[doubtful] > 0.5, 2, np.where(junk[doubtful] > 0.5, 1, 0))
    # Two halves of doubt can make a whole: junk over one half though neither injected nor furniture is.
    which = np.where((which == 1) & (injected[doubtful] > (1 - injected[doubtful]) * furniture[doubtful]), 2, which)
    verdicts.label[lines] = kind[np.arange(len(lines)), which]


def _best(scores: Floats, columns: list[int]) -> NDArray[np.int8]:
    best: NDArray[np.int8] = np.array(columns, np.int8)[scores[:, columns].argmax(axis=1)]
    return best
