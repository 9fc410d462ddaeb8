"""Training a model from nothing, and the way that `pagefilter train` takes.

Stage one learns from lines. Stage two learns from whole pages, and must see a line's lexical score as it will be for
a line never seen: scores come from models that were trained without the line's family and page (cross-fitting).
Loose lines are set into pages, junk and honest ones at the same places, so that the place alone teaches nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from filter.classify import FURNITURE_COLUMNS, INJECTED_COLUMNS
from filter.encoder import Encoder
from filter.errors import LabelledDataError
from filter.io.labelled import LabelledPage
from filter.labels import GENUINE
from filter.model import Model, load_model, shipped
from filter.segment import Floats
from filter.training.adapt import adapt
from filter.training.compose import compose
from filter.training.data import TrainingSet, as_training_set, gather
from filter.training.grammar import widened
from filter.training.lexicon import Say, design_matrix, fit_lexicon
from filter.training.look import UNKNOWN_KIND, Seen, look
from filter.training.page_model import fit_label_head, fit_page_model
from filter.training.second_opinion import fit_second_opinion
from filter.training.thresholds import thresholds
from filter.training.versions import versions


def fit(data: TrainingSet, *, seed: int = 0, encoder: Encoder | None = None, say: Say = lambda message: None) -> Model:
    """Train a model from nothing.

    Parameters
    ----------
    data : TrainingSet
    seed : int
        Of everything that is drawn.
    encoder : Encoder, optional
        For the second opinion; without, the model has none.
    say : callable
        Told what is being done.

    Returns
    -------
    Model
        The same for the same input.

    Raises
    ------
    LabelledDataError
        If there is no junk, or nothing genuine.
    """
    lines, pages, loose = gather(widened(data, seed), seed)
    if len({label in GENUINE for label in lines.labels}) < 2:
        raise LabelledDataError("training needs genuine lines (article, metadata) and others; add what is missing")
    say(f"{len(lines.texts)} lines, {len(pages)} pages")
    matrix = design_matrix(lines.texts)
    lexicon, scores = fit_lexicon(lines, matrix, seed, say)
    del matrix
    composed = compose(pages, loose, lines.labels, lines.families, lines.languages, seed)
    say(f"stage two, {len(composed)} pages")
    seen = look(composed, lines, scores, lexicon, seed, len(pages))
    page_model, p_injected, p_furniture = fit_page_model(seen, seed)
    card = {
        **thresholds(seen, p_injected, p_injected + (1 - p_injected) * p_furniture),
        "lines": dict(sorted(Counter(lines.labels).items())),
        "pages": len(pages),
        "sources": list(data.sources),
        "seed": seed,
        "versions": versions(),
        "page_features": list(seen.names),
        "metrics": _metrics(seen, p_injected, p_furniture),
    }
    head = None
    if encoder is not None:
        head, revised, read = fit_second_opinion(seen, lines, p_injected, p_furniture, encoder, seed, say)
        judged, revised, furniture = seen.only(read), revised[read], p_furniture[read]
        card["second_opinion"] = {
            "encoder": encoder.name,
            **thresholds(judged, revised, revised + (1 - revised) * furniture),
            "metrics": _metrics(judged, revised, furniture),
        }
    return Model(lexicon, page_model, fit_label_head(seen, seed), card, head=head)


def _metrics(seen: Seen, injected: Floats, furniture: Floats) -> dict[str, Any]:
    """Cross-fitted figures for the card."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    is_injected = np.isin(seen.label, INJECTED_COLUMNS)
    is_furniture = np.isin(seen.label, [*FURNITURE_COLUMNS, UNKNOWN_KIND])
    if not is_injected.any() or not is_furniture.any():
        return {}
    rest = ~is_injected
    return {
        "injected_auc": round(float(roc_auc_score(is_injected, injected)), 4),
        "injected_average_precision": round(float(average_precision_score(is_injected, injected)), 4),
        "furniture_auc": round(float(roc_auc_score(is_furniture[rest], furniture[rest])), 4),
        "how": "composed pages, lexical scores cross-fitted by family and page, stage two two-fold by page",
    }


def train(
    pages: Sequence[LabelledPage], *, scratch: bool = False, seed: int = 0, say: Say = lambda message: None
) -> Model:
    """Train on labelled lines and pages: on top of the shipped model and its seeds, or from nothing.

    Parameters
    ----------
    pages : sequence of LabelledPage
        Pages, and loose lines as pages of one line without a name.
    scratch : bool
        Use only these lines.
    seed : int
    say : callable
        Told what is being done.

    Returns
    -------
    Model

    Raises
    ------
    LabelledDataError
        If there is no junk, or nothing genuine.

    Examples
    --------
    >>> from filter.io.labelled import LabelledLine, LabelledPage
    >>> lines = [LabelledLine("Buy zorblax now", "spam_other"), LabelledLine("The mayor opened the hall.", "article")]
    >>> model = train([LabelledPage("", (line,)) for line in lines])
    >>> model.card["lines"]
    {'article': 1, 'spam_other': 1}
    """
    given = as_training_set(pages)
    return (
        fit(given, seed=seed, say=say)
        if scratch
        else adapt(load_model(shipped("models") / "default"), given, seed=seed, say=say)
    )
