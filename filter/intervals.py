"""Intervals for shares."""

from __future__ import annotations

from math import sqrt


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95% interval of a share.

    Parameters
    ----------
    hits, n : int
    z : float
        Standard deviations: 1.96 for 95%.

    Returns
    -------
    low, high : float

    References
    ----------
    Wilson, Probable inference, the law of succession, and statistical inference, 1927.

    Examples
    --------
    >>> [round(bound, 3) for bound in wilson(0, 1000)]
    [0.0, 0.004]
    """
    if n == 0:
        return 0.0, 1.0
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)
