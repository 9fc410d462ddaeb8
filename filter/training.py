"""Training: labelled lines and pages to a model.

Stage one learns from lines. Stage two learns from whole pages, and must see a line's lexical score as it will be for
a line never seen: scores come from models that were trained without the line's family and page (cross-fitting).
Loose lines are set into pages, junk and honest ones at the same places, so that the place alone teaches nothing.
"""

from __future__ import annotations

import hashlib
import platform
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filter.classify import FURNITURE_COLUMNS, GENUINE_COLUMNS, INJECTED_COLUMNS
from filter.compose import BLANK_LINE, SetPage, compose
from filter.context import Context, Floats, context
from filter.errors import LabelledDataError
from filter.io.labelled import LabelledLine, LabelledPage, read_labelled
from filter.labels import ARTICLE, BLANK, DUPLICATE, FURNITURE, GENUINE, INDEX, INJECTED, LABELS, METADATA
from filter.model import Head, LabelHead, Lexicon, Model, load_model, shipped
from filter.ngrams import N_BUCKETS, line_buckets, window_counts
from filter.page import apply_spans
from filter.policy import NEVER
from filter.segment import batches, fold, segment
from filter.spans import find_repairs
from filter.trees import Trees

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FURNITURE_OF_SOME_KIND = "furniture"
"""Label of training lines known to be page furniture, but not which: extracted pages say only what is content."""
OTHER_FURNITURE = (*(label for label in FURNITURE if label != DUPLICATE), FURNITURE_OF_SOME_KIND)
"""What n-grams can tell from genuine text; a copy of a genuine line reads like it, the page tells."""
FOLDS = 4
PAIR_C = 20.0
LABEL_C = 10.0
LABEL_LINES = 60_000
"""At most so many lines teach the label vectors: more of them cost minutes and change little."""
LABEL_ROWS = 80_000
ARTICLE_SHARES = 5
"""Running text is by far the commonest label, in many languages: it gets so many shares of the lines."""
HIDDEN = 48
PASSES = 20
ADAPT_FOLDS = 2
ADAPT_C = 200.0
TRUST = 6.0
"""How many times as much as the seeds the user's own lines weigh when a retrained model is calibrated."""
OFFSET_UNIT = 0.25
"""Of the old score as a feature: near the size of an n-gram's, so that the solver converges."""
METADATA_LENGTH = 40
"""Characters up to which a line outside an extracted content may be a byline or a date."""
TEASERS = 2
TEASER_LENGTH = 16
TEASER_ENDS = ("...", "…", "", '">', " [...]", "…»")
TREES = 150
LEAVES = 31
DEPTH = 6
"""Every tree is walked to the depth of the deepest: a few deep ones would cost all."""
CAREFUL_INJECTED_LOSS = 0.001
CAREFUL_FURNITURE_LOSS = 0.005

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What a model is made of.

    Attributes
    ----------
    pages : sequence of LabelledPage
        Whole pages.
    loose : sequence of LabelledLine
        Lines without a page.
    weights : dict of str to float
        Weight in stage one by family, and in stage two by name of page; 1 where nothing is said.
    sources : sequence of dict
        For the card: name, licence, rows.
    """

    pages: Sequence[LabelledPage]
    loose: Sequence[LabelledLine]
    weights: dict[str, float] = field(default_factory=dict)
    sources: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Lines:
    """Distinct training lines as columns."""

    texts: list[str]
    labels: list[str]
    families: list[str]
    languages: list[str]
    weight: NDArray[np.float64]
    fold: NDArray[np.int64]


def design_matrix(texts: Sequence[str]) -> csr_matrix:
    """Hashed n-gram counts of lines over the square root of their number: the features of stage one.

    Parameters
    ----------
    texts : sequence of str
        Lines, without line feeds.

    Returns
    -------
    scipy.sparse.csr_matrix of float32, shape (n_lines, 2**18)

    Examples
    --------
    >>> design_matrix(["ab", ""]).shape
    (2, 262144)
    """
    from scipy.sparse import csr_matrix

    rows, counts = [], []
    for group in batches(texts, 400_000):
        folded = fold(segment(["\n".join(group)]))
        buckets, offsets = line_buckets(folded)
        lengths = np.diff(offsets)
        # A line feed at the very end starts no line.
        rows.append(buckets)
        counts.append(np.concatenate((lengths, np.zeros(len(group) - len(lengths), np.int64))))
    length = np.concatenate(counts) if counts else np.zeros(0, np.int64)
    indices = np.concatenate(rows) if rows else np.zeros(0, np.int32)
    data = np.repeat((1.0 / np.sqrt(np.maximum(length, 1))).astype(np.float32), length)
    return csr_matrix((data, indices, np.concatenate(([0], np.cumsum(length)))), shape=(len(length), N_BUCKETS))


def _quantize(weights: NDArray[np.float64], scale: float) -> NDArray[np.int8]:
    return np.clip(np.rint(weights / scale), -127, 127).astype(np.int8)


def _scale(weights: NDArray[np.float64]) -> float:
    """Steps so that all but one in ten thousand of the weights fit: a few large ones must not coarsen the rest."""
    used = np.abs(weights[weights != 0])
    return float(np.quantile(used, 0.9999) / 127) if len(used) else 1.0


def fit_against_genuine(
    matrix: csr_matrix, labels: Sequence[str], against: Collection[str], weight: NDArray[np.float64], c: float = PAIR_C
) -> tuple[NDArray[np.float64], float]:
    """The weight of every n-gram for one kind of junk against genuine text, by logistic regression.

    Parameters
    ----------
    matrix : csr_matrix, shape (n_lines, 2**18)
    labels : sequence of str
    against : collection of str
        Labels of the junk; lines that are neither these nor genuine teach nothing.
    weight : ndarray of float64, shape (n_lines,)
    c : float
        Inverse strength of the L2 penalty.

    Returns
    -------
    weights : ndarray of float64, shape (2**18,)
        Zero where there is nothing to tell apart.
    bias : float
    """
    rows = np.array([i for i, label in enumerate(labels) if label in GENUINE or label in against], np.int64)
    target = np.array([labels[i] in against for i in rows])
    weights = np.zeros(N_BUCKETS)
    if not target.any() or target.all():
        return weights, 0.0
    rarity = _rarity(matrix)
    used, coefficients, intercepts, _ = _logistic(_scaled(matrix[rows], rarity), target, weight[rows], c, 40)
    weights[used] = coefficients[-1] * rarity[used]
    return weights, float(intercepts[-1])


def _rarity(matrix: csr_matrix) -> NDArray[np.float64]:
    """Inverse document frequency of every n-gram: lets rare ones speak, and is folded into the weights."""
    lines_with = np.bincount(matrix.indices, minlength=matrix.shape[1])
    rarity: NDArray[np.float64] = np.log(matrix.shape[0] / (1.0 + lines_with)).clip(0.3)
    return rarity


def _scaled(matrix: csr_matrix, factor: NDArray[np.float64]) -> csr_matrix:
    from scipy.sparse import csr_matrix as sparse

    return sparse(
        (matrix.data * factor[matrix.indices].astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape
    )


def _logistic(
    matrix: csr_matrix, target: NDArray[Any], weight: NDArray[np.float64], c: float, iterations: int, tol: float = 1e-4
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[Any]]:
    """Logistic regression on the columns that occur: columns, one row of coefficients a class, intercepts, classes."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    used = np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]))
    with warnings.catch_warnings():
        # Stopping early is part of the regularisation here, and the same every time.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(C=c, max_iter=iterations, tol=tol).fit(
            matrix[:, used], target, sample_weight=weight
        )
    coefficients, intercepts = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:
        coefficients, intercepts = np.vstack((-coefficients, coefficients)), np.array([-intercepts[0], intercepts[0]])
    return used, coefficients.astype(np.float64), intercepts.astype(np.float64), fitted.classes_


def fit_labels(
    matrix: csr_matrix, labels: Sequence[str], weight: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A weight of every n-gram for every label, by multinomial logistic regression.

    Returns
    -------
    weights : ndarray of float64, shape (2**18, n_labels)
        Zero for labels without lines.
    bias : ndarray of float64, shape (n_labels,)
    """
    known = np.array([INDEX[label] if label in INDEX and label != DUPLICATE else -1 for label in labels])
    chosen = _at_most(known, LABEL_LINES, seed)
    weights = np.zeros((N_BUCKETS, len(LABELS)))
    bias = np.full(len(LABELS), -9.0)
    target = known[chosen]
    if len(set(target.tolist())) < 2:
        return weights, bias
    rarity = _rarity(matrix)
    used, coefficients, intercepts, classes = _logistic(
        _scaled(matrix[chosen], rarity), target, weight[chosen], LABEL_C, 25
    )
    weights[np.ix_(used, classes)] = coefficients.T * rarity[used, None]
    bias[classes] = intercepts
    return weights, bias


def _at_most(known: NDArray[np.int64], limit: int, seed: int) -> NDArray[np.int64]:
    """Rows with a known label, no label with more than its share of the limit."""
    rng = np.random.default_rng(seed)
    share = max(limit // (len(LABELS) + ARTICLE_SHARES - 1), 1)
    picked = []
    for column in range(len(LABELS)):
        rows = np.flatnonzero(known == column)
        most = share * (ARTICLE_SHARES if column == INDEX[ARTICLE] else 1)
        picked.append(rng.choice(rows, most, replace=False) if len(rows) > most else rows)
    return np.sort(np.concatenate(picked))


def fit_lexicon(
    lines: Lines, matrix: csr_matrix, rows: NDArray[np.int64], seed: int, like: Lexicon | None = None
) -> Lexicon:
    """Stage one from some of the lines.

    Parameters
    ----------
    lines : Lines
    matrix : csr_matrix
        Of all lines.
    rows : ndarray of int64
        Which lines to learn from.
    seed : int
    like : Lexicon, optional
        Take scales and biases from it, so that sums of both can be compared.

    Returns
    -------
    Lexicon
    """
    labels = [lines.labels[row] for row in rows]
    part, weight = matrix[rows], lines.weight[rows]
    (injected, injected_bias), (furniture, furniture_bias) = (
        fit_against_genuine(part, labels, against, weight) for against in (INJECTED, OTHER_FURNITURE)
    )
    by_label, label_bias = fit_labels(part, labels, weight, seed)
    pair, pair_scale = _quantized(np.stack((injected, furniture), axis=1), like.pair_scale if like else None)
    quantized, label_scale = _quantized(by_label, like.label_scale if like else None)
    return Lexicon(
        pair,
        pair_scale,
        like.pair_bias if like else np.array([injected_bias, furniture_bias], np.float32),
        quantized,
        label_scale,
        like.label_bias if like else label_bias.astype(np.float32),
    )


def _quantized(weights: NDArray[np.float64], scale: Floats | None) -> tuple[NDArray[np.int8], Floats]:
    """Columns of weights as int8, each with its own step."""
    if scale is None:
        scale = np.array([_scale(column) for column in weights.T], np.float32)
    columns = [_quantize(column, float(step)) for column, step in zip(weights.T, scale, strict=True)]
    return np.ascontiguousarray(np.stack(columns, axis=1)), scale


def gather(data: TrainingSet, seed: int) -> tuple[Lines, list[SetPage], list[int]]:
    """Distinct lines, the pages as indices into them, and the indices of the loose lines.

    A line's fold is that of its page, but of its family where it is injected or loose, so that no model that scores
    it has seen its family.
    """
    index: dict[tuple[str, str], int] = {}
    texts: list[str] = []
    labels: list[str] = []
    families: list[str] = []
    languages: list[str] = []
    folds: list[int] = []

    def add(line: LabelledLine, group: str) -> int:
        key = (line.text, line.label)
        if key not in index:
            index[key] = len(texts)
            texts.append(line.text)
            labels.append(line.label)
            families.append(line.family or line.text)
            languages.append(line.language)
            folds.append(_fold(line.family if line.label in INJECTED and line.family else group, seed))
        return index[key]

    pages = []
    for page in data.pages:
        lines = mended(page)
        if lines:
            placed = tuple(BLANK_LINE if line.label == BLANK else add(line, page.name) for line in lines)
            copies = tuple(add(line, page.name) for line in teasers(lines, page.name))
            pages.append(SetPage(page.name, lines[0].language, placed, data.weights.get(page.name, 1.0), copies))
    loose = [add(line, line.family or line.text) for one in data.loose for line in mended(LabelledPage("", (one,)))]
    weight = np.array([data.weights.get(family, 1.0) for family in families])
    return Lines(texts, labels, families, languages, weight, np.array(folds, np.int64)), pages, loose


def mended(page: LabelledPage) -> Sequence[LabelledLine]:
    """Mend the lines of a page as they will be before they are judged, and take the junk out of mixed ones.

    Parameters
    ----------
    page : LabelledPage

    Returns
    -------
    sequence of LabelledLine
        Of the same length.
    """
    text = "\n".join(line.text for line in page.lines)
    lines = apply_spans(text, find_repairs(text)).split("\n")
    # A genuine line with junk in it would teach that the junk is genuine.
    return [
        replace(line, text=one if line.clean is None else line.clean)
        for line, one in zip(page.lines, lines, strict=True)
    ]


def teasers(lines: Sequence[LabelledLine], name: str) -> list[LabelledLine]:
    """Copies of some of a page's paragraphs, whole and cut short, to be set in elsewhere on the page.

    Parameters
    ----------
    lines : sequence of LabelledLine
    name : str
        Of the page; what is drawn depends on it alone.

    Returns
    -------
    list of LabelledLine
        Labelled `duplicate`.
    """
    rng = np.random.default_rng(_fold(name, 0) + len(lines))
    long = [line for line in lines if line.label == ARTICLE and len(line.text) >= TEASER_LENGTH]
    found = []
    for index in rng.permutation(len(long))[:TEASERS]:
        text = long[index].text
        cut = int(len(text) * rng.uniform(0.3, 0.9))
        copy = text if rng.random() < 0.5 else text[:cut].rstrip() + str(rng.choice(TEASER_ENDS))
        found.append(replace(long[index], text=copy, label=DUPLICATE))
    return found


def _fold(group: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{group}".encode("utf8", "surrogatepass")).digest()[:4], "big") % FOLDS


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """Scores of every line from a model that never saw its group."""

    pair: NDArray[np.int64]
    labels: NDArray[np.int64]


def cross_fit(lines: Lines, matrix: csr_matrix, lexicon: Lexicon, seed: int, say: Say) -> CrossFitted:
    """Score every line by a stage one trained on the other folds."""
    pair = np.zeros((len(lines.texts), 2), np.int64)
    labels = np.zeros((len(lines.texts), len(LABELS)), np.int64)
    for held_out in range(FOLDS):
        say(f"stage one, fold {held_out + 1} of {FOLDS}")
        rest, rows = np.flatnonzero(lines.fold != held_out), np.flatnonzero(lines.fold == held_out)
        if not len(rows):
            continue
        model = fit_lexicon(lines, matrix, rest, seed, like=lexicon)
        part = matrix[rows]
        root = np.sqrt(np.maximum(np.diff(part.indptr), 1))
        # The matrix holds counts over a root; integers come back exactly by rounding.
        pair[rows] = np.rint((part @ model.pair.astype(np.float64)) * root[:, None]).astype(np.int64)
        labels[rows] = np.rint((part @ model.labels.astype(np.float64)) * root[:, None]).astype(np.int64)
    return CrossFitted(pair, labels)


@dataclass(frozen=True, slots=True)
class Seen:
    """What stage two learns from: one row a non-blank line of the composed pages."""

    values: Floats
    names: tuple[str, ...]
    inputs: Floats
    label: NDArray[np.int64]
    page: NDArray[np.int64]
    length: NDArray[np.int64]
    line: NDArray[np.int64]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]


UNKNOWN_KIND = -2


def look(pages: Sequence[SetPage], lines: Lines, scores: CrossFitted, lexicon: Lexicon, seed: int) -> Seen:
    """Context and label scores of every line of the composed pages, with cross-fitted scores."""
    parts: list[tuple[Context, NDArray[np.int64], NDArray[np.int64]]] = []
    texts = ["\n".join(lines.texts[i] if i >= 0 else "" for i in page.lines) for page in pages]
    done = 0
    for group in batches(texts):
        batch = segment(group)
        flat = np.array([i for page in pages[done : done + len(group)] for i in _as_segmented(page.lines)], np.int64)
        score = np.where(flat[:, None] >= 0, scores.pair[flat], 0)
        seen = context(batch, fold(batch), score, lexicon.pair_scale, lexicon.pair_bias)
        parts.append((seen, flat[seen.lines], batch.page_of[seen.lines] + done))
        done += len(group)
    line = np.concatenate([p[1] for p in parts])
    values = np.concatenate([p[0].values for p in parts if len(p[0].lines)])
    lengths = np.array([max(len(text), 1) for text in lines.texts], np.int64)
    windows = np.maximum(window_counts(fold(segment(["\n".join(["", *lines.texts, ""])]))), 1)[1 : len(lines.texts) + 1]
    label_scores = scores.labels[line] * lexicon.label_scale / np.sqrt(windows[line])[:, None] + lexicon.label_bias
    label = np.array([INDEX.get(label, UNKNOWN_KIND) for label in lines.labels], np.int64)
    page = np.concatenate([p[2] for p in parts])
    return Seen(
        values,
        parts[0][0].names,
        np.concatenate((label_scores.astype(np.float32), values), axis=1),
        label[line],
        page,
        lengths[line],
        line,
        np.array([page.weight for page in pages])[page],
        # A page and what was made of it must not stand on both sides of a split.
        np.array([_fold(page.name.rstrip("+"), seed) for page in pages])[page],
    )


def _as_segmented(lines: Sequence[int]) -> Sequence[int]:
    """The lines that `segment` finds: a blank one at the very end is none."""
    return lines[:-1] if lines and lines[-1] < 0 else lines


def fit_trees(values: Floats, target: NDArray[np.bool_], weight: NDArray[np.float64], seed: int) -> Trees:
    """Gradient-boosted trees as plain arrays.

    Parameters
    ----------
    values : ndarray of float32, shape (n, n_features)
    target : ndarray of bool, shape (n,)
    weight : ndarray of float64, shape (n,)
    seed : int

    Returns
    -------
    Trees
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    booster = HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=LEAVES, max_depth=DEPTH, learning_rate=0.12, min_samples_leaf=20, l2_regularization=1.0,
        early_stopping=False, random_state=seed,
    )  # fmt: skip
    booster.fit(values, target, sample_weight=weight)
    # The only place that holds the fitted trees; private in scikit-learn, its layout unchanged since 0.24.
    nodes = [predictor[0].nodes for predictor in booster._predictors]
    return _as_arrays([_children_adjacent(tree) for tree in nodes], float(np.ravel(booster._baseline_prediction)[0]))


def _children_adjacent(tree: NDArray[Any]) -> NDArray[Any]:
    """The nodes of a tree breadth first, so that the right child of a node follows its left one."""
    order = [0]
    for place in order:
        if not tree["is_leaf"][place]:
            order += [int(tree["left"][place]), int(tree["right"][place])]
    new_place = np.empty(len(tree), np.int64)
    new_place[order] = np.arange(len(tree))
    ordered: NDArray[Any] = tree[order].copy()
    ordered["left"] = np.where(ordered["is_leaf"], 0, new_place[ordered["left"]])
    return ordered


def _as_arrays(nodes: Sequence[NDArray[Any]], baseline: float) -> Trees:
    sizes = np.array([len(tree) for tree in nodes])
    roots = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int32)
    tree = np.concatenate(nodes)
    leaf = tree["is_leaf"].astype(bool)
    return Trees(
        np.where(leaf, 0, tree["feature_idx"]).astype(np.int32),
        _rounded_down(np.where(leaf, np.inf, tree["num_threshold"])),
        np.where(leaf, np.arange(len(tree)), tree["left"] + np.repeat(roots, sizes)).astype(np.int32),
        tree["value"].astype(np.float32),
        roots,
        int(tree["depth"].max()),
        baseline,
    )


def _rounded_down(thresholds: NDArray[np.float64]) -> Floats:
    """To float32, never up: the middle of two neighbouring numbers would become the upper one, which goes right."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def fit_head(seen: Seen, rows: NDArray[np.int64], target: NDArray[np.bool_], seed: int) -> tuple[Head, Floats]:
    """Trees with Platt's calibration on pages they had not seen.

    Returns
    -------
    head : Head
    probability : ndarray of float32, shape (len(rows),)
        Of every row, by trees that had not seen its page.
    """
    from sklearn.linear_model import LogisticRegression

    values, group = seen.values[rows], seen.group[rows]
    weight = seen.weight[rows]
    odds = np.zeros(len(rows), np.float32)
    for held_out in range(2):
        test = group % 2 == held_out
        if len(set(target[~test].tolist())) < 2:
            continue
        odds[test] = fit_trees(values[~test], target[~test], weight[~test], seed).predict(values[test])
    trees = fit_trees(values, target, weight, seed) if target.any() and not target.all() else _constant_trees(target)
    slope, offset = 1.0, 0.0
    if target.any() and not target.all():
        platt = LogisticRegression(C=1e6).fit(odds[:, None], target)
        slope, offset = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    probability = (1 / (1 + np.exp(-np.clip(slope * odds + offset, -30, 30)))).astype(np.float32)
    return Head(trees, slope, offset), probability


def _constant_trees(target: NDArray[np.bool_]) -> Trees:
    """A tree that says one thing, where there is nothing to tell apart."""
    leaf = np.zeros(1, np.int32)
    certain = 12.0 if target.any() else -12.0
    return Trees(leaf, np.array([np.inf], np.float32), leaf, np.zeros(1, np.float32), leaf, 0, certain)


def fit_label_head(seen: Seen, seed: int) -> LabelHead:
    """Which label, from label scores and page features, by a perceptron with one hidden layer."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    rows = _at_most(seen.label, LABEL_ROWS, seed)
    inputs, target = seen.inputs[rows], seen.label[rows]
    mean, deviation = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-2)
    hidden = np.zeros((inputs.shape[1], HIDDEN), np.float32)
    weights, bias = np.zeros((HIDDEN, len(LABELS)), np.float32), np.full(len(LABELS), -30.0, np.float32)
    classes = np.unique(target)
    if len(classes) < 2:
        bias[classes] = 0
        return LabelHead(mean, deviation, hidden, np.zeros(HIDDEN, np.float32), weights, bias)
    with warnings.catch_warnings():
        # A fixed number of passes is the regularisation.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = MLPClassifier(
            (HIDDEN,), alpha=1e-3, batch_size=min(256, len(rows)), max_iter=PASSES, random_state=seed
        ).fit(np.clip((inputs - mean) / deviation, -8, 8), target)
    out, out_bias = fitted.coefs_[1], fitted.intercepts_[1]
    if len(classes) == 2:
        out, out_bias = np.hstack((-out, out)) / 2, np.array([-out_bias[0], out_bias[0]]) / 2
    weights[:, classes], bias[classes] = out, out_bias
    return LabelHead(
        mean, deviation, fitted.coefs_[0].astype(np.float32), fitted.intercepts_[0].astype(np.float32), weights, bias
    )


def thresholds(seen: Seen, injected: Floats, junk: Floats) -> dict[str, dict[str, float]]:
    """Thresholds of the policies, from probabilities of pages that the trees had not seen.

    Parameters
    ----------
    seen : Seen
    injected, junk : ndarray of float32, shape (n,)

    Returns
    -------
    dict
        By policy, the probability of having been injected, of being furniture, and of being junk of either kind, from
        which a line goes.
    """
    # On an extracted page the content is what somebody chose: a list of links can be content, and no filter can know.
    # What an author wrote is certain only where every line has a label of its own.
    extracted = np.isin(seen.page, seen.page[seen.label == UNKNOWN_KIND])
    genuine = np.isin(seen.label, GENUINE_COLUMNS)
    exact = genuine & ~extracted if (genuine & ~extracted).any() else genuine
    # Written pages weigh more: they hold the honest lines that junk imitates, and those are the ones to lose.
    sure = _budget(injected[genuine], seen.weight[genuine], CAREFUL_INJECTED_LOSS)
    # What one budget costs is not paid again out of the next.
    left = exact & (injected < sure)
    mass = seen.weight * seen.length
    alone = junk - injected
    furniture = _budget(alone[left], mass[left], CAREFUL_FURNITURE_LOSS)
    left &= alone < furniture
    careful = {
        "injected": sure,
        "furniture": furniture,
        "junk": _budget(junk[left], mass[left], CAREFUL_INJECTED_LOSS),
    }
    return {
        "careful": careful,
        "balanced": {"injected": min(careful["injected"], 0.6), "furniture": 0.5, "junk": 0.5},
        "spam-only": {"injected": careful["injected"], "furniture": NEVER, "junk": NEVER},
    }


def _budget(probability: Floats, mass: NDArray[np.float64], loss: float) -> float:
    """The lowest threshold, one half at least, at which no more than `loss` of the mass would go."""
    order = np.argsort(-probability)
    gone = np.cumsum(mass[order]) / max(mass.sum(), 1e-9)
    allowed = int(np.searchsorted(gone, loss, side="right"))
    if allowed >= len(order):
        return 0.5
    return float(max(0.5001, np.nextafter(probability[order[allowed]], np.float32(2))))


def fit(data: TrainingSet, *, seed: int = 0, say: Say = lambda message: None) -> Model:
    """Train a model from nothing.

    Parameters
    ----------
    data : TrainingSet
    seed : int
        Of everything that is drawn.
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
    lines, pages, loose = gather(data, seed)
    if len({label in GENUINE for label in lines.labels}) < 2:
        raise LabelledDataError("training needs genuine lines (article, metadata) and others; add what is missing")
    say(f"{len(lines.texts)} lines, {len(pages)} pages")
    matrix = design_matrix(lines.texts)
    lexicon = fit_lexicon(lines, matrix, np.arange(len(lines.texts)), seed)
    scores = cross_fit(lines, matrix, lexicon, seed, say)
    del matrix
    composed = compose(pages, loose, lines.labels, lines.families, lines.languages, seed)
    say(f"stage two, {len(composed)} pages")
    seen = look(composed, lines, scores, lexicon, seed)
    is_injected = np.isin(seen.label, INJECTED_COLUMNS)
    injected, p_injected = fit_head(seen, np.arange(len(seen.label)), is_injected, seed)
    rest = np.flatnonzero(~is_injected & ~_reads_like_metadata(seen))
    is_furniture = np.isin(seen.label, [*FURNITURE_COLUMNS, UNKNOWN_KIND])
    furniture, p_rest = fit_head(seen, rest, is_furniture[rest], seed)
    p_furniture = np.zeros(len(seen.label), np.float32)
    p_furniture[rest] = p_rest
    card = {
        "thresholds": thresholds(seen, p_injected, p_injected + (1 - p_injected) * p_furniture),
        "lines": dict(sorted(Counter(lines.labels).items())),
        "pages": len(pages),
        "sources": list(data.sources),
        "seed": seed,
        "versions": _versions(),
        "metrics": _metrics(seen, p_injected, p_furniture),
    }
    return Model(lexicon, injected, furniture, fit_label_head(seen, seed), card)


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
        "how": "composed pages, lexical scores cross-fitted by family and page, trees two-fold by page",
    }


def _reads_like_metadata(seen: Seen) -> NDArray[np.bool_]:
    """Lines outside the content of an extracted page that are bylines and dates: not junk, whatever the extraction says."""
    scores = seen.inputs[:, : len(LABELS)]
    best_furniture = scores[:, FURNITURE_COLUMNS].max(axis=1)
    short = seen.length < METADATA_LENGTH
    found: NDArray[np.bool_] = (seen.label == UNKNOWN_KIND) & short & (scores[:, INDEX[METADATA]] > best_furniture)
    return found


def _versions() -> dict[str, str]:
    import scipy
    import sklearn

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
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


def as_training_set(pages: Sequence[LabelledPage]) -> TrainingSet:
    """Named pages as pages, the rest as loose lines."""
    whole = [page for page in pages if page.name]
    return TrainingSet(whole, [line for page in pages if not page.name for line in page.lines if line.label != BLANK])


def shipped_seeds() -> TrainingSet:
    """The labelled lines and pages that come with the package."""
    return as_training_set(read_labelled([Path(shipped("seeds"))]))


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
    The trees stay; a regression on their verdict and the lexical score, on pages composed of seeds and given lines
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
        "versions": _versions(),
        "metrics": {},
    }
    is_injected = np.isin(seen.label, INJECTED_COLUMNS)
    is_furniture = np.isin(seen.label, FURNITURE_COLUMNS)
    # The user's lines and the seeds weigh the same, kind by kind, however few the user's are.
    mine = is_own[seen.line]
    injected = _recalibrated(base.injected, seen, "injected", np.ones(len(mine), bool), is_injected, mine)
    furniture = _recalibrated(base.furniture, seen, "furniture", ~is_injected, is_furniture, mine)
    return Model(lexicon, injected, furniture, base.label_head, card)


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
        new[INDEX[label]] = _on_top(matrix[rows], columns, target, weight, new[INDEX[label]], iterations=20)
    return Lexicon(*_columns(pair), *_columns(new))


def _columns(parts: Sequence[tuple[NDArray[np.int8], float, float]]) -> tuple[NDArray[np.int8], Floats, Floats]:
    weights, scales, biases = zip(*parts, strict=True)
    return np.ascontiguousarray(np.stack(weights, axis=1)), np.array(scales, np.float32), np.array(biases, np.float32)


def _on_top(
    matrix: csr_matrix, columns: NDArray[np.int64], target: NDArray[np.bool_], weight: NDArray[np.float64],
    old: tuple[NDArray[np.int8], float, float], scale: float = 0.0,
    iterations: int = 200,
) -> tuple[NDArray[np.int8], float, float]:  # fmt: skip
    """Old weights plus what the lines add in some columns; the old score is a feature of the regression."""
    from scipy.sparse import csr_matrix as sparse
    from scipy.sparse import hstack

    weights, old_scale, bias = old
    offset = matrix @ (weights.astype(np.float64) * old_scale) + bias
    with_offset = hstack([matrix[:, columns], sparse(offset[:, None] * OFFSET_UNIT)], format="csr")
    used, coefficients, intercepts, _ = _logistic(with_offset, target, weight, ADAPT_C, iterations, 1e-5)
    learned = np.zeros(len(columns) + 1)
    learned[used] = coefficients[-1]
    trust = float(learned[-1]) * OFFSET_UNIT
    new = (trust * old_scale * weights).astype(np.float64)
    new[columns] += learned[:-1]
    new_scale = scale or max(_scale(new), old_scale * 0.5)
    return _quantize(new, new_scale), new_scale, float(intercepts[-1]) + trust * bias


def _recalibrated(
    head: Head, seen: Seen, name: str, rows: NDArray[np.bool_], target: NDArray[np.bool_], mine: NDArray[np.bool_]
) -> Head:
    """The head with a new calibration over its trees and the lexical score; the user's lines weigh as much as the seeds."""
    from sklearn.linear_model import LogisticRegression

    target, mine = target[rows], mine[rows]
    if not target[mine].any() or target.all():
        return head
    values = seen.values[rows]
    weight = np.ones(len(target))
    for kind in (True, False):
        own, others = (target == kind) & mine, (target == kind) & ~mine
        if own.any():
            weight[own] = max(1.0, TRUST * others.sum() / own.sum())
    inputs = np.stack((head.trees.predict(values), values[:, seen.names.index(name)]), axis=1)
    fitted = LogisticRegression(C=1e6).fit(inputs, target, sample_weight=weight)
    return Head(head.trees, float(fitted.coef_[0, 0]), float(fitted.intercept_[0]), float(fitted.coef_[0, 1]))
