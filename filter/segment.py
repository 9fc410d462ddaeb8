r"""Texts to one batch of lines: arrays over all lines of all pages, no Python object a line.

A line ends at ``\n``. Line `i` of a batch is ``codes[starts[i]:ends[i]]``; ``codes[ends[i]]`` is its line feed,
and ``codes[starts[i] - 1]`` the one before it, so that every line has a boundary on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from filter.codepoints import CLASS, CLASSES, LETTER_CLASSES, NEWLINE, ZERO, Codes, class_table, fold_table, to_codes

Indices = NDArray[np.int64]
Floats = NDArray[np.float32]
SPELLED = 4
"""Letters that stand one by one and make a word."""
_LETTER, _BETWEEN = 1, 2
BATCH_CODES = 96_000
"""Code points in a batch: enough to hide the cost of a NumPy call, few enough to stay in the cache."""


@dataclass(frozen=True, slots=True)
class Batch:
    r"""Lines of some pages.

    Attributes
    ----------
    texts : tuple of str
        The pages.
    codes : ndarray of uint32
        Their code points, a line feed before, between and after them.
    starts, ends : ndarray of int64, shape (n_lines,)
        Where each line lies in `codes`.
    page_of : ndarray of int64, shape (n_lines,)
        Index of the page of each line.
    first_line : ndarray of int64, shape (n_pages + 1,)
        Index of the first line of each page, and the number of lines.
    page_start : ndarray of int64, shape (n_pages,)
        Where each page begins in `codes`.
    """

    texts: tuple[str, ...]
    codes: Codes
    starts: Indices
    ends: Indices
    page_of: Indices
    first_line: Indices
    page_start: Indices


@dataclass(frozen=True, slots=True)
class Folded:
    """A batch as the classifier sees it: folded code points, and where its lines lie in them.

    Attributes
    ----------
    codes : ndarray of uint32
        Folded code points, invisible characters dropped.
    starts, ends : ndarray of int64, shape (n_lines,)
        Where each line lies in `codes`.
    origin : ndarray of int64 or None
        Where each folded code point stood before; None where nothing was dropped.
    """

    codes: Codes
    starts: Indices
    ends: Indices
    origin: Indices | None


def segment(texts: Sequence[str]) -> Batch:
    r"""Cut pages into lines.

    Parameters
    ----------
    texts : sequence of str
        Pages. A line feed at the very end of a page ends its last line and starts none.

    Returns
    -------
    Batch

    Examples
    --------
    >>> batch = segment(["one\n\ntwo\n", ""])
    >>> [(int(p), int(e - s)) for p, s, e in zip(batch.page_of, batch.starts, batch.ends)]
    [(0, 3), (0, 0), (0, 3)]
    """
    bodies = [text[:-1] if text.endswith("\n") else text for text in texts]
    codes = to_codes("\n".join(["", *bodies, ""]))
    feeds = np.flatnonzero(codes == NEWLINE).astype(np.int64)
    starts, ends = feeds[:-1] + 1, feeds[1:]
    lengths = np.fromiter((len(body) for body in bodies), dtype=np.int64, count=len(bodies))
    page_start = 1 + np.concatenate(([0], np.cumsum(lengths + 1)[:-1])) if bodies else np.zeros(0, np.int64)
    page_of = np.searchsorted(page_start, starts, side="right") - 1
    # A page without a character has no line at all.
    real = (
        np.fromiter((len(text) > 0 for text in texts), dtype=bool, count=len(texts))[page_of] if bodies else starts < 0
    )
    starts, ends, page_of = starts[real], ends[real], page_of[real]
    first_line = np.searchsorted(page_of, np.arange(len(texts) + 1))
    return Batch(tuple(texts), codes, starts, ends, page_of, first_line, page_start)


def batches(texts: Iterable[str], size: int = BATCH_CODES) -> Iterator[list[str]]:
    """Group pages so that a group holds about `size` code points; a larger page stands alone.

    Parameters
    ----------
    texts : iterable of str
    size : int
        Code points a group.

    Yields
    ------
    list of str
        Never empty; order is kept.

    Examples
    --------
    >>> list(batches(["aaaa", "b", "c"], size=4))
    [['aaaa'], ['b', 'c']]
    """
    group: list[str] = []
    filled = 0
    for text in texts:
        if group and filled + len(text) > size:
            yield group
            group, filled = [], 0
        group.append(text)
        filled += len(text)
    if group:
        yield group


def fold(batch: Batch) -> Folded:
    """Fold a batch with one look-up; words spelled out letter by letter are put together.

    Parameters
    ----------
    batch : Batch

    Returns
    -------
    Folded

    Examples
    --------
    >>> folded = fold(segment(["ＡB\u200bc 網"]))
    >>> "".join(map(chr, folded.codes[folded.starts[0] : folded.ends[0]]))
    'abc 网'
    """
    codes = fold_table().take(batch.codes, mode="clip")
    folded = _without(Folded(codes, batch.starts, batch.ends, None), codes == 0)
    hidden = spelled_out(folded.codes)
    if not len(hidden):
        return folded
    between = np.zeros(len(folded.codes), bool)
    between[hidden] = True
    return _without(folded, between)


def _without(folded: Folded, gone: NDArray[np.bool_]) -> Folded:
    """Without some of the code points."""
    if not gone.any():
        return folded
    seen = ~gone
    place = np.concatenate(([0], np.cumsum(seen)))
    left = np.flatnonzero(seen).astype(np.int64)
    origin = left if folded.origin is None else folded.origin[left]
    return Folded(folded.codes[seen], place[folded.starts], place[folded.ends], origin)


def spelled_out(codes: Codes) -> Indices:
    r"""Separators between letters that stand one by one, where they spell a word: c a s i n o, c.a.s.i.n.o.

    Parameters
    ----------
    codes : ndarray of uint32
        Folded code points, a line feed before and after every line.

    Returns
    -------
    ndarray of int64
        Places of the separators, all alike in a word, that `SPELLED` letters or more stand between.

    Examples
    --------
    >>> batch = segment(["c a s i n o  w.i.n.s in the U.S."])
    >>> folded = fold(batch)
    >>> "".join(map(chr, folded.codes[folded.starts[0] : folded.ends[0]]))
    'casino  wins in the u.s.'
    """
    table = _spelling_table()
    between: Indices = np.flatnonzero(table.take(codes, mode="clip") == _BETWEEN)
    if len(between) < SPELLED - 1:
        return between[:0]
    # The next such separator stands two places on, and is the same.
    follows = np.diff(between) == 2
    row = np.concatenate(([False], follows)) | np.concatenate((follows, [False]))
    between = between[row & (between > 1) & (between < len(codes) - 2)]
    between = between[(table.take(codes[between - 1]) == _LETTER) & (table.take(codes[between + 1]) == _LETTER)]
    if not len(between):
        return between[:0]
    follows = (np.diff(between) == 2) & (np.diff(codes[between].astype(np.int64)) == 0)
    begins = np.flatnonzero(np.concatenate(([True], ~follows)))
    length = np.diff(begins, append=len(between))
    # Where a word begins or ends with more than one letter, its separators are an author's: "a-b-c and so on".
    before, after = codes[between[begins] - 2], codes[between[begins + length - 1] + 2]
    whole = (table.take(before) != _LETTER) & (table.take(after) != _LETTER)
    spelled: Indices = between[np.repeat((length >= SPELLED - 1) & whole, length)]
    return spelled


@cache
def _spelling_table() -> NDArray[np.uint8]:
    """By code point: a letter, what may stand between letters, or neither."""
    of = np.zeros(len(CLASSES), np.uint8)
    of[[CLASS[name] for name in LETTER_CLASSES]] = _LETTER
    of[[CLASS[name] for name in ("space", "sentence_end", "comma", "separator", "symbol")]] = _BETWEEN
    return of[class_table()]


def with_digits(batch: Batch, folded: Folded) -> Folded:
    r"""A folded batch in which digits are told apart: the rows of a table may differ in nothing else.

    Parameters
    ----------
    batch : Batch
    folded : Folded
        Of that batch.

    Returns
    -------
    Folded

    Examples
    --------
    >>> batch = segment(["May ７, 13"])
    >>> "".join(map(chr, with_digits(batch, fold(batch)).codes)).strip()
    'may 7, 13'
    """
    digits = np.flatnonzero(folded.codes == ZERO)
    if not len(digits):
        return folded
    codes = folded.codes.copy()
    # Digits lie in a row in every script, those of the common ones from a multiple of sixteen on.
    codes[digits] = ZERO + (batch.codes[digits if folded.origin is None else folded.origin[digits]] & 15)
    return replace(folded, codes=codes)


def line_bounds(text: str) -> tuple[Indices, Indices]:
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


def select(folded: Folded, lines: Indices) -> Folded:
    """Some lines of a folded batch, as a batch of their own.

    Parameters
    ----------
    folded : Folded
    lines : ndarray of int64
        Ascending.

    Returns
    -------
    Folded
        `origin` is None: the lines are only to be scored.
    """
    starts, lengths = folded.starts[lines], folded.ends[lines] - folded.starts[lines] + 1
    new_starts = 1 + np.concatenate(([0], np.cumsum(lengths)))
    take = np.repeat(starts - new_starts[:-1], lengths) + np.arange(1, new_starts[-1])
    codes = np.concatenate((np.array([NEWLINE], np.uint32), folded.codes[take]))
    return Folded(codes, new_starts[:-1], new_starts[1:] - 1, None)


def class_counts(batch: Batch, n_classes: int) -> NDArray[np.int64]:
    """How many code points of each class each line holds, before folding.

    Parameters
    ----------
    batch : Batch
    n_classes : int
        Number of classes of `filter.codepoints.CLASSES`.

    Returns
    -------
    ndarray of int64, shape (n_lines, n_classes)
    """
    n_lines = len(batch.starts)
    if not n_lines:
        return np.zeros((0, n_classes), np.int64)
    first = batch.starts[0]
    # What lies between lines, one line feed mostly, counts for the line before it and is taken off again.
    lengths = np.diff(batch.starts, append=len(batch.codes))
    key = np.repeat(np.arange(n_lines) * n_classes, lengths)
    key += class_table().take(batch.codes[first:], mode="clip")
    counts = np.bincount(key, minlength=n_lines * n_classes).reshape(n_lines, n_classes)
    counts[:, int(class_table()[NEWLINE])] -= lengths - (batch.ends - batch.starts)
    return counts
