"""What of a line stands elsewhere on its page: its n-grams, all of it, or an equal line.

Windows are hashed into a table with a region for each page, whose size depends on that page alone: so do its
collisions, and a page gets the same numbers in whatever batch it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filter.codepoints import NEWLINE
from filter.segment import Floats, Folded, Indices

FAMILIAR_ORDERS = (2, 4)
"""Two characters are a word where they are wide; four are the better part of one where they are not."""
CONTAINED_ORDER = 8
_ROOMY = 8
"""Slots for each window of a page: few windows share one by chance."""
_HALVED = {2: 2, 4: 1, 8: 0}
"""How often that is halved, by order: short windows come again and again, there are fewer of them to tell apart."""
_LEAST_BITS, _MOST_BITS = 11, 22
_ROLL, _SPREAD = 0x9E3779B1, 0x2C1B3C6D
_DIGEST = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of each line stands in other lines of its page.

    Attributes
    ----------
    familiar : dict of int to ndarray of float32, shape (n,)
        By order, share of the line's windows that another line has too.
    contained : ndarray of float32, shape (n,)
        Share of its windows of eight characters that a longer line has, or 1 where an equal line is the one to stay.
    away : ndarray of float64, shape (n,)
        How many lines further on that longer line stands, on average; negative above.
    spread : ndarray of float64, shape (n,)
        Standard deviation of that: 0 where all stands in one line, as a copy does; turns of phrase stand in several.
    twins : ndarray of float32, shape (n,)
        How many other lines of the page are equal.
    """

    familiar: dict[int, Floats]
    contained: Floats
    away: NDArray[np.float64]
    spread: NDArray[np.float64]
    twins: Floats


@dataclass(frozen=True, slots=True)
class _Places:
    """Every place of the folded code points: whose line and page it is, and where the page's region lies."""

    line: NDArray[Any]
    shift: NDArray[np.uint32]
    base: NDArray[np.uint32]
    nowhere: Indices
    feeds: Indices
    table_size: int


@dataclass(frozen=True, slots=True)
class _Windows:
    """All windows of some length: the slot of each in a table of `n_slots`, and where those of each line begin and end.

    `tag` is a part of the hash that tells windows of one slot apart, above the bits that name a line.
    """

    slot: Indices
    n_slots: int
    tag: NDArray[Any]
    bounds: Indices
    count: Indices

    def line_means(self, values: NDArray[np.bool_]) -> Floats:
        """Share of the windows of each line that hold; 0 where it has none."""
        sums = np.add.reduceat(values.view(np.uint8), self.bounds, dtype=np.int32)[::2]
        share: Floats = np.where(self.count > 0, sums / np.maximum(self.count, 1), 0).astype(np.float32)
        return share


def overlap(folded: Folded, lines: Indices, page: Indices, importance: Floats, length: Floats) -> Overlap:
    r"""Compare each line with the other lines of its page.

    Parameters
    ----------
    folded : Folded
    lines : ndarray of int64, shape (n,)
        Lines to look at, ascending.
    page : ndarray of int64, shape (n,)
        Page of each.
    importance : ndarray of float32, shape (n,)
        Of equal lines the one with the highest stays.
    length : ndarray of float32, shape (n,)
        Of lines that hold the same text the longest owns it.

    Returns
    -------
    Overlap

    Examples
    --------
    >>> from filter.segment import fold, segment
    >>> batch = segment(["Rain fell on the harbour all day.\nRain fell on the\nNothing else."])
    >>> one = np.zeros(3, np.float32)
    >>> overlap(fold(batch), np.arange(3), batch.page_of, one, np.array([33, 16, 13], np.float32)).contained.tolist()
    [0.0, 1.0, 0.0]
    """
    places = _places(folded, lines, page)
    rank = np.lexsort((-np.arange(len(lines)), importance, length))
    hashes = rolling_hashes(folded)
    windows = {order: _windows(folded, lines, places, hashes[order], order) for order in hashes}
    contained, away, spread = _contained(windows[CONTAINED_ORDER], places, rank)
    twins, is_copy = _twins(folded, lines, page, rank)
    return Overlap(
        {order: _familiar(windows[order], places) for order in FAMILIAR_ORDERS},
        np.maximum(contained, is_copy),
        away,
        spread,
        twins,
    )


def _places(folded: Folded, lines: Indices, page: Indices) -> _Places:
    n_codes, starts = len(folded.codes), folded.starts[lines]
    first_of_page = np.flatnonzero(np.diff(page, prepend=-1))
    lengths = folded.ends[lines] - starts
    in_page = np.add.reduceat(lengths, first_of_page)
    bits = np.ceil(np.log2(np.maximum(in_page, 1) * _ROOMY)).astype(np.int64)
    bits = np.clip(bits, _LEAST_BITS, _MOST_BITS)
    region = 1 << bits
    base = np.cumsum(region) - region
    # What lies before a line's beginning belongs to the line before: line feeds, blank lines.
    of_line = np.diff(starts, append=n_codes)
    of_line[0] += starts[0]
    of_page = np.add.reduceat(of_line, first_of_page)
    # The lower half of an entry names a line, the upper half is left to a tag.
    index = np.arange(len(lines), dtype=np.uint32 if len(lines) < 1 << 16 else np.uint64)
    return _Places(
        np.repeat(index, of_line),
        np.repeat((32 - bits).astype(np.uint32), of_page),
        np.repeat(base.astype(np.uint32), of_page),
        _inside_others(folded, lines),
        np.flatnonzero(folded.codes == NEWLINE),
        int(region.sum()),
    )


def _inside_others(folded: Folded, lines: Indices) -> Indices:
    """Places inside lines that are not looked at: blank ones, most of them empty."""
    lengths = folded.ends - folded.starts
    lengths[lines] = 0
    others = np.flatnonzero(lengths)
    lengths = lengths[others]
    offsets = np.cumsum(lengths) - lengths
    inside: Indices = np.repeat(folded.starts[others] - offsets, lengths) + np.arange(int(lengths.sum()))
    return inside


def rolling_hashes(folded: Folded) -> dict[int, NDArray[np.uint32]]:
    """A polynomial hash of the window of 2, 4 and 8 characters at each place, each made of two of the half length.

    Parameters
    ----------
    folded : Folded

    Returns
    -------
    dict of int to ndarray of uint32, shape (n_codes,)
        By length of the window; a window may cross a line feed.
    """
    found = {}
    rolled, power, order = folded.codes, _ROLL, 1
    while order < CONTAINED_ORDER:
        longer = rolled * np.uint32(power)
        longer[:-order] += rolled[order:]
        rolled, power, order = longer, power * power & 0xFFFFFFFF, order * 2
        found[order] = rolled
    return found


def _windows(folded: Folded, lines: Indices, places: _Places, rolled: NDArray[np.uint32], order: int) -> _Windows:
    # The highest bits of the product depend on all of the hash; its lowest bits tell windows of one slot apart.
    spread = rolled * np.uint32(_SPREAD)
    spread >>= places.shift
    spread += places.base
    spread >>= np.uint32(_HALVED[order])
    slot, n_slots = spread.astype(np.intp), places.table_size >> _HALVED[order]
    tag = rolled.astype(places.line.dtype, copy=False) << places.line.dtype.type(_tag_shift(places.line.dtype))
    # A window with a line feed in it is nobody's: all of these share one slot beyond the regions.
    crossing = np.maximum(places.feeds[:, None] - np.arange(order), 0)
    slot[crossing.ravel()] = n_slots
    slot[places.nowhere] = n_slots
    starts = folded.starts[lines]
    count = np.maximum(folded.ends[lines] - starts - order + 1, 0)
    bounds = np.stack((starts, starts + count), axis=1).ravel()
    return _Windows(slot, n_slots, tag, bounds, count)


def _familiar(windows: _Windows, places: _Places) -> Floats:
    """Share of the windows of each line that another line has too: not both the first and the last seen are its own."""
    own = windows.tag | places.line
    # Never read where nothing was written, so they need no zeros.
    first_seen, last_seen = np.empty((2, windows.n_slots + 1), own.dtype)
    last_seen[windows.slot] = own
    first_seen[windows.slot[::-1]] = own[::-1]
    elsewhere = _differ_in_line(first_seen.take(windows.slot, mode="clip"), own)
    elsewhere |= _differ_in_line(last_seen.take(windows.slot, mode="clip"), own)
    return windows.line_means(elsewhere)


def _differ_in_line(found: NDArray[Any], own: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a slot holds the same window of another line: the same tag, another line below it."""
    found ^= own
    # Zero becomes the largest number, so that one comparison tells both.
    found -= found.dtype.type(1)
    differ: NDArray[np.bool_] = found < found.dtype.type((1 << _tag_shift(found.dtype)) - 1)
    return differ


def _contained(
    windows: _Windows, places: _Places, rank: Indices
) -> tuple[Floats, NDArray[np.float64], NDArray[np.float64]]:
    """Share of the windows of each line that a line further on in `rank` owns; how far away these are, and its spread."""
    count = windows.count[rank]
    shift = windows.bounds[::2][rank] - (np.cumsum(count) - count)
    by_rank = np.repeat(shift, count)
    by_rank += np.arange(len(by_rank))
    own = windows.tag | places.line
    owner = np.empty(windows.n_slots + 1, own.dtype)
    owner[windows.slot.take(by_rank)] = own.take(by_rank)
    found = owner.take(windows.slot, mode="clip")
    # Few are, and what else is asked of them is asked of these alone; those beyond the regions are nobody's.
    held = np.flatnonzero(_differ_in_line(found.copy(), own))
    held = held[windows.slot[held] < windows.n_slots]
    line = places.line[held].astype(np.int64)
    away = ((found[held] & found.dtype.type((1 << _tag_shift(found.dtype)) - 1)).astype(np.int64) - line).astype(float)
    n_lines = len(windows.count)
    n_held, sums, squares = (np.bincount(line, weight, n_lines) for weight in (None, away, away * away))
    n_some = np.maximum(n_held, 1)
    mean = sums / n_some
    variance = squares / n_some - mean * mean
    share = (n_held / np.maximum(windows.count, 1)).astype(np.float32)
    return share, mean, np.sqrt(np.maximum(variance, 0))


def _tag_shift(dtype: np.dtype[Any]) -> int:
    """Bits of a table's entry that name a line; those above hold a part of the window's hash."""
    return dtype.itemsize * 4


def _twins(folded: Folded, lines: Indices, page: Indices, rank: Indices) -> tuple[Floats, Floats]:
    """How many lines of the page equal the line, and whether another of them is the one to stay."""
    n_lines = len(lines)
    # A page in the digest's upper half: one sort of whole numbers, and equal lines of two pages stay apart.
    key = digests(folded, lines) + (page.astype(np.uint64) << np.uint64(40))
    order = np.argsort(key)
    is_new = np.ones(n_lines, bool)
    is_new[1:] = np.diff(key[order]) != 0
    group = np.empty(n_lines, np.int64)
    group[order] = np.cumsum(is_new) - 1
    size = np.bincount(group)
    keeper = np.zeros(len(size), np.int64)
    keeper[group[rank]] = rank
    twins = (size[group] - 1).astype(np.float32)
    return twins, ((keeper[group] != np.arange(n_lines)) & (twins > 0)).astype(np.float32)


def digests(folded: Folded, lines: Indices) -> NDArray[np.uint64]:
    """A 64-bit polynomial hash of each folded line, its length mixed in: the same wherever the line stands.

    Parameters
    ----------
    folded : Folded
    lines : ndarray of int64, shape (n,)
        Not empty ones, ascending.

    Returns
    -------
    ndarray of uint64, shape (n,)
    """
    starts, lengths = folded.starts[lines], folded.ends[lines] - folded.starts[lines]
    mixed = folded.codes * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(29)
    count = 1 << len(mixed).bit_length()
    # What one huge page needs is not kept for the next ones.
    powers, inverses = _powers(count) if count <= 1 << _MOST_BITS else _powers.__wrapped__(count)
    mixed *= powers[: len(mixed)]
    bounds = np.stack((starts, folded.ends[lines]), axis=1).ravel()
    digest: NDArray[np.uint64] = np.add.reduceat(mixed, bounds)[::2]
    digest *= inverses[starts]
    return digest + lengths.astype(np.uint64)


@lru_cache(maxsize=2)
def _powers(count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Powers of an odd number and of its inverse, modulo 2**64."""
    base, inverse = np.full((2, count), [[_DIGEST], [pow(_DIGEST, -1, 1 << 64)]], np.uint64)
    base[0] = inverse[0] = 1
    return np.cumprod(base), np.cumprod(inverse)
