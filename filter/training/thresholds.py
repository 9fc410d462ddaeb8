"""Thresholds of the policies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filter.classify import GENUINE_COLUMNS
from filter.policy import NEVER
from filter.segment import Floats
from filter.training.look import UNKNOWN_KIND, Seen

CAREFUL_INJECTED_LOSS = 0.001
COMPOSED_INJECTED_LOSS = 0.003
EXACT_INJECTED_LOSS = 0.002
"""Of lines on pages whose every line has a label: few pages, hard ones."""
CAREFUL_FURNITURE_LOSS = 0.005
BALANCED_GRID = tuple(step / 100 for step in range(20, 81, 5))


def thresholds(seen: Seen, injected: Floats, junk: Floats) -> dict[str, dict[str, float]]:
    """Thresholds of the policies, from probabilities of pages that the perceptrons had not seen.

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
    # The promise is about pages as they come. On composed ones stand honest lines that junk imitates, in its places: these
    # may cost more, but not much.
    as_they_come, composed = genuine & seen.natural, genuine & ~seen.natural
    sure = max(
        _budget(injected[rows], seen.weight[rows], loss)
        for rows, loss in (
            (as_they_come, CAREFUL_INJECTED_LOSS),
            (composed, COMPOSED_INJECTED_LOSS),
            (exact, EXACT_INJECTED_LOSS),
        )
    )
    # What one budget costs is not paid again out of the next.
    left = exact & (injected < sure)
    mass = seen.weight * seen.length
    alone = junk - injected
    furniture = _budget(alone[left], mass[left], CAREFUL_FURNITURE_LOSS)
    left &= alone < furniture
    best = _best_f1(junk, genuine, seen, extracted & seen.natural)
    careful = {
        "injected": sure,
        "furniture": furniture,
        "junk": _budget(junk[left], mass[left], CAREFUL_INJECTED_LOSS),
    }
    return {
        "careful": careful,
        "balanced": {"injected": min(careful["injected"], 0.6), **dict.fromkeys(("furniture", "junk"), best)},
        "spam-only": {"injected": careful["injected"], "furniture": NEVER, "junk": NEVER},
    }


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


def _budget(probability: Floats, mass: NDArray[np.float64], loss: float) -> float:
    """The lowest threshold, one half at least, at which no more than `loss` of the mass would go."""
    order = np.argsort(-probability)
    gone = np.cumsum(mass[order]) / max(mass.sum(), 1e-9)
    allowed = int(np.searchsorted(gone, loss, side="right"))
    if allowed >= len(order):
        return 0.5
    return float(max(0.5001, np.nextafter(probability[order[allowed]], np.float32(2))))
