"""From the lines that stay to the text that is emitted: runs of lines, for a whole batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filter.page import Span, apply_spans
from filter.segment import Indices


@dataclass(frozen=True, slots=True)
class Runs:
    """Stretches of lines that are emitted together.

    Attributes
    ----------
    first, last : ndarray of int64, shape (n_runs,)
        The first and the last line of each, indices into the batch.
    bounds : list of int, length n_pages + 1
        Which run is the first of each page, and the number of runs.
    """

    first: Indices
    last: Indices
    bounds: list[int]


def runs_of(kept: NDArray[np.bool_], blank: NDArray[np.bool_], first_line: Indices) -> Runs:
    """The runs of each page; blank lines around dropped ones become one, none is left on top or at the end.

    Parameters
    ----------
    kept, blank : ndarray of bool, shape (n_lines,)
    first_line : ndarray of int64, shape (n_pages + 1,)
        Index of the first line of each page, and the number of lines.

    Returns
    -------
    Runs

    Examples
    --------
    >>> kept, blank = np.array([[1, 1, 0, 1, 1], [0, 1, 0, 1, 0]], bool)
    >>> runs = runs_of(kept, blank, np.array([0, 5]))
    >>> runs.first.tolist(), runs.last.tolist()
    ([0, 4], [1, 4])
    """
    shown = kept & ~_needless_blanks(kept, blank, first_line)
    n_lines = len(shown)
    opens, closes = np.ones((2, n_lines + 1), bool)
    opens[1:n_lines] = ~shown[: n_lines - 1]
    opens[first_line] = True
    closes[: n_lines - 1] = ~shown[1:]
    closes[first_line[first_line > 0] - 1] = True
    first, last = np.flatnonzero(shown & opens[:n_lines]), np.flatnonzero(shown & closes[:n_lines])
    return Runs(first, last, np.searchsorted(first, first_line).tolist())


def _needless_blanks(kept: NDArray[np.bool_], blank: NDArray[np.bool_], first_line: Indices) -> NDArray[np.bool_]:
    """Blank lines to leave out: in a gap where a line was dropped all but one, on top and at the end of a page all."""
    needless = np.zeros(len(kept), dtype=bool)
    if kept.all():
        return needless
    # Gaps lie before, between and after the lines that stay; a page begins a new one.
    before = np.concatenate(([0], np.cumsum(kept & ~blank)))
    page = np.repeat(np.arange(len(first_line) - 1), np.diff(first_line))
    gap = before[1:] + page
    touched = np.zeros(int(gap[-1]) + 1, dtype=bool)
    touched[gap[~kept]] = True
    blanks = np.flatnonzero(blank)
    in_gap, in_page = gap[blanks], page[blanks]
    is_first = np.diff(in_gap, prepend=-1) != 0
    top, end = before[first_line[in_page]] + in_page, before[first_line[in_page + 1]] + in_page
    needless[blanks] = touched[in_gap] & ~(is_first & (in_gap > top) & (in_gap < end))
    return needless


def joined(text: str, starts: Sequence[int], ends: Sequence[int], repairs: Sequence[Span]) -> str:
    r"""The text of some runs, repaired.

    Parameters
    ----------
    text : str
        The page.
    starts, ends : sequence of int, length n_runs
        Where each run begins and ends in it.
    repairs : sequence of Span
        In order.

    Returns
    -------
    str

    Examples
    --------
    >>> joined("one\nJUNK\ntwo\n", [0, 9], [3, 12], [])
    'one\ntwo\n'
    """
    if not starts:
        return ""
    # Each run is taken in one slice.
    pieces = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    if repairs:
        for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
            inside = [r for r in repairs if start <= r.start < end]
            moved = [Span(r.start - start, r.end - start, r.label, r.replacement) for r in inside]
            pieces[index] = apply_spans(pieces[index], moved)
    if text.endswith("\n"):
        pieces.append("")
    return "\n".join(pieces)
