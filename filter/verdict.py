"""What a page is as a whole: clean, injected, spam from end to end, or empty.

A doorway page or a parked domain may hold no line that is certain by itself. So a page is also judged by the mean of its lines:
what is expected to have been injected, against what is expected to be text at all, furniture left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filter.segment import Floats, Indices

CLEAN, INJECTED_INTO, SPAM, EMPTY = VERDICTS = ("clean", "injected", "spam", "empty")


def spam_scores(injected: Floats, junk: Floats, mass: NDArray[np.float64], page: Indices, n_pages: int) -> Floats:
    """Share of the text of each page that is expected to have been injected, page furniture left out.

    Parameters
    ----------
    injected, junk : ndarray of float32, shape (n,)
        Probability that a line was injected, and that it is junk of any kind.
    mass : ndarray of float64, shape (n,)
        Length of each line.
    page : ndarray of int64, shape (n,)
    n_pages : int

    Returns
    -------
    ndarray of float32, shape (n_pages,)

    Examples
    --------
    >>> injected, junk = np.array([0.9, 0.0, 0.0], np.float32), np.array([0.9, 1.0, 0.0], np.float32)
    >>> spam_scores(injected, junk, np.array([10.0, 10.0, 10.0]), np.array([0, 0, 1]), 2).astype(float).round(2).tolist()
    [0.9, 0.0]
    """
    was_put_in = np.bincount(page, mass * injected, n_pages)
    is_text = np.bincount(page, mass * (injected + 1 - junk), n_pages)
    scores: Floats = (was_put_in / np.maximum(is_text, 1.0)).astype(np.float32)
    return scores


def verdicts(scores: Floats, threshold: float, mass: NDArray[np.float64], gone: NDArray[np.bool_],
             was_injected: NDArray[np.bool_], page: Indices) -> tuple[list[str], list[float]]:  # fmt: skip
    """The verdict on each page, and the share of its characters that goes.

    Parameters
    ----------
    scores : ndarray of float32, shape (n_pages,)
    threshold : float
        Score from which a page is spam as a whole.
    mass : ndarray of float64, shape (n,)
        Length of each line; 0 for a blank one.
    gone, was_injected : ndarray of bool, shape (n,)
        Lines that are dropped, and those dropped as injected.
    page : ndarray of int64, shape (n,)

    Returns
    -------
    verdicts : list of str
        Of `VERDICTS`.
    junk_shares : list of float
    """
    n_pages = len(scores)
    total, dropped, injected = (np.bincount(page, mass * which, n_pages) for which in (1.0, gone, was_injected))
    nothing_left = (dropped == total) & (injected > 0)
    choices = [total == 0, nothing_left | (scores >= threshold), injected > 0]
    found = np.select(choices, [EMPTY, SPAM, INJECTED_INTO], CLEAN)
    return found.tolist(), np.round(dropped / np.maximum(total, 1), 4).tolist()
