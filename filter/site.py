"""What comes back on other pages of the same site: counts of lines and of their shingles, in tables of a fixed size.

A run counts, for each site, how many of its pages carry a line, and how many carry each of a sample of its shingles. Counts
are count-min sketches (Cormode and Muthukrishnan, 2005): cells are shared by chance, the lowest of a key's cells counts. A
table is filled up to a load at which that seldom matters; then it becomes the old one, and a new one is begun. What a run
knows is thus of its last 28,000 to 56,000 pages, in 64 MiB, however long it runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filter.overlap import CONTAINED_ORDER, digests, rolling_hashes
from filter.segment import Batch, Floats, Folded, Indices

MOST_PAGES = 250
"""Pages of a site that are counted: more change nothing, and a cell holds no more than 255."""
FEWEST_PAGES = 3
"""Pages of a site under which nothing is said."""
SAMPLED = 8
"""One shingle of so many is counted."""
_BITS = 24
_FULL = 1 << (_BITS - 1)
"""Entries after which a table is full."""
_ROWS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
_MIX = 0xBF58476D1CE4E5B9


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the lines of some pages from other pages of their sites.

    Attributes
    ----------
    line : ndarray of float32, shape (n_lines,)
        Share of the site's other pages that carry the same line.
    shingles : ndarray of float32, shape (n_lines,)
        Share of the site's other pages that carry a shingle of the line, on average.
    pages : ndarray of float32, shape (n_lines,)
        How many other pages of the site are known; 0 where nothing is to be said.
    """

    line: Floats
    shingles: Floats
    pages: Floats

    @classmethod
    def none(cls, n_lines: int) -> Evidence:
        """Nothing known of so many lines."""
        return cls(*np.zeros((3, n_lines), np.float32))

    def of(self, lines: slice | Indices) -> Evidence:
        """What is known of some of the lines."""
        return Evidence(self.line[lines], self.shingles[lines], self.pages[lines])


class SiteCounts:
    r"""Counts how many pages of a site carry a line.

    Examples
    --------
    >>> from filter.segment import fold, segment
    >>> counts = SiteCounts()
    >>> batch = segment([f"Menu\nStory number {word}" for word in ("one", "two", "three", "four")])
    >>> counts.add(batch, fold(batch), ["a.example"] * 4)
    >>> counts.evidence(batch, fold(batch), ["a.example"] * 4).line.tolist()
    [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    """

    def __init__(self) -> None:
        self._tables = [_Table()]

    def add(self, batch: Batch, folded: Folded, sites: Sequence[str | None]) -> None:
        """Count the pages of a batch.

        Parameters
        ----------
        batch : Batch
        folded : Folded
        sites : sequence of str or None
            Site of each page; a page without one is not counted.
        """
        if self._tables[-1].filled >= _FULL:
            self._tables = [self._tables[-1], _Table()]
        table, site = self._tables[-1], _site_keys(sites)
        counted = (site != 0) & (table.count(site) < MOST_PAGES)
        if not counted.any():
            return
        of_line, of_shingle = _Keys.of_lines(batch, folded, site), _Keys.of_shingles(batch, folded, site)
        for keys in (of_line, of_shingle):
            page = batch.page_of[keys.line]
            chosen = counted[page]
            # A page counts once, however often it says something.
            _, first = np.unique(
                keys.key[chosen] ^ (page[chosen].astype(np.uint64) * np.uint64(_MIX)), return_index=True
            )
            table.add(keys.key[chosen][first])
        table.add(site[counted])

    def evidence(self, batch: Batch, folded: Folded, sites: Sequence[str | None]) -> Evidence:
        """What is known of the lines of a batch whose pages have been counted.

        Parameters
        ----------
        batch : Batch
        folded : Folded
        sites : sequence of str or None

        Returns
        -------
        Evidence
        """
        n_lines, site = len(batch.starts), _site_keys(sites)
        known = np.stack([table.count(site) for table in self._tables])
        # The table that knows most of a site speaks of it.
        best, pages = known.argmax(axis=0), known.max(axis=0)
        others = np.where((site == 0) | (pages < FEWEST_PAGES), 0, pages - 1).astype(np.float32)
        if not others.any():
            return Evidence.none(n_lines)
        of_line = _Keys.of_lines(batch, folded, site)
        line = np.zeros(n_lines, np.float32)
        line[of_line.line] = self._shares(of_line, batch, best, others)
        of_shingle = _Keys.of_shingles(batch, folded, site)
        shares = self._shares(of_shingle, batch, best, others)
        sums, n_sampled = (np.bincount(of_shingle.line, weights, n_lines) for weights in (shares, None))
        shingles = np.where(n_sampled > 0, sums / np.maximum(n_sampled, 1), line).astype(np.float32)
        # Where nothing of a page comes back, the pages are of one site by name only: nothing is known.
        comes_back = np.bincount(batch.page_of, line, len(sites)) > 0
        return Evidence(line, shingles, np.where(comes_back, others, 0).astype(np.float32)[batch.page_of])

    def _shares(self, keys: _Keys, batch: Batch, best: Indices, others: Floats) -> Floats:
        """Share of the other pages of the site that have each key."""
        page = batch.page_of[keys.line]
        counts = np.stack([table.count(keys.key) for table in self._tables])
        count = counts[best[page], np.arange(len(page))].astype(np.float32)
        share: Floats = np.clip((count - 1) / np.maximum(others[page], 1), 0, 1)
        share[others[page] == 0] = 0
        return share


class _Table:
    """A count-min sketch of counts up to 255."""

    def __init__(self) -> None:
        self._cells = np.zeros((len(_ROWS), 1 << _BITS), np.uint8)
        self.filled = 0

    def add(self, keys: NDArray[np.uint64]) -> None:
        self.filled += len(keys)
        for row, cells in zip(self._cells, self._places(keys), strict=True):
            cell, times = np.unique(cells, return_counts=True)
            row[cell] = np.minimum(row[cell].astype(np.int64) + times, 255)

    def count(self, keys: NDArray[np.uint64]) -> Indices:
        found = [row[cells] for row, cells in zip(self._cells, self._places(keys), strict=True)]
        count: Indices = np.minimum.reduce(found).astype(np.int64)
        return count

    def _places(self, keys: NDArray[np.uint64]) -> list[NDArray[np.uint64]]:
        return [(keys * np.uint64(row)) >> np.uint64(64 - _BITS) for row in _ROWS]


@dataclass(frozen=True, slots=True)
class _Keys:
    """Keys of what is counted, each with the line that it is of."""

    key: NDArray[np.uint64]
    line: Indices

    @classmethod
    def of_lines(cls, batch: Batch, folded: Folded, site: NDArray[np.uint64]) -> _Keys:
        """One for each line that is not empty."""
        lines = np.flatnonzero(folded.ends > folded.starts)
        if not len(lines):
            return cls(np.zeros(0, np.uint64), lines)
        return cls(_mixed(digests(folded, lines), site[batch.page_of[lines]]), lines)

    @classmethod
    def of_shingles(cls, batch: Batch, folded: Folded, site: NDArray[np.uint64]) -> _Keys:
        """Those of the windows of eight folded characters whose hash says so: the same ones on every page."""
        rolled = rolling_hashes(folded)[CONTAINED_ORDER]
        place = np.flatnonzero((rolled * np.uint32(0x2C1B3C6D)) < np.uint32((1 << 32) // SAMPLED))
        line = np.searchsorted(folded.starts, place, side="right") - 1
        place, line = place[line >= 0], line[line >= 0]
        inside = place + CONTAINED_ORDER <= folded.ends[line]
        place, line = place[inside], line[inside]
        return cls(_mixed(rolled[place].astype(np.uint64), site[batch.page_of[line]]), line)


def _site_keys(sites: Sequence[str | None]) -> NDArray[np.uint64]:
    """A number for each site, 0 for none."""
    known: dict[str | None, int] = {None: 0}
    for site in sites:
        if site not in known:
            digest = hashlib.blake2b(str(site).encode("utf8", "surrogatepass"), digest_size=8).digest()
            known[site] = int.from_bytes(digest, "big") | 1
    return np.fromiter((known[site] for site in sites), np.uint64, len(sites))


def _mixed(value: NDArray[np.uint64], site: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Number of a text on a site."""
    mixed: NDArray[np.uint64] = (value ^ site) * np.uint64(_MIX)
    mixed ^= mixed >> np.uint64(31)
    return mixed
