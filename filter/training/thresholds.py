"""Thresholds of the policies, and what may be promised of them.

A promise is kept by conformal risk control with the page as the unit: on `n` pages of which the mean loss at a threshold is
``R`` and never more than ``B``, the expected loss on a page of the same kind is at most ``(n * R + B) / (n + 1)``; the lowest threshold for which that is
no more than promised is taken. Where the sample is too small for any promise, the threshold is where the sample loses that
much, and no bound is stated.

References
----------
Angelopoulos, Bates, Fisch, Lei and Schuster: Conformal Risk Control, 2022 (arXiv:2208.02814).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filter.classify import GENUINE_COLUMNS, INJECTED_COLUMNS
from filter.policy import NEVER
from filter.segment import Floats
from filter.training.look import UNKNOWN_KIND, Seen
from filter.verdict import spam_scores

CAREFUL_INJECTED_LOSS = 0.001
"""Of genuine lines."""
CAREFUL_FURNITURE_LOSS = 0.005
"""Of genuine characters, the last fifth of it for junk of either kind."""
COMPOSED_LOSS = 10.0
"""How many times as much may be lost of honest lines that imitate junk and were set into pages of others."""
CONTENT_LOSS = 1.5
"""How many times as many characters may be lost of what was extracted as content: menus and lists are among it."""
MOST_OF_MEAN = (0.2, 1 / 3)
"""Of the lines of a mean page, how many lost ones of one page count: a loss must be bounded to be controlled, and what one
page can cost is what the sample must make up for. The larger the sample, the more may count."""
MOST_OF_PROMISE = 1 / 3
"""What making up for one page may take of the promise, as long as a page counts as the smaller share at least."""
LOSSES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
"""Points that can be asked for."""
SPAM_PAGE_LOSS = 0.001
"""Of pages with something genuine on them, how many may be called spam as a whole."""
LEAST = 0.2
"""Probability under which nothing goes, whatever loss is allowed: it is likelier genuine by far."""
BALANCED_GRID = tuple(step / 100 for step in range(20, 81, 5))


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold, and what is known of its cost.

    Attributes
    ----------
    value : float
    loss : float
        Mean loss on the pages of the sample.
    bound : float or None
        What the expected loss on a page of that kind is at most; None where the sample is too small to say.
    pages : int
        In the sample.
    """

    value: float
    loss: float
    bound: float | None
    pages: int

    def on_card(self) -> dict[str, Any]:
        """For the model card."""
        bound = "no bound" if self.bound is None else round(self.bound, 5)
        return {"loss": round(self.loss, 5), "bound": bound, "pages": self.pages}


def thresholds(seen: Seen, injected: Floats, junk: Floats) -> dict[str, Any]:
    """Thresholds of the policies, from probabilities of pages that the perceptrons had not seen.

    Parameters
    ----------
    seen : Seen
    injected, junk : ndarray of float32, shape (n,)

    Returns
    -------
    dict
        ``thresholds``: by policy, the probability of having been injected, of being furniture, and of being junk of either
        kind, from which a line goes, and that of having been injected from which a line that is alone goes. ``points``: the
        same for other losses. ``promises``: what careful was chosen by. ``spam_page``: the score of `filter.verdict` from
        which a page is spam as a whole.
    """
    # On an extracted page the content is what somebody chose: a list of links can be content, and no filter can know.
    # What an author wrote is certain only where every line has a label of its own, and how it lies only on pages as they come.
    # So the promise is about those, and a looser bound is kept on the others.
    extracted = np.isin(seen.page, seen.page[seen.label == UNKNOWN_KIND])
    genuine = np.isin(seen.label, GENUINE_COLUMNS)
    exact = next(rows for rows in (genuine & ~extracted & seen.natural, genuine & ~extracted, genuine) if rows.any())
    content = genuine & extracted & seen.natural
    points = [_point(seen, genuine, exact, content, injected, junk, loss / CAREFUL_INJECTED_LOSS) for loss in LOSSES]
    careful, promises = points[LOSSES.index(CAREFUL_INJECTED_LOSS)]
    best = _best_f1(junk, genuine, seen, extracted & seen.natural)
    return {
        "thresholds": {
            "careful": careful,
            "balanced": {**careful, "injected": min(careful["injected"], 0.6), "furniture": best, "junk": best},
            "spam-only": {**careful, "furniture": NEVER, "junk": NEVER},
        },
        "points": [{"loss": loss, **point} for loss, (point, _) in zip(LOSSES, points, strict=True)],
        "promises": {name: promise.on_card() for name, promise in promises.items()},
        "spam_page": _spam_page(seen, genuine, injected, junk),
    }


def _point(
    seen: Seen,
    genuine: NDArray[np.bool_],
    exact: NDArray[np.bool_],
    content: NDArray[np.bool_],
    injected: Floats,
    junk: Floats,
    times: float,
) -> tuple[dict[str, float], dict[str, Threshold]]:
    """Thresholds at so many times the loss of careful, and what they promise."""
    loss = CAREFUL_INJECTED_LOSS * times
    alone = np.bincount(seen.page)[seen.page] == 1
    as_they_come, composed = genuine & seen.natural & ~alone, genuine & seen.composed & ~alone
    one = np.ones(len(injected))
    by_line = controlled(injected, one, seen.page, as_they_come if as_they_come.any() else genuine, loss, of_mean=True)
    # The promise is about pages as they come. Honest lines that imitate junk, set into pages of others, may cost more.
    sure = max(
        by_line.value, controlled(injected, one, seen.page, composed, min(loss * COMPOSED_LOSS, 1), of_mean=True).value
    )
    by_alone = controlled(injected, one, seen.page, genuine & alone, loss)
    # What one budget costs is not paid again out of the next.
    mass = seen.length.astype(float)
    furniture_alone, left = junk - injected, injected < sure
    of_characters = CAREFUL_FURNITURE_LOSS * times

    def within(probability: Floats, share: float) -> tuple[float, Threshold]:
        """The threshold that keeps both bounds, and what is promised of the exact pages."""
        promised = controlled(probability, mass, seen.page, exact & left, min(of_characters * share, 1), of_mean=True)
        if not content.any():
            return promised.value, promised
        loosely = min(of_characters * share * CONTENT_LOSS, 1)
        return max(
            promised.value, controlled(probability, mass, seen.page, content & left, loosely, of_mean=True).value
        ), promised

    furniture, by_character = within(furniture_alone, 0.8)
    left &= furniture_alone < furniture
    either, _ = within(junk, 0.2)
    return (
        {"injected": sure, "furniture": furniture, "junk": either, "alone": by_alone.value},
        {"genuine lines lost as spam": by_line, "lines alone lost as spam": by_alone,
         "genuine characters lost as furniture": by_character},
    )  # fmt: skip


def controlled(
    probability: Floats,
    mass: NDArray[np.float64],
    page: NDArray[np.int64],
    rows: NDArray[np.bool_],
    promised: float,
    *,
    of_mean: bool = False,
) -> Threshold:
    """The lowest threshold, `LEAST` at least, at which no more than promised of a page is expected to go.

    Parameters
    ----------
    probability : ndarray of float32, shape (n,)
    mass : ndarray of float64, shape (n,)
        Of each row.
    page : ndarray of int64, shape (n,)
    rows : ndarray of bool, shape (n,)
        Genuine ones, to be counted.
    promised : float
        Share of a page's mass.
    of_mean : bool
        Count what goes against the mean mass of a page instead of the page's own, of a page at most `most_of_mean`: what is
        promised is then a share of all lines, and a short page weighs no more than its lines.

    Returns
    -------
    Threshold

    Examples
    --------
    >>> probability, one = np.linspace(0, 0.998, 2000, dtype=np.float32), np.ones(2000)
    >>> found = controlled(probability, one, np.arange(2000), one > 0, 0.01)
    >>> round(found.value, 3), round(found.loss, 4), round(found.bound, 4), found.pages
    (0.989, 0.0095, 0.01, 2000)
    """
    if not rows.any():
        return Threshold(1.0, 0.0, None, 0)
    probability = probability[rows]
    _, index = np.unique(page[rows], return_inverse=True)
    of_page = np.bincount(index, mass[rows])
    n_pages = len(of_page)
    whole, most = (np.full(n_pages, of_page.mean()), most_of_mean(n_pages, promised)) if of_mean else (of_page, 1.0)
    share = mass[rows] / np.maximum(whole[index], 1e-9) / n_pages
    allowed = promised - (most - promised) / n_pages
    counted = _counted(probability, share, index, most / n_pages)
    value = _budget(probability, counted, allowed if allowed > 0 else promised)
    gone = probability >= value
    bound = (n_pages * float(counted[gone].sum()) + most) / (n_pages + 1) if allowed > 0 else None
    return Threshold(value, float(share[gone].sum()), bound, n_pages)


def most_of_mean(n_pages: int, promised: float) -> float:
    """Of the lines of a mean page, how many lost ones of one page count.

    Parameters
    ----------
    n_pages : int
        In the sample.
    promised : float

    Returns
    -------
    float

    Examples
    --------
    >>> [round(most_of_mean(n_pages, 0.001), 3) for n_pages in (100, 750, 2000)]
    [0.2, 0.25, 0.333]
    """
    least, most = MOST_OF_MEAN
    return min(max(MOST_OF_PROMISE * promised * n_pages, least), most)


def _counted(
    probability: Floats, share: NDArray[np.float64], page: NDArray[np.int64], most: float
) -> NDArray[np.float64]:
    """What each row adds to what is lost as rows go from the likeliest down, of a page at most so much in all."""
    order = np.lexsort((-probability, page))
    starts = np.flatnonzero(np.diff(page[order], prepend=-1))
    total = np.cumsum(share[order])
    before = np.repeat(total[starts] - share[order][starts], np.diff(starts, append=len(order)))
    within = np.minimum(total - before, most)
    added = np.diff(within, prepend=0.0)
    added[starts] = within[starts]
    counted = np.empty(len(share))
    counted[order] = added
    return counted


def _budget(probability: Floats, mass: NDArray[np.float64], loss: float) -> float:
    """The lowest threshold, `LEAST` at least, at which no more than `loss` of a mass of 1 would go."""
    order = np.argsort(-probability)
    allowed = int(np.searchsorted(np.cumsum(mass[order]), loss, side="right"))
    if allowed >= len(order):
        return LEAST
    return float(max(LEAST, np.nextafter(probability[order[allowed]], np.float32(2))))


def _best_f1(junk: Floats, genuine: NDArray[np.bool_], seen: Seen, rows: NDArray[np.bool_]) -> float:
    """The threshold at which the mean F1 of the characters kept of a page is best; one half where no page was extracted."""
    if not rows.any():
        return 0.5
    _, page = np.unique(seen.page[rows], return_inverse=True)
    mass, wanted, probability = seen.length[rows].astype(float), genuine[rows], junk[rows]
    content = np.bincount(page, mass * wanted)

    def mean_f1(threshold: float) -> float:
        stays = probability < threshold
        right, kept = (np.bincount(page, mass * which, len(content)) for which in (stays & wanted, stays))
        return float(np.mean((2 * right / np.maximum(content + kept, 1))[content > 0]))

    return max(BALANCED_GRID, key=mean_f1)


def _spam_page(seen: Seen, genuine: NDArray[np.bool_], injected: Floats, junk: Floats) -> float:
    """Score from which a page is spam as a whole: so few of those on which half of the text or more is genuine reach it."""
    n_pages = int(seen.page.max(initial=-1)) + 1
    mass = seen.length.astype(float)
    scores = spam_scores(injected, junk, mass, seen.page, n_pages)
    of_genuine, of_injected = (np.bincount(seen.page, mass * which, n_pages)
                               for which in (genuine, np.isin(seen.label, INJECTED_COLUMNS)))  # fmt: skip
    honest = (of_genuine >= of_injected) & (of_genuine > 0) & (np.bincount(seen.page, minlength=n_pages) > 1)
    some = np.flatnonzero(honest)
    return controlled(scores[some], np.ones(len(some)), some, np.ones(len(some), bool), SPAM_PAGE_LOSS).value
