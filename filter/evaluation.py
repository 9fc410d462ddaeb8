"""How well a filter does on labelled lines and pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from filter.intervals import wilson
from filter.io.labelled import LabelledPage
from filter.labels import BLANK, GENUINE, LABELS
from filter.pipeline import PageFilter

BINS = 15


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Precision, recall and F1 of one label, and how many lines carry it."""

    label: str
    precision: float
    recall: float
    f1: float
    lines: int


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of every labelled line that is not blank, as columns of one length.

    Attributes
    ----------
    text, label, said : list of str
        The line, what it is, and what it was called.
    probability : list of float
        Of being junk.
    kept : list of bool
    language, family : list of str
        As labelled; empty where nothing is said.
    """

    text: list[str]
    label: list[str]
    said: list[str]
    probability: list[float]
    kept: list[bool]
    language: list[str]
    family: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """What `evaluate` found.

    Attributes
    ----------
    lines, pages : int
    labels : tuple of LabelScore
        Labels that occur.
    macro_f1 : float
        Mean over them.
    genuine, lost : int
        Lines that are article or metadata, and how many of them were dropped.
    lost_share : float
    lost_interval : tuple of float
        95%, Wilson.
    junk, dropped : int
        Lines that are neither, and how many of them were dropped.
    calibration_error : float
        Expected calibration error of the probability of being junk, in 15 bins of equal width.
    policy : str
    """

    lines: int
    pages: int
    labels: tuple[LabelScore, ...]
    macro_f1: float
    genuine: int
    lost: int
    lost_share: float
    lost_interval: tuple[float, float]
    junk: int
    dropped: int
    calibration_error: float
    policy: str

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, ready for JSON."""
        return asdict(self)


def evaluate(page_filter: PageFilter, pages: Sequence[LabelledPage]) -> Report:
    """Clean labelled pages and compare.

    Parameters
    ----------
    page_filter : PageFilter
    pages : sequence of LabelledPage
        Pages, and loose lines as pages of one line.

    Returns
    -------
    Report

    Examples
    --------
    >>> from filter.io.labelled import LabelledLine
    >>> line = LabelledLine("The mayor opened the new bridge on Sunday morning.", "article")
    >>> evaluate(PageFilter.load(), [LabelledPage("", (line,))]).lost
    0
    """
    return summarise(outcomes(page_filter, pages), page_filter.policy, len(pages))


def outcomes(page_filter: PageFilter, pages: Sequence[LabelledPage]) -> Outcomes:
    """Clean labelled pages, and write down what became of every line.

    Parameters
    ----------
    page_filter : PageFilter
    pages : sequence of LabelledPage

    Returns
    -------
    Outcomes
    """
    found = Outcomes([], [], [], [], [], [], [])
    texts = ["\n".join(line.text for line in page.lines) for page in pages]
    for page, cleaned in zip(pages, page_filter.clean_many(texts), strict=True):
        # A blank line at the very end of a page has no verdict.
        for line, verdict in zip(page.lines, cleaned.lines, strict=False):
            if BLANK not in (line.label, verdict.label):
                found.text.append(line.text)
                found.label.append(line.label)
                found.said.append(verdict.label)
                found.probability.append(verdict.probability)
                found.kept.append(verdict.kept)
                found.language.append(line.language)
                found.family.append(line.family)
    return found


def summarise(found: Outcomes, policy: str, n_pages: int) -> Report:
    """The figures of some outcomes.

    Parameters
    ----------
    found : Outcomes
    policy : str
        Under which they came about.
    n_pages : int

    Returns
    -------
    Report
    """
    is_genuine = np.array([label in GENUINE for label in found.label], dtype=bool)
    stays = np.array(found.kept, dtype=bool)
    scores = _label_scores(found.label, found.said)
    lost = int((is_genuine & ~stays).sum())
    genuine = int(is_genuine.sum())
    return Report(
        len(found.label),
        n_pages,
        scores,
        float(np.mean([score.f1 for score in scores])) if scores else 0.0,
        genuine,
        lost,
        lost / max(genuine, 1),
        wilson(lost, genuine),
        len(found.label) - genuine,
        int((~is_genuine & ~stays).sum()),
        calibration_error(np.array(found.probability), ~is_genuine),
        policy,
    )


def _label_scores(truth: Sequence[str], said: Sequence[str]) -> tuple[LabelScore, ...]:
    true, got, right = Counter(truth), Counter(said), Counter(t for t, s in zip(truth, said, strict=True) if t == s)
    found = []
    for label in LABELS:
        if true[label]:
            precision, recall = right[label] / max(got[label], 1), right[label] / true[label]
            f1 = 2 * right[label] / (got[label] + true[label])
            found.append(LabelScore(label, precision, recall, f1, true[label]))
    return tuple(found)


def calibration_error(probability: np.ndarray[Any, Any], outcome: np.ndarray[Any, Any]) -> float:
    """Expected calibration error.

    Parameters
    ----------
    probability : ndarray of float, shape (n,)
    outcome : ndarray of bool, shape (n,)

    Returns
    -------
    float
        Mean distance between what was said and what came, over bins of equal width, weighted by their lines.

    References
    ----------
    Guo and others, On calibration of modern neural networks, 2017.

    Examples
    --------
    >>> calibration_error(np.array([0.0, 1.0, 1.0]), np.array([False, True, True]))
    0.0
    """
    if not len(probability):
        return 0.0
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    said = np.bincount(bins, probability, minlength=BINS)
    came = np.bincount(bins, outcome, minlength=BINS)
    return float(np.abs(said - came).sum() / len(probability))


def format_report(report: Report) -> str:
    """The report as a plain table.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
    """
    rows = [f"{report.lines} lines, {report.pages} pages, policy {report.policy}", ""]
    rows.append(f"{'label':<18}{'precision':>10}{'recall':>10}{'F1':>10}{'lines':>8}")
    rows += [f"{s.label:<18}{s.precision:>10.3f}{s.recall:>10.3f}{s.f1:>10.3f}{s.lines:>8}" for s in report.labels]
    rows += [f"{'macro F1':<18}{report.macro_f1:>30.3f}", ""]
    low, high = report.lost_interval
    rows.append(
        f"genuine lines lost   {report.lost} of {report.genuine}: {report.lost_share:.2%}, 95% interval {low:.2%} to {high:.2%}"
    )
    rows.append(f"junk lines dropped   {report.dropped} of {report.junk}: {report.dropped / max(report.junk, 1):.1%}")
    rows.append(f"calibration error    {report.calibration_error:.4f}")
    return "\n".join(rows)
