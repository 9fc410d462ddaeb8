"""The whole path from text to clean text; everything a caller needs is `PageFilter`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filter.classify import FURNITURE_COLUMNS, GENUINE_COLUMNS, INJECTED_COLUMNS, NO_LABEL, Verdicts, classify
from filter.emit import Runs, joined, runs_of
from filter.explain import Explanation, explain_page
from filter.labels import BLANK, FURNITURE, GENUINE, INJECTED, LABELS
from filter.model import Model, load_model, shipped
from filter.page import Line, Page, Span, apply_spans
from filter.policy import Policy, make_policy
from filter.segment import Batch, batches
from filter.spans import find_repairs

LONGEST_LINE = 1 << 20
"""Code points of a line that are judged: half from its beginning, half from its end."""


class PageFilter:
    r"""Cleans pages with a model under a policy.

    Parameters
    ----------
    model : Model
    policy : Policy

    Examples
    --------
    >>> page_filter = PageFilter.load()
    >>> page = page_filter.clean("The library opens at nine.\n\nBring a card, and a friend if you like.")
    >>> page.text
    'The library opens at nine.\n\nBring a card, and a friend if you like.'
    >>> [line.label for line in page.lines]
    ['article', 'blank', 'article']
    """

    def __init__(self, model: Model, policy: Policy) -> None:
        self.model = model
        self.settings = policy
        self._dropped = np.array([label in policy.dropped for label in LABELS])
        whole = all(set(group) <= policy.dropped or not set(group) & policy.dropped for group in (FURNITURE, INJECTED))
        # Where all of a kind goes or stays, the label of a line decides nothing: it is found when lines are asked for.
        self._labels_decide = not whole or bool(set(GENUINE) & policy.dropped)
        self._lines_asked = False

    @property
    def policy(self) -> str:
        """Name of the policy."""
        return self.settings.name

    @classmethod
    def load(
        cls,
        model: str | Path | None = None,
        *,
        policy: str = "careful",
        only: Sequence[str] = (),
        keep: Sequence[str] = (),
        drop: Sequence[str] = (),
    ) -> PageFilter:
        """Load a model.

        Parameters
        ----------
        model : str or Path, optional
            Folder written by `pagefilter train`; the shipped model by default.
        policy : {"careful", "balanced", "spam-only"}
            ``careful`` drops only what is nearly certain, ``balanced`` aims at the best F1 of the kept text,
            ``spam-only`` drops nothing but injected text.
        only, keep, drop : sequence of str
            Labels: keep only these; keep these too; drop these too.

        Returns
        -------
        PageFilter

        Raises
        ------
        ModelError
            If the folder is missing, incomplete, damaged or of another version.
        PagefilterError
            If the policy or a label does not exist.
        """
        loaded = load_model(Path(model) if model is not None else shipped("models") / "default")
        return cls(loaded, make_policy(policy, loaded.card, only, keep, drop))

    def clean(self, text: str) -> Page:
        r"""Clean one page.

        Parameters
        ----------
        text : str
            Lines end at ``\n``.

        Returns
        -------
        Page
        """
        return self._clean_batch([text])[0]

    def clean_html(self, html: str, url: str | None = None) -> Page:
        """Clean one HTML page; its lines are those a browser would lay out.

        Parameters
        ----------
        html : str
        url : str, optional
            Where the page stood.

        Returns
        -------
        Page
        """
        from filter.html import layout

        return self.clean(layout(html, url))

    def clean_many(self, texts: Iterable[str]) -> Iterator[Page]:
        """Clean pages batch by batch: the way to clean more than one.

        Parameters
        ----------
        texts : iterable of str
            Read as far as the next batch needs.

        Yields
        ------
        Page
            In order; the same that `clean` gives for each.
        """
        for group in batches(texts):
            yield from self._clean_batch(group)

    def explain(self, text: str) -> list[Explanation]:
        """Every line of a page with the strongest reasons for its verdict.

        Parameters
        ----------
        text : str

        Returns
        -------
        list of Explanation
            One a line; a blank line has no reasons.
        """
        judged = shortened(apply_spans(text, find_repairs(text)))
        return explain_page(self.clean(text).lines, judged, self.model)

    def _clean_batch(self, texts: list[str]) -> list[Page]:
        # Whoever asked for the lines of a page will ask for those of the next ones.
        return self._judged(texts, labels=self._labels_decide or self._lines_asked)

    def _lines_of(self, text: str) -> list[Line]:
        """The lines of a page that was cleaned without labels; a page is judged alike in any batch."""
        self._lines_asked = True
        return self._judged([text], labels=True)[0].lines

    def _judged(self, texts: list[str], labels: bool) -> list[Page]:
        repairs = [find_repairs(text) for text in texts]
        # What is judged is the mended page: a mirror's damage says nothing of a line.
        mended = [apply_spans(text, spans) for text, spans in zip(texts, repairs, strict=True)]
        batch, verdicts = classify([shortened(text) for text in mended], self.model, labels=labels)
        kept = self._kept(verdicts)
        blank = verdicts.label == NO_LABEL
        runs = runs_of(kept, blank, batch.first_line)
        dropped = _dropped_kinds(verdicts.label, kept, batch)
        return [
            self._page(index, text, spans, batch, verdicts, kept, runs, labels, dropped[index])
            for index, (text, spans) in enumerate(zip(texts, repairs, strict=True))
        ]

    def _kept(self, verdicts: Verdicts) -> NDArray[np.bool_]:
        """Which lines stay: a label that may go does when its threshold is reached."""
        injected = verdicts.injected >= self.settings.injected
        alone = verdicts.furniture * (1 - verdicts.injected)
        furniture = ~injected & ((alone >= self.settings.furniture) | (verdicts.junk >= self.settings.junk))
        unnamed = np.isin(verdicts.label, GENUINE_COLUMNS)
        likelier = np.where(verdicts.injected > alone, verdicts.kind[:, 2], verdicts.kind[:, 1])
        final = np.where(injected, verdicts.kind[:, 2], np.where(furniture, likelier, verdicts.label))
        certain = injected | furniture | unnamed
        verdicts.label[:] = np.where(verdicts.label == NO_LABEL, NO_LABEL, final)
        stays: NDArray[np.bool_] = (verdicts.label == NO_LABEL) | ~(self._dropped[verdicts.label] & certain)
        return stays

    def _page(
        self,
        index: int,
        text: str,
        repairs: list[Span],
        batch: Batch,
        verdicts: Verdicts,
        kept: NDArray[np.bool_],
        runs: Runs,
        labels: bool,
        dropped: dict[str, int],
    ) -> Page:
        lines = slice(int(batch.first_line[index]), int(batch.first_line[index + 1]))
        if repairs or len(text) > LONGEST_LINE:
            starts, ends = line_bounds(text)
        else:
            starts, ends = batch.starts[lines] - batch.page_start[index], batch.ends[lines] - batch.page_start[index]
        if repairs:
            repairs = [r for r in repairs if kept[lines][np.searchsorted(starts, r.start, side="right") - 1]]
        run = slice(runs.bounds[index], runs.bounds[index + 1])
        first, last = runs.first[run] - lines.start, runs.last[run] - lines.start
        output = joined(text, starts[first].tolist(), ends[last].tolist(), repairs)
        if not labels:
            return Page(output, partial(self._lines_of, text), dropped=dropped)
        make = partial(_lines, text, starts, ends, verdicts.label[lines], verdicts.junk[lines], kept[lines], repairs)
        return Page(output, make, dropped=dropped)


def _dropped_kinds(labels: NDArray[np.int8], kept: NDArray[np.bool_], batch: Batch) -> list[dict[str, int]]:
    """How many dropped lines of each page are of each kind."""
    n_pages, gone = len(batch.texts), np.flatnonzero(~kept)
    place = batch.page_of[gone] * len(LABELS) + labels[gone]
    counts = np.bincount(place, minlength=n_pages * len(LABELS)).reshape(n_pages, len(LABELS))
    kinds = {"injected": INJECTED_COLUMNS, "furniture": FURNITURE_COLUMNS, "genuine": GENUINE_COLUMNS}
    by_kind = np.stack([counts[:, columns].sum(axis=1) for columns in kinds.values()], axis=1).tolist()
    return [{kind: count for kind, count in zip(kinds, row, strict=True) if count} for row in by_kind]


def shortened(text: str) -> str:
    r"""The page to judge: of a line longer than any author's the beginning and the end, so that memory stays bounded.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        With as many lines, the same ones blank.

    Examples
    --------
    >>> len(shortened("a line\n" + "word " * 1_000_000))
    1048583
    """
    if len(text) <= LONGEST_LINE:
        return text
    half = LONGEST_LINE // 2
    lines = (line if len(line) <= LONGEST_LINE else line.strip() for line in text.split("\n"))
    return "\n".join(line if len(line) <= LONGEST_LINE else line[:half] + line[-half:] for line in lines)


def line_bounds(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    r"""Where each line of a page begins and ends.

    Parameters
    ----------
    text : str

    Returns
    -------
    starts, ends : ndarray of int64, shape (n_lines,)

    Examples
    --------
    >>> [bound.tolist() for bound in line_bounds("one\n\ntwo\n")]
    [[0, 4, 5], [3, 4, 8]]
    """
    lengths = np.array([len(line) for line in text.removesuffix("\n").split("\n")] if text else [], np.int64)
    ends = np.cumsum(lengths + 1) - 1
    return ends - lengths, ends


def _lines(
    text: str,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    labels: NDArray[np.int8],
    junk: NDArray[np.float32],
    kept: NDArray[np.bool_],
    repairs: Sequence[Span],
) -> list[Line]:
    by_line = {
        int(line): list(group)
        for line, group in groupby(repairs, key=lambda r: np.searchsorted(starts, r.start, side="right") - 1)
    }
    found = []
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        label = LABELS[labels[number]] if labels[number] != NO_LABEL else BLANK
        body = text[start:end]
        spans = tuple(Span(r.start - start, r.end - start, r.label, r.replacement) for r in by_line.get(number, ()))
        output = apply_spans(body, spans) if kept[number] else None
        found.append(Line(number, body, label, float(junk[number]), bool(kept[number]), output, spans))
    return found
