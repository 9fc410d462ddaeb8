"""What other pages of a site would say of the lines of a training page, drawn by label.

Training pages stand alone: no public set at hand labels every line of many pages of one site. So what a site would say is
drawn, from what is known of sites: menus and notices come back on nearly every page, injected text on most pages or on none
but its own, an author's line seldom (mottos, bylines, recurring headings do). Most pages are left without, for most pages come
so. The shares are assumptions, not measurements; `scripts/evaluate.py` measures on made-up sites of real repetition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filter.labels import ARTICLE, DUPLICATE, INDEX, INJECTED, METADATA
from filter.segment import Indices
from filter.site import FEWEST_PAGES, MOST_PAGES, Evidence

KNOWN_SHARE = 0.3
"""Pages of which something is known."""
ALIKE_SHARE = 0.08
"""Of these, pages that come back whole: printer's copies, a site whose every page is the same."""
TEMPLATE_SHARE = 0.3
"""Of these, pages whose sentences are made alike on purpose, weather reports and data sheets: their shingles come back, the
lines do not."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How lines of a label come back on a site.

    Attributes
    ----------
    often : float
        How often one comes back at all.
    shape : (float, float)
        Of the beta distribution of the share of pages that then carry it.
    partly : float
        How much of the shingles of one that does not come back stands on other pages, at most.
    """

    often: float
    shape: tuple[float, float]
    partly: float


HABITS = {
    "navigation": Habit(0.85, (5, 1), 0.5), "boilerplate": Habit(0.9, (6, 1), 0.4), "advert": Habit(0.7, (3, 1), 0.3),
    "residue": Habit(0.7, (4, 1), 0.5), DUPLICATE: Habit(0.1, (1, 3), 0.1), METADATA: Habit(0.2, (1, 2), 0.3),
    ARTICLE: Habit(0.015, (1, 3), 0.06),
}  # fmt: skip
OTHER_FURNITURE = Habit(0.7, (4, 1), 0.4)
INJECTED_HABIT = Habit(0.65, (3, 1), 0.5)
SHORT_ARTICLE = Habit(0.1, (1, 1.5), 0.15)
"""Mottos and recurring headings."""
SHORT = 40


def drawn_evidence(
    label: NDArray[np.int64], page: Indices, length: Indices, n_pages: int, rng: np.random.Generator
) -> Evidence:
    """Evidence for the lines of some training pages.

    Parameters
    ----------
    label : ndarray of int64, shape (n,)
        Index into `filter.labels.LABELS`, or a negative number where only furniture is known of it.
    page : ndarray of int64, shape (n,)
        Page of each line, ascending.
    length : ndarray of int64, shape (n,)
        In characters.
    n_pages : int
    rng : numpy.random.Generator

    Returns
    -------
    Evidence

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> drawn_evidence(np.zeros(2, int), np.arange(2), np.full(2, 9), 2, rng).pages.shape
    (2,)
    """
    others = np.exp(rng.uniform(np.log(FEWEST_PAGES - 1), np.log(MOST_PAGES), n_pages)).astype(int).astype(np.float32)
    others[rng.random(n_pages) >= KNOWN_SHARE] = 0
    alike = np.where(rng.random(n_pages) < ALIKE_SHARE, rng.beta(3, 1, n_pages), 0.0)
    injected = np.isin(label, [INDEX[name] for name in INJECTED])
    # What was injected into a page was injected together: it comes back together.
    together, share_together = rng.random(n_pages), rng.beta(*INJECTED_HABIT.shape, n_pages)
    line, shingles = np.zeros((2, len(label)), np.float64)
    for rows, habit in _by_habit(label, length, injected):
        of_page = page[rows]
        comes_back = together[of_page] < habit.often if habit is INJECTED_HABIT else rng.random(len(rows)) < habit.often
        share = share_together[of_page] if habit is INJECTED_HABIT else rng.beta(*habit.shape, len(rows))
        line[rows] = np.where(comes_back, share, 0)
        partly = habit.partly * rng.beta(0.5, 2, len(rows))
        shingles[rows] = np.maximum(line[rows], partly)
    template = np.where(rng.random(n_pages) < TEMPLATE_SHARE, rng.random(n_pages), 0.0)
    shingles = np.maximum(shingles, template[page] * rng.beta(4, 1, len(page)))
    line = np.maximum(line, alike[page])
    known = others[page]
    # A share is of whole pages.
    line = np.rint(line * known) / np.maximum(known, 1)
    shingles = np.where(known > 0, np.maximum(shingles, line), 0)
    comes_back = np.bincount(page, line, n_pages) > 0
    pages = np.where(comes_back[page], known, 0)
    return Evidence(line.astype(np.float32), shingles.astype(np.float32), pages.astype(np.float32))


def _by_habit(
    label: NDArray[np.int64], length: Indices, injected: NDArray[np.bool_]
) -> list[tuple[NDArray[np.int64], Habit]]:
    short = (label == INDEX[ARTICLE]) & (length < SHORT)
    groups = [(injected, INJECTED_HABIT), (short, SHORT_ARTICLE), (label < 0, OTHER_FURNITURE)]
    groups += [((label == INDEX[name]) & ~short, habit) for name, habit in HABITS.items()]
    return [(np.flatnonzero(rows), habit) for rows, habit in groups if rows.any()]
