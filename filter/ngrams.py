"""Stage one: hashed character 1- to 4-grams of folded lines, int8 weights, integer sums.

Two weights an n-gram score every line, as injected and as page furniture, both against genuine text: one weight for
both kinds of junk was tried, and caught half as much unseen spam at the same loss.

Line boundaries and white space are word boundaries. A window belongs to the line that its first character after a
line feed belongs to; windows that reach over a line feed count nothing. Sums are integers, so every backend and
every chunk size gives the same score to the bit.

References
----------
Weinberger and others, Feature Hashing for Large Scale Multitask Learning, 2009. Multiplicative hashing: Knuth, The
Art of Computer Programming, volume 3, section 6.4.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from filter.codepoints import NEWLINE, Codes
from filter.segment import Folded, Indices

ORDERS = 4
BUCKET_BITS = 18
N_BUCKETS = 1 << BUCKET_BITS
CHUNK = 32_768
"""Windows at a time: the whole corpus at once is several times slower, since nothing stays in the cache."""

_ODD = tuple(np.uint32(odd) for odd in (0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F, 0x165667B1))
"""A multiplier an order: the upper bits of the product depend on every character, and on how many there are."""
_SHIFT = np.uint32(32 - BUCKET_BITS)


def window_counts(folded: Folded) -> Indices:
    """How many windows of 1 to 4 characters each line has, boundaries included.

    Parameters
    ----------
    folded : Folded

    Returns
    -------
    ndarray of int64, shape (n_lines,)

    Examples
    --------
    >>> from filter.segment import fold, segment
    >>> window_counts(fold(segment(["ab"]))).tolist()
    [8]
    """
    return ORDERS * (folded.ends - folded.starts)


def _buckets(codes: Codes, n_windows: int) -> Iterator[NDArray[np.intp]]:
    """Buckets of the windows of 1, 2, 3 and 4 characters at each place; all in one buffer, overwritten by the next."""
    as_word = np.where(codes == NEWLINE, np.uint32(32), codes)
    buckets = np.empty(n_windows, np.intp)
    rolled = np.zeros(n_windows, np.uint32)
    for order, odd in enumerate(_ODD):
        rolled += as_word[order : order + n_windows]
        rolled *= odd
        buckets[:] = rolled >> _SHIFT
        yield buckets


def _crossings(codes: Codes, n_windows: int) -> list[Indices]:
    """For each order, places whose window has a line feed inside, or holds nothing else."""
    feeds = np.flatnonzero(codes == NEWLINE)
    inside = feeds[:, None] - np.arange(1, ORDERS - 1)
    found = [feeds, feeds[:-1][np.diff(feeds) == 1]]
    found += [inside[:, : order - 1].ravel() for order in range(2, ORDERS)]
    return [places[(places >= 0) & (places < n_windows)] for places in found]


def _padded(codes: Codes, begin: int, end: int) -> Codes:
    """The codes of windows that start in [begin, end): three more than windows, line feeds past the end."""
    piece = codes[begin : end + ORDERS - 1]
    short = end + ORDERS - 1 - begin - len(piece)
    return np.concatenate((piece, np.full(short, NEWLINE, np.uint32))) if short else piece


def _chunks(folded: Folded, chunk: int) -> Iterator[tuple[int, Codes, int, Indices, Indices]]:
    """Chunk by chunk: first window, codes, window count, line of each segment, start of each segment."""
    first = folded.starts - 1
    n_windows = int(folded.ends[-1]) if len(folded.ends) else 0
    for begin in range(int(first[0]) if len(first) else 0, n_windows, chunk):
        end = min(begin + chunk, n_windows)
        low, high = np.searchsorted(first, (begin, end))
        lines, cuts = np.arange(low, high), first[low:high] - begin
        if low == high or cuts[0] > 0:
            lines, cuts = np.concatenate(([low - 1], lines)), np.concatenate(([0], cuts))
        yield begin, _padded(folded.codes, begin, end), end - begin, lines, cuts


def pack_pair(weights: NDArray[np.int8]) -> NDArray[np.int32]:
    """Two weights an n-gram in one number, so that one look-up finds both.

    Parameters
    ----------
    weights : ndarray of int8, shape (2**18, 2)

    Returns
    -------
    ndarray of int32, shape (2**18,)
        The first in the high half, the second in the low half; sums of a few can be taken apart again.

    Examples
    --------
    >>> [part.tolist() for part in _unpack_pair(pack_pair(np.array([[3, -5]], np.int8)))]
    [[3], [-5]]
    """
    return weights[:, 0].astype(np.int32) * 65536 + weights[:, 1]


def _unpack_pair(packed: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    low = packed.astype(np.int16).astype(np.int32)
    return (packed - low) >> 16, low


def window_weights(codes: Codes, n_windows: int, pair: NDArray[np.int32]) -> NDArray[np.int32]:
    """Summed packed weights of the windows that start at each place.

    Parameters
    ----------
    codes : ndarray of uint32, shape (n_windows + 3,)
        Folded code points.
    n_windows : int
    pair : ndarray of int32, shape (2**18,)

    Returns
    -------
    ndarray of int32, shape (n_windows,)
    """
    total, found = np.zeros((2, n_windows), dtype=np.int32)
    for bucket, crossing in zip(_buckets(codes, n_windows), _crossings(codes, n_windows), strict=True):
        pair.take(bucket, out=found, mode="clip")
        found[crossing] = 0
        total += found
    return total


def score_lines(folded: Folded, pair: NDArray[np.int32], chunk: int = CHUNK) -> NDArray[np.int64]:
    r"""Sum two weight vectors over the n-grams of every line.

    Parameters
    ----------
    folded : Folded
    pair : ndarray of int32, shape (2**18,)
        From `pack_pair`.
    chunk : int
        Windows at a time; changes nothing but the speed.

    Returns
    -------
    ndarray of int64, shape (n_lines, 2)

    Examples
    --------
    >>> from filter.segment import fold, segment
    >>> pair = pack_pair(np.tile(np.array([1, -2], np.int8), (N_BUCKETS, 1)))
    >>> score_lines(fold(segment(["ab\n\nc"])), pair).tolist()
    [[8, -16], [0, 0], [4, -8]]
    """
    sums = np.zeros((len(folded.starts), 2), dtype=np.int64)
    for _, codes, n_windows, lines, cuts in _chunks(folded, chunk):
        for column, weights in enumerate(_unpack_pair(window_weights(codes, n_windows, pair))):
            sums[lines, column] += np.add.reduceat(weights, cuts, dtype=np.int64)
    return sums


def score_labels(folded: Folded, weights: NDArray[np.int8], chunk: int = CHUNK // 4) -> NDArray[np.int64]:
    """Sum several weight vectors over the n-grams of every line.

    Parameters
    ----------
    folded : Folded
    weights : ndarray of int8, shape (2**18, n_labels)
    chunk : int

    Returns
    -------
    ndarray of int64, shape (n_lines, n_labels)
    """
    sums = np.zeros((len(folded.starts), weights.shape[1]), dtype=np.int64)
    for _, codes, n_windows, lines, cuts in _chunks(folded, chunk):
        total = np.zeros((n_windows, weights.shape[1]), dtype=np.int16)
        for bucket, crossing in zip(_buckets(codes, n_windows), _crossings(codes, n_windows), strict=True):
            found = weights.take(bucket, axis=0, mode="clip")
            found[crossing] = 0
            total += found
        sums[lines] += np.add.reduceat(total, cuts, axis=0, dtype=np.int64)
    return sums


def line_buckets(folded: Folded) -> tuple[NDArray[np.int32], Indices]:
    """Buckets of every window of every line, the features a model is trained on.

    Parameters
    ----------
    folded : Folded

    Returns
    -------
    buckets : ndarray of int32, shape (n_windows_in_all,)
        Lines one after the other, repeats kept.
    offsets : ndarray of int64, shape (n_lines + 1,)
        Where the windows of each line begin.
    """
    all_buckets: list[NDArray[np.int32]] = []
    all_lines: list[NDArray[np.int32]] = []
    for _, codes, n_windows, lines, cuts in _chunks(folded, CHUNK * 8):
        line = np.repeat(lines, np.diff(np.append(cuts, n_windows))).astype(np.int32)
        for bucket, crossing in zip(_buckets(codes, n_windows), _crossings(codes, n_windows), strict=True):
            valid = np.ones(n_windows, dtype=bool)
            valid[crossing] = False
            all_buckets.append(bucket[valid].astype(np.int32))
            all_lines.append(line[valid])
    if not all_buckets:
        return np.zeros(0, np.int32), np.zeros(len(folded.starts) + 1, np.int64)
    line = np.concatenate(all_lines)
    order_by_line = np.argsort(line, kind="stable")
    counts = np.bincount(line, minlength=len(folded.starts))
    return np.concatenate(all_buckets)[order_by_line], np.concatenate(([0], np.cumsum(counts)))
