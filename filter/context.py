"""Stage two, what it sees: each line against its page, as numbers.

Everything is array work over the non-blank lines of a batch. Nothing looks across pages, so that a page gets the same
numbers in whatever batch it comes; what other pages of its site say comes in as evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filter.codepoints import CLASS, CLASSES, LETTER_CLASSES, class_table
from filter.ngrams import window_counts
from filter.overlap import overlap
from filter.segment import Batch, Floats, Folded, Indices, class_counts, with_digits
from filter.site import Evidence

WIDE = ("han", "han_simplified", "han_traditional", "hiragana", "katakana", "hangul")
SCRIPTS = (("lower", "upper", "latin_extended"), ("han",), ("han_simplified",), ("han_traditional",), ("hiragana", "katakana"),
           ("hangul",), ("cyrillic",), ("greek",), ("arabic",), ("hebrew",), ("thai",), ("indic",), ("other_script",), ("fancy",))  # fmt: skip
SHARES = ("space", "upper", "latin_extended", "digit", "sentence_end", "comma", "separator", "bracket", "markup", "question",
          "damage", "invisible", "fancy", "emoji", "symbol", "mark")  # fmt: skip
SCORES = ("injected", "furniture")
_GROUPS = np.array([[name in group for group in (LETTER_CLASSES, WIDE, *SCRIPTS)] for name in CLASSES], np.float32)
"""Which classes of characters are letters, wide, and in each of the scripts."""
ODDS_LIMIT = 6.0
ODDS_STEPS = 16.0
"""Log-odds of a first look are rounded to sixteenths, so that sums of them are exact."""
ODDS_RADII = (3, 10)
LONG_WIDTH = 80.0
"""Width from which a line counts as running text: about one printed line; a wide character counts 2.5."""


@dataclass(frozen=True, slots=True)
class LineOrder:
    """Non-blank lines in order, with the bounds of the page of each.

    Attributes
    ----------
    page, first, last : ndarray of int64, shape (n,)
        Page of each line, and the first and last line of that page.
    ends : ndarray of int64, shape (n_pages,)
        Last line of each page.
    """

    page: Indices
    first: Indices
    last: Indices
    ends: Indices

    @classmethod
    def of(cls, page: Indices) -> LineOrder:
        """The order of lines whose pages are given, ascending."""
        n = len(page)
        starts = np.flatnonzero(np.diff(page, prepend=-1))
        size = np.diff(starts, append=n)
        return cls(page, np.repeat(starts, size), np.repeat(starts + size - 1, size), starts + size - 1)

    def shift(self, values: Floats, step: int) -> Floats:
        """The value `step` lines on along the last axis, 0 beyond the page."""
        found = np.zeros_like(values)
        if step > 0:
            found[..., :-step] = values[..., step:]
            edges = self.ends[:, None] - np.arange(step)
        else:
            found[..., -step:] = values[..., :step]
            edges = self.ends[:-1, None] + np.arange(1, 1 - step)
        # The places near the edge of a short page are near the edge of its neighbour too.
        edges = edges[(edges >= 0) & (edges < values.shape[-1])]
        found[..., edges] = 0.0
        return found

    def around(self, values: Floats, radius: int) -> Floats:
        """Mean along the last axis over the lines within `radius`, the line itself left out; 0 where it is alone."""
        place = np.arange(len(self.page))
        low, high = np.maximum(place - radius, self.first), np.minimum(place + radius, self.last) + 1
        running = np.zeros((*values.shape[:-1], len(place) + 1))
        np.cumsum(values, axis=-1, out=running[..., 1:])
        # Sums over one page must not carry the rounding of the pages before it.
        total = np.round(running.take(high, axis=-1) - running.take(low, axis=-1), 4)
        total -= values
        total /= np.maximum(high - low - 1, 1)
        mean: Floats = total.astype(np.float32)
        mean[..., high - low == 1] = 0.0
        return mean

    def page_mean(self, values: Floats, weight: Floats) -> Floats:
        """Weighted mean over the page."""
        total = np.bincount(self.page, values.astype(np.float64) * weight, minlength=1)
        mass = np.bincount(self.page, weight, minlength=1)
        mean: Floats = (total / np.maximum(mass, 1e-9)).astype(np.float32)[self.page]
        return mean


@dataclass(frozen=True, slots=True)
class Context:
    """What stage two sees of a batch.

    Attributes
    ----------
    lines : ndarray of int64, shape (n,)
        Index of each non-blank line in the batch; the rows of `values`.
    values : ndarray of float32, shape (n, n_features)
    names : tuple of str
        Name of each column.
    width : ndarray of float32, shape (n,)
        Length of each line, a wide character counted 2.5.
    order : LineOrder
        Where the page of each begins and ends.
    """

    lines: Indices
    values: Floats
    names: tuple[str, ...]
    width: Floats
    order: LineOrder

    def column(self, name: str) -> Floats:
        """One feature of every line."""
        return self.values[:, self.names.index(name)]


def context(
    batch: Batch, folded: Folded, score: Indices, scale: Floats, bias: Floats, evidence: Evidence | None = None
) -> Context:
    """Features of the non-blank lines of a batch.

    Parameters
    ----------
    batch : Batch
    folded : Folded
    score : ndarray of int64, shape (n_lines, 2)
        Sums of stage one, as injected and as furniture.
    scale, bias : ndarray of float, shape (2,)
        Of the int8 weights: ``sum * scale / sqrt(windows) + bias`` are the lexical scores in log-odds.
    evidence : Evidence, optional
        Of every line of the batch, from other pages of its site.

    Returns
    -------
    Context
    """
    of_all = class_counts(batch, len(CLASSES))
    total = of_all.sum(axis=1)
    lines = np.flatnonzero(total > of_all[:, CLASS["space"]])
    if not len(lines):
        none = np.zeros(0, np.float32)
        return Context(lines, none.reshape(0, 0), (), none, LineOrder.of(lines))
    counts, length = of_all[lines].astype(np.float32), total[lines].astype(np.float32)
    order = LineOrder.of(batch.page_of[lines])
    windows = np.maximum(window_counts(folded)[lines], 1).astype(np.float32)
    sums = score[lines].T * np.asarray(scale, np.float32)[:, None]
    lexical = (sums / np.sqrt(windows) + np.asarray(bias, np.float32)[:, None]).astype(np.float32)
    # Whole numbers below 2**24: the product adds them exactly.
    groups = counts @ _GROUPS
    letters, wide, scripts = groups[:, 0], groups[:, 1], groups[:, 2:]
    width = length + np.float32(1.5) * wide
    # Where neither score speaks against a line it is running text.
    against = lexical.max(axis=0)
    running = ((against < 0) & (width >= LONG_WIDTH)).astype(np.float32)
    features = {f"{name}_mean": values for name, values in zip(SCORES, sums / windows, strict=True)}
    features |= _lexical(order, lexical, width)
    features |= _shape(batch, lines, counts, length, width, letters, wide)
    features |= _place(lines, order, running, width)
    features["script_distance"] = _script_distance(order, scripts)
    around_5 = order.around(np.stack((against, running, features["ends_sentence"])), 5)
    features |= {"running_around_5": around_5[1], "ends_sentence_around_5": around_5[2]}
    features |= _overlap(with_digits(batch, folded), lines, order, -around_5[0], length)
    features |= _shapes_around(order, features, width)
    features |= _site(order, (Evidence.none(len(batch.starts)) if evidence is None else evidence).of(lines), width)
    # One feature after another in memory: they are made that way, and read that way.
    values = np.array(list(features.values()), np.float32).T
    return Context(lines, values, tuple(features), width, order)


def _lexical(order: LineOrder, lexical: Floats, width: Floats) -> dict[str, Floats]:
    """Both lexical scores of each line, of its neighbours and of its page."""
    page = np.stack([order.page_mean(values, width) for values in lexical])
    told = {"": lexical, "_page": page, "_beyond_page": lexical - page}
    told |= {f"_{step:+d}": order.shift(lexical, step) for step in (-2, -1, 1, 2)}
    told |= {f"_around_{radius}": order.around(lexical, radius) for radius in (2, 5, 15)}
    return {f"{name}{what}": values[row] for what, values in told.items() for row, name in enumerate(SCORES)}


def _shape(
    batch: Batch, lines: Indices, counts: Floats, length: Floats, width: Floats, letters: Floats, wide: Floats
) -> dict[str, Floats]:
    words = counts[:, CLASS["space"]] + 1
    pieces = counts[:, CLASS["comma"]] + counts[:, CLASS["separator"]] + 1
    last_class, first_class = _edge_classes(batch, lines)
    shares = counts[:, [CLASS[name] for name in SHARES]].T / length
    is_letter = np.isin(np.arange(len(CLASSES)), [CLASS[name] for name in LETTER_CLASSES])
    found = {f"share_{name}": share for name, share in zip(SHARES, shares, strict=True)}
    return found | {
        "share_letters": letters / length,
        "share_wide": wide / length,
        "log_width": np.log1p(width),
        "log_words": np.log1p(words),
        "word_length": letters / words,
        "log_pieces": np.log1p(pieces),
        "piece_length": np.log1p(width / pieces),
        "sentences": np.log1p(counts[:, CLASS["sentence_end"]]),
        "ends_sentence": ((last_class == CLASS["sentence_end"]) | (last_class == CLASS["question"])).astype(np.float32),
        "ends_letter": is_letter[last_class].astype(np.float32),
        "starts_letter": is_letter[first_class].astype(np.float32),
        "starts_lower": (first_class == CLASS["lower"]).astype(np.float32),
    }


def _shapes_around(order: LineOrder, features: dict[str, Floats], width: Floats) -> dict[str, Floats]:
    """Length, digits, pieces and copies of the lines around each."""
    log_width, digits = features["log_width"], features["share_digit"]
    above, below = (order.shift(np.stack((log_width, digits)), step) for step in (-1, 1))
    around_3 = order.around(np.stack((log_width, features["log_pieces"], features["contained"])), 3)
    return {
        "log_width_-1": above[0],
        "log_width_+1": below[0],
        "log_width_around_3": around_3[0],
        "log_width_around_10": order.around(log_width, 10),
        "log_width_page": order.page_mean(log_width, width),
        "share_digit_-1": above[1],
        "share_digit_+1": below[1],
        "share_digit_+2": order.shift(digits, 2),
        "pieces_around_3": around_3[1],
        "contained_around_3": around_3[2],
    }


def _edge_classes(batch: Batch, lines: Indices) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Class of the last and of the first character of each line, one closing bracket or space passed over."""
    table = class_table()
    starts, ends = batch.starts[lines], batch.ends[lines]
    last = table[batch.codes[ends - 1]]
    before = table[batch.codes[np.maximum(ends - 2, starts)]]
    skip = (last == CLASS["bracket"]) | (last == CLASS["space"])
    first = table[batch.codes[starts]]
    # Indents are short: two spaces passed over are enough to see the first mark.
    for step in (1, 2):
        behind = table[batch.codes[np.minimum(starts + step, ends - 1)]]
        first = np.where(first == CLASS["space"], behind, first)
    return np.where(skip, before, last), first


def _place(lines: Indices, order: LineOrder, running: Floats, width: Floats) -> dict[str, Floats]:
    place = np.arange(len(lines))
    runs = running > 0
    before = np.maximum.accumulate(np.where(runs, place, -1))
    after = np.minimum.accumulate(np.where(runs, place, len(lines))[::-1])[::-1]
    far = np.float32(6.0)
    mass = np.cumsum(width, dtype=np.float64)
    page_before = np.concatenate(([0.0], mass))[order.first]
    page_mass = mass[order.last] - page_before
    gap = np.diff(lines, prepend=-1) > 1
    index, to_end, since, until = np.stack(
        (place - order.first, order.last - place, place - before, after - place)
    ).astype(np.float32)
    found = {
        "log_index": np.log1p(index),
        "log_index_end": np.log1p(to_end),
        "relative": index / (index + to_end + 1),
        "mass_before": np.round((mass - width - page_before) / np.maximum(page_mass, 1e-9), 4),
        "log_lines": np.log1p(index + to_end + 1),
        "since_running": np.where(before >= order.first, np.log1p(since), far),
        "until_running": np.where(after <= order.last, np.log1p(until), far),
        "running_page": order.page_mean(running, np.ones_like(width)),
        "blank_before": gap & (index > 0),
        "blank_after": np.append(gap[1:], False) & (to_end > 0),
    }
    return {name: np.asarray(values, dtype=np.float32) for name, values in found.items()}


def _script_distance(order: LineOrder, mix: Floats) -> Floats:
    """How little of the line's letters is in scripts of the rest of its page: 0 the same mix, 1 another script."""
    starts = np.concatenate(([0], order.ends[:-1] + 1))
    # Whole numbers again: any order of adding gives the same.
    page = np.repeat(np.add.reduceat(mix, starts, axis=0), np.diff(starts, append=len(mix)), axis=0) - mix
    total, rest = mix.sum(axis=1), page.sum(axis=1)
    shared = np.minimum(mix / np.maximum(total, 1)[:, None], page / np.maximum(rest, 1)[:, None]).sum(axis=1)
    distance: Floats = np.where((total == 0) | (rest == 0), 0, 1 - shared).astype(np.float32)
    return distance


def _overlap(folded: Folded, lines: Indices, order: LineOrder, importance: Floats, length: Floats) -> dict[str, Floats]:
    """What of a line stands elsewhere on its page; of equal lines the one in the running text is the one to stay."""
    found = overlap(folded, lines, order.page, importance, length)
    away = found.away.astype(np.float32)
    return {
        **{f"familiar_{n}": values for n, values in found.familiar.items()},
        **{
            f"familiar_{n}_beyond_page": values - order.page_mean(values, length)
            for n, values in found.familiar.items()
        },
        "contained": found.contained,
        "owner_away": np.copysign(np.log1p(np.abs(away)), away),
        "owner_spread": np.log1p(found.spread.astype(np.float32)),
        "log_twins": np.log1p(found.twins),
    }


def _site(order: LineOrder, evidence: Evidence, width: Floats) -> dict[str, Floats]:
    """What comes back on other pages of the site, of the line and of its page."""
    return {
        "site_line": evidence.line,
        "site_shingles": evidence.shingles,
        "site_page": order.page_mean(evidence.shingles, width),
        "log_site_pages": np.log1p(evidence.pages),
    }


def surroundings(order: LineOrder, odds: Floats) -> Floats:
    """What a first look said of each line and of those around it, for a second look.

    Parameters
    ----------
    order : LineOrder
    odds : ndarray of float32, shape (n, n_odds)
        Log-odds of each line.

    Returns
    -------
    ndarray of float32, shape (n, 5 * n_odds)
        For each of the odds: the line's own, those of the line above and below, means of the lines within 3 and 10.

    Examples
    --------
    >>> odds = np.array([[1.0], [2.0], [9.0]], np.float32)
    >>> surroundings(LineOrder.of(np.array([0, 0, 1])), odds)[:, :3].tolist()
    [[1.0, 0.0, 2.0], [2.0, 1.0, 0.0], [6.0, 0.0, 0.0]]
    """
    odds = np.rint(np.clip(odds.T, -ODDS_LIMIT, ODDS_LIMIT) * np.float32(ODDS_STEPS)) / np.float32(ODDS_STEPS)
    parts = [odds, order.shift(odds, -1), order.shift(odds, 1)]
    parts += [order.around(odds, radius) for radius in ODDS_RADII]
    around: Floats = np.array([part[row] for row in range(len(odds)) for part in parts], np.float32).T
    return around
