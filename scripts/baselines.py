"""What others do with the same pages, and what can be caught without reading a word."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import Any

import numpy as np
import peers
from measuring import cut, share
from splits import Split, with_spam

from filter.context import context
from filter.io.labelled import LabelledLine, LabelledPage
from filter.labels import BLANK, GENUINE, INJECTED
from filter.model import Model
from filter.pipeline import PageFilter
from filter.policy import make_policy
from filter.segment import fold, segment
from filter.training.compose import SAME_LANGUAGE_SHARE

PLACE = ("log_index", "log_index_end", "relative", "mass_before", "log_lines", "blank_before", "blank_after")
DAMAGE = (
    "share_damage",
    "share_question",
    "share_markup",
    "share_invisible",
    "share_fancy",
    "share_emoji",
    "script_distance",
)
LENGTH = (
    "log_width",
    "log_words",
    "log_width_-1",
    "log_width_+1",
    "log_width_around_3",
    "log_width_around_10",
    "log_width_page",
)
LOSSES = (0.001, 0.01)


def artefacts(part: Split) -> dict[str, Any]:
    """How much junk is caught by place, by damage and script, and by all that is no n-gram: what must teach little.

    Parameters
    ----------
    part : Split
        A perceptron is fitted on the features of the composed pages of the training part, and asked of the held-out pages.

    Returns
    -------
    dict
        By group of features: share of the junk caught at each loss, and the area under the curve.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    from filter.training.compose import compose
    from filter.training.data import gather
    from filter.training.grammar import widened

    lines, pages, loose = gather(widened(part.train, 0), 0)
    made = compose(pages, loose, lines.labels, lines.families, lines.languages, 0)
    texts = [[lines.texts[i] if i >= 0 else "" for i in page.lines] for page in made]
    labels = [[lines.labels[i] if i >= 0 else BLANK for i in page.lines] for page in made]
    names, train, is_junk = _features(texts, labels)
    injected, _ = with_spam(part.pages, part.spam, 5, SAME_LANGUAGE_SHARE["junk"])
    held = [*part.pages, *injected]
    _, test, target = _features([[line.text for line in page.lines] for page in held],
                                [[line.label for line in page.lines] for page in held])  # fmt: skip
    groups = {
        "place on the page": [names.index(name) for name in PLACE],
        "damage and script": [names.index(name) for name in DAMAGE],
        "place, length, damage and script": [names.index(name) for name in dict.fromkeys((*PLACE, *LENGTH, *DAMAGE))],
        "all that is no n-gram": [i for i, name in enumerate(names) if not name.startswith(("injected", "furniture"))],
    }
    found = {}
    for name, columns in groups.items():
        fitted = HistGradientBoostingClassifier(max_iter=80, random_state=0).fit(train[:, columns], is_junk)
        odds = fitted.decision_function(test[:, columns])
        found[name] = {"auc": round(float(roc_auc_score(target, odds)), 3)} | {
            f"{loss:.1%}": share(odds[target] > cut(odds[~target], loss)) for loss in LOSSES
        }
    return found


def _features(
    texts: Sequence[Sequence[str]], labels: Sequence[Sequence[str]]
) -> tuple[list[str], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Page features with lexical scores of nothing, and whether each line was injected; genuine and injected lines only."""
    values, target, names = [], [], []
    zero, one = np.zeros(2, np.float32), np.ones(2, np.float32)
    for begin in range(0, len(texts), 50):
        some, said = texts[begin : begin + 50], labels[begin : begin + 50]
        batch = segment(["\n".join(page) for page in some])
        seen = context(batch, fold(batch), np.zeros((len(batch.starts), 2), np.int64), one, zero)
        flat = [
            label
            for page, lines in zip(said, some, strict=True)
            for label in (page[:-1] if lines and not lines[-1] else page)
        ]
        chosen = np.array([flat[line] for line in seen.lines])
        rows = np.isin(chosen, [*GENUINE, *INJECTED])
        values.append(seen.values[rows])
        target.append(np.isin(chosen[rows], list(INJECTED)))
        names = list(seen.names)
    return names, np.concatenate(values), np.concatenate(target)


def others(model: Model, part: Split) -> dict[str, Any]:
    """Every tool on the same held-out pages: junk caught and genuine lines and characters lost.

    Parameters
    ----------
    model : Model
        Of the fold.
    part : Split

    Returns
    -------
    dict
        By kind of page, a list of rows: tool, version, junk caught, genuine lines lost, genuine characters lost.
    """
    real = [page.labelled() for page in [*part.content[: len(part.spam)], *part.chinese]]
    places = {
        "written pages": [*part.pages, *with_spam(part.pages, part.spam, 5, SAME_LANGUAGE_SHARE["junk"])[0]],
        "real pages": with_spam(real, part.spam, 6, SAME_LANGUAGE_SHARE["junk"])[0],
    }
    ours = PageFilter(model, make_policy("careful", model.card))
    spam_only = PageFilter(model, make_policy("spam-only", model.card))
    tools: dict[str, tuple[str, peers.Keep]] = {
        "pagefilter, careful": ("", lambda text, language: ours.clean(text).text),
        "pagefilter, spam-only": ("", lambda text, language: spam_only.clean(text).text),
        **peers.installed(),
    }
    found: dict[str, Any] = {}
    for place, pages in places.items():
        rows = [_row(name, version, *peers.judged(pages, keep)) for name, (version, keep) in tools.items()]
        found[place] = [*rows, _row("TF-IDF and logistic regression, same seeds", metadata.version("scikit-learn"),
                                    _tfidf(part, pages))]  # fmt: skip
    return found


def _row(name: str, version: str, judged: Sequence[tuple[LabelledLine, bool]], failed: int = 0) -> dict[str, Any]:
    spam = [not kept for line, kept in judged if line.label in INJECTED]
    genuine = [(kept, len(line.text)) for line, kept in judged if line.label in GENUINE and line.clean is None]
    chars = sum(size for _, size in genuine)
    return {"tool": name, "version": version, "caught": share(spam), "lines lost": share(not kept for kept, _ in genuine),
            "characters lost": round(sum(size for kept, size in genuine if not kept) / max(chars, 1), 4),
            "failed": failed}  # fmt: skip


def _tfidf(part: Split, pages: Sequence[LabelledPage]) -> list[tuple[LabelledLine, bool]]:
    """A plain line classifier trained on the same lines, its threshold where 0.3% of its own genuine lines would go."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    lines = [line for line in [*part.train.loose, *(line for page in part.train.pages for line in page.lines)]
             if line.label in INJECTED or line.label in GENUINE]  # fmt: skip
    lines = lines[:: max(len(lines) // 20_000, 1)]
    texts, junk = [line.text for line in lines], np.array([line.label in INJECTED for line in lines])
    plain = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 4), max_features=200_000),
        LogisticRegression(C=20, max_iter=30, tol=1e-2),
    )
    odds = cross_val_predict(
        plain, texts, junk, cv=StratifiedKFold(3, shuffle=True, random_state=0), method="decision_function"
    )
    threshold = cut(odds[~junk], 0.003)
    plain.fit(texts, junk)
    rows = [line for page in pages for line in page.lines if line.label != BLANK and peers.squash(line.text)]
    said = plain.decision_function([line.text for line in rows])
    return list(zip(rows, (said <= threshold).tolist(), strict=True))
