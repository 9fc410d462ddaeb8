"""Composed pages as stage two will see them, with lexical scores of models that never saw the lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from filter.context import Context, context
from filter.labels import ARTICLE, INDEX
from filter.model import Lexicon
from filter.ngrams import window_counts
from filter.segment import Floats, batches, fold, segment
from filter.training.compose import SetPage
from filter.training.data import FURNITURE_OF_SOME_KIND, UNDECIDED, Lines, fold_of
from filter.training.lexicon import CrossFitted
from filter.training.sites import SHORT, drawn_evidence

UNKNOWN_KIND, MAYBE_GENUINE = -2, -3
"""Labels of a line that is furniture but not known of which kind, and of one that is furniture or not."""
NEAR_ROWS = 12
_WITHOUT_LABEL = {FURNITURE_OF_SOME_KIND: UNKNOWN_KIND, UNDECIDED: MAYBE_GENUINE}


@dataclass(frozen=True, slots=True)
class Seen:
    """What stage two learns from: one row a non-blank line of the composed pages.

    `natural` are lines of pages as they came: nothing was set into these. `composed` are lines of pages that something was
    set into, or that were put together of other pages' lines. `far` are lines of extracted pages far
    from what was set in: they say what they say on the page as it came.
    """

    values: Floats
    names: tuple[str, ...]
    inputs: Floats
    label: NDArray[np.int64]
    page: NDArray[np.int64]
    length: NDArray[np.int64]
    line: NDArray[np.int64]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]
    natural: NDArray[np.bool_]
    composed: NDArray[np.bool_]
    far: NDArray[np.bool_]

    def column(self, name: str) -> Floats:
        """One feature of every row."""
        return self.values[:, self.names.index(name)]

    def only(self, rows: NDArray[np.bool_]) -> Seen:
        """Some of the rows."""
        chosen = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "names"}
        return replace(self, **chosen)


def look(
    pages: Sequence[SetPage], lines: Lines, scores: CrossFitted, lexicon: Lexicon, seed: int, n_natural: int = 0
) -> Seen:
    """Context and label scores of every line of the composed pages, with cross-fitted scores.

    The first `n_natural` pages are pages as they came, the others were composed.
    """
    parts: list[tuple[Context, NDArray[np.int64], NDArray[np.int64]]] = []
    texts = ["\n".join(lines.texts[i] if i >= 0 else "" for i in page.lines) for page in pages]
    lengths = np.array([max(len(text), 1) for text in lines.texts], np.int64)
    label = np.array([INDEX[label] if label in INDEX else _WITHOUT_LABEL[label] for label in lines.labels], np.int64)
    rng = np.random.default_rng(seed)
    done = 0
    for group in batches(texts):
        batch = segment(group)
        flat = np.array([i for page in pages[done : done + len(group)] for i in _as_segmented(page.lines)], np.int64)
        score = np.where(flat[:, None] >= 0, scores.pair[flat], 0)
        is_line = flat >= 0
        evidence = drawn_evidence(
            np.where(is_line, label[flat], INDEX[ARTICLE]), batch.page_of, np.where(is_line, lengths[flat], SHORT),
            len(group), rng,
        )  # fmt: skip
        seen = context(batch, fold(batch), score, lexicon.pair_scale, lexicon.pair_bias, evidence)
        parts.append((seen, flat[seen.lines], batch.page_of[seen.lines] + done))
        done += len(group)
    line = np.concatenate([p[1] for p in parts])
    values = np.concatenate([p[0].values for p in parts if len(p[0].lines)])
    windows = np.maximum(window_counts(fold(segment(["\n".join(["", *lines.texts, ""])]))), 1)[1 : len(lines.texts) + 1]
    label_scores = scores.labels[line] * lexicon.label_scale / np.sqrt(windows[line])[:, None] + lexicon.label_bias
    page = np.concatenate([p[2] for p in parts])
    inserted = np.fromiter((int(i) in pages[p].inserted for i, p in zip(line, page, strict=True)), bool, len(line))
    may_be_far = np.array([not one.written and bool(one.inserted) for one in pages])[page]
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
        np.array([fold_of(page.name.rstrip("+"), seed) for page in pages])[page],
        np.array([i < n_natural and not one.name.endswith("+") for i, one in enumerate(pages)], bool)[page],
        np.array([bool(one.inserted) for one in pages], bool)[page],
        may_be_far & ~_near(inserted, page),
    )


def _near(marked: NDArray[np.bool_], page: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Rows within `NEAR_ROWS` of a marked one on the same page."""
    near = np.zeros(len(marked), bool)
    rows = np.flatnonzero(marked)
    for step in range(-NEAR_ROWS, NEAR_ROWS + 1):
        there = np.clip(rows + step, 0, len(marked) - 1)
        near[there[page[there] == page[rows]]] = True
    return near


def _as_segmented(lines: Sequence[int]) -> Sequence[int]:
    """The lines that `segment` finds: a blank one at the very end is none."""
    return lines[:-1] if lines and lines[-1] < 0 else lines
