"""Stage two, what it sees: each line against its page, as numbers.

Everything is array work over the non-blank lines of a batch. Nothing looks across pages, so that a page gets the same
numbers in whatever batch it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filter.codepoints import CLASS, CLASSES, class_table
from filter.ngrams import window_counts
from filter.segment import Batch, Folded, Indices, class_counts

Floats = NDArray[np.float32]

LETTERS = ("lower", "upper", "latin_extended", "han", "han_simplified", "han_traditional", "hiragana", "katakana", "hangul",
           "cyrillic", "greek", "arabic", "hebrew", "thai", "indic", "other_script", "fancy")  # fmt: skip
WIDE = ("han", "han_simplified", "han_traditional", "hiragana", "katakana", "hangul")
SCRIPTS = (("lower", "upper", "latin_extended"), ("han",), ("han_simplified",), ("han_traditional",), ("hiragana", "katakana"),
           ("hangul",), ("cyrillic",), ("greek",), ("arabic",), ("hebrew",), ("thai",), ("indic",), ("other_script",), ("fancy",))  # fmt: skip
SHARES = ("space", "upper", "latin_extended", "digit", "sentence_end", "comma", "separator", "bracket", "markup", "question",
          "damage", "invisible", "fancy", "emoji", "symbol", "mark")  # fmt: skip
LONG_WIDTH = 80.0
"""Width from which a line counts as running text: about one printed line; a wide character counts 2.5."""
OVERLAP_ORDERS = (2, 4)
"""Two characters are a word where they are wide; four are the better part of one where they are not."""
CONTAINED_ORDER = 8
_MAX_REGION = 1 << 22


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
    """

    lines: Indices
    values: Floats
    names: tuple[str, ...]
    width: Floats

    def column(self, name: str) -> Floats:
        """One feature of every line."""
        return self.values[:, self.names.index(name)]


@dataclass(frozen=True, slots=True)
class _Sequence:
    """Non-blank lines in order, with the bounds of the page of each."""

    page: Indices
    first: Indices
    last: Indices

    def shift(self, values: Floats, step: int, fill: float = 0.0) -> Floats:
        """The value `step` lines on, `fill` beyond the page."""
        place = np.arange(len(values)) + step
        inside = (place >= self.first) & (place <= self.last)
        return np.where(inside, values[np.clip(place, 0, len(values) - 1)], np.float32(fill)).astype(np.float32)

    def around(self, values: Floats, radius: int) -> Floats:
        """Mean over the lines within `radius`, the line itself left out; 0 where it is alone."""
        place = np.arange(len(values))
        low, high = np.maximum(place - radius, self.first), np.minimum(place + radius, self.last) + 1
        running = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
        # Sums over one page must not carry the rounding of the pages before it.
        count = high - low - 1
        total = np.round(running[high] - running[low], 4) - values
        mean: Floats = (total / np.maximum(count, 1) * (count > 0)).astype(np.float32)
        return mean

    def page_mean(self, values: Floats, weight: Floats) -> Floats:
        """Weighted mean over the page."""
        total = np.bincount(self.page, values.astype(np.float64) * weight, minlength=1)
        mass = np.bincount(self.page, weight.astype(np.float64), minlength=1)
        mean: Floats = (total / np.maximum(mass, 1e-9))[self.page].astype(np.float32)
        return mean


def context(batch: Batch, folded: Folded, score: Indices, scale: Floats, bias: Floats) -> Context:
    """Features of the non-blank lines of a batch.

    Parameters
    ----------
    batch : Batch
    folded : Folded
    score : ndarray of int64, shape (n_lines, 2)
        Sums of stage one, as injected and as furniture.
    scale, bias : ndarray of float, shape (2,)
        Of the int8 weights: ``sum * scale / sqrt(windows) + bias`` are the lexical scores in log-odds.

    Returns
    -------
    Context
    """
    of_all = class_counts(batch, len(CLASSES))
    total = of_all.sum(axis=1)
    lines = np.flatnonzero(total > of_all[:, CLASS["space"]])
    if not len(lines):
        return Context(lines, np.zeros((0, 0), np.float32), (), np.zeros(0, np.float32))
    counts, length = of_all[lines].astype(np.float32), total[lines].astype(np.float32)
    page = batch.page_of[lines]
    first = np.searchsorted(page, page, side="left")
    last = np.searchsorted(page, page, side="right") - 1
    sequence = _Sequence(page, first, last)
    windows = np.maximum(window_counts(folded)[lines], 1)
    root = np.sqrt(windows)
    injected, furniture = ((score[lines, i] * scale[i] / root + bias[i]).astype(np.float32) for i in range(2))
    # Where neither speaks against a line it is running text.
    lexical = np.maximum(injected, furniture)
    width = length + 1.5 * counts[:, [CLASS[name] for name in WIDE]].sum(axis=1)
    features: dict[str, Floats] = {}
    for column, (name, values) in enumerate((("injected", injected), ("furniture", furniture))):
        features[name] = values
        features[f"{name}_mean"] = (score[lines, column] * scale[column] / windows).astype(np.float32)
        features.update(_neighbours(sequence, name, values, width))
    features.update(_shape(batch, lines, sequence, counts, length, width))
    features.update(_place(batch, lines, sequence, lexical, width))
    features["script_distance"] = _script_distance(sequence, counts)
    features.update(_overlap(folded, lines, sequence, lexical, length))
    return Context(lines, np.stack(list(features.values()), axis=1).astype(np.float32), tuple(features), width)


def _neighbours(sequence: _Sequence, name: str, lexical: Floats, width: Floats) -> dict[str, Floats]:
    page_lexical = sequence.page_mean(lexical, width)
    found = {f"{name}_{step:+d}": sequence.shift(lexical, step) for step in (-2, -1, 1, 2)}
    found |= {f"{name}_around_{radius}": sequence.around(lexical, radius) for radius in (2, 5, 15)}
    return found | {f"{name}_page": page_lexical, f"{name}_beyond_page": lexical - page_lexical}


def _shape(
    batch: Batch, lines: Indices, sequence: _Sequence, counts: Floats, length: Floats, width: Floats
) -> dict[str, Floats]:
    letters = counts[:, [CLASS[name] for name in LETTERS]].sum(axis=1)
    wide = counts[:, [CLASS[name] for name in WIDE]].sum(axis=1)
    log_width = np.log1p(width)
    words = counts[:, CLASS["space"]] + 1
    pieces = counts[:, CLASS["comma"]] + counts[:, CLASS["separator"]] + 1
    last_class, first_class = _edge_classes(batch, lines)
    found = {f"share_{name}": counts[:, CLASS[name]] / length for name in SHARES}
    found |= {
        "share_letters": letters / length,
        "share_wide": wide / length,
        "log_width": log_width,
        "log_words": np.log1p(words),
        "word_length": letters / words,
        "log_pieces": np.log1p(pieces),
        "piece_length": np.log1p(width / pieces),
        "sentences": np.log1p(counts[:, CLASS["sentence_end"]]),
        "ends_sentence": (last_class == CLASS["sentence_end"]).astype(np.float32),
        "ends_letter": np.isin(last_class, [CLASS[name] for name in LETTERS]).astype(np.float32),
        "starts_letter": np.isin(first_class, [CLASS[name] for name in LETTERS]).astype(np.float32),
        "starts_lower": (first_class == CLASS["lower"]).astype(np.float32),
        "log_width_-1": sequence.shift(log_width, -1),
        "log_width_+1": sequence.shift(log_width, 1),
        "log_width_around_3": sequence.around(log_width, 3),
        "log_width_around_10": sequence.around(log_width, 10),
        "log_width_page": sequence.page_mean(log_width, width),
    }
    digits = found["share_digit"].astype(np.float32)
    found |= {f"share_digit_{step:+d}": sequence.shift(digits, step) for step in (-1, 1, 2)}
    found["pieces_around_3"] = sequence.around(found["log_pieces"].astype(np.float32), 3)
    found["ends_sentence_around_5"] = sequence.around(found["ends_sentence"], 5)
    return {name: np.asarray(values, dtype=np.float32) for name, values in found.items()}


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


def _place(batch: Batch, lines: Indices, sequence: _Sequence, lexical: Floats, width: Floats) -> dict[str, Floats]:
    place = np.arange(len(lines))
    size = sequence.last - sequence.first + 1
    running = (lexical < 0) & (width >= LONG_WIDTH)
    before = np.maximum.accumulate(np.where(running, place, -1))
    after = np.minimum.accumulate(np.where(running, place, len(lines))[::-1])[::-1]
    far = np.float32(6.0)
    since = np.where(before >= sequence.first, np.log1p(place - before), far)
    until = np.where(after <= sequence.last, np.log1p(after - place), far)
    mass = np.cumsum(width, dtype=np.float64)
    page_before = np.concatenate(([0.0], mass))[sequence.first]
    page_mass = mass[sequence.last] - page_before
    gap = np.diff(lines, prepend=-1) > 1
    found = {
        "log_index": np.log1p(place - sequence.first),
        "log_index_end": np.log1p(sequence.last - place),
        "relative": (place - sequence.first) / size,
        "mass_before": np.round((mass - width - page_before) / np.maximum(page_mass, 1e-9), 4),
        "log_lines": np.log1p(size),
        "since_running": since,
        "until_running": until,
        "running_around_5": sequence.around(running.astype(np.float32), 5),
        "running_page": sequence.page_mean(running.astype(np.float32), np.ones_like(width)),
        "blank_before": gap & (place > sequence.first),
        "blank_after": np.append(gap[1:], False) & (place < sequence.last),
    }
    return {name: np.asarray(values, dtype=np.float32) for name, values in found.items()}


def _script_distance(sequence: _Sequence, counts: Floats) -> Floats:
    """How little of the line's letters is in scripts of the rest of its page: 0 the same mix, 1 another script."""
    mix = np.stack([counts[:, [CLASS[name] for name in names]].sum(axis=1) for names in SCRIPTS], axis=1)
    page = np.stack([np.bincount(sequence.page, column) for column in mix.T], axis=1)[sequence.page] - mix
    own = mix / np.maximum(mix.sum(axis=1, keepdims=True), 1)
    rest = page / np.maximum(page.sum(axis=1, keepdims=True), 1)
    alone = (mix.sum(axis=1) == 0) | (page.sum(axis=1) == 0)
    return np.where(alone, 0.0, 1.0 - np.minimum(own, rest).sum(axis=1)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Windows:
    """All windows of some length inside the lines, and the place of each in a table with a region a page."""

    line: NDArray[np.int32]
    slot: NDArray[np.int32]
    table_size: int
    offsets: Indices

    def line_sums(self, values: NDArray[Any]) -> Indices:
        """Sum of a whole number a window, line by line."""
        running = np.zeros(len(values) + 1, np.int64)
        np.cumsum(values, out=running[1:])
        sums: Indices = np.diff(running[self.offsets])
        return sums

    def line_means(self, values: NDArray[np.bool_]) -> Floats:
        """Share of the windows of each line that hold; 0 where it has none."""
        return (self.line_sums(values) / np.maximum(np.diff(self.offsets), 1)).astype(np.float32)


def _windows(folded: Folded, lines: Indices, sequence: _Sequence, order: int) -> _Windows:
    codes = np.concatenate((folded.codes, np.zeros(order, np.uint32)))
    rolled = codes[: len(codes) - order + 1].astype(np.uint32)
    for step in range(1, order):
        rolled *= np.uint32(0x9E3779B1)
        rolled += codes[step : len(codes) - order + 1 + step]
    rolled ^= rolled >> np.uint32(15)
    rolled *= np.uint32(0x2C1B3C6D)
    rolled ^= rolled >> np.uint32(12)
    lengths = np.maximum(folded.ends[lines] - folded.starts[lines] - order + 1, 0)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    n_pages = int(sequence.page[-1]) + 1
    in_page = np.bincount(sequence.page, lengths, minlength=n_pages).astype(np.int64)
    # The region of a page depends on the page alone, so its collisions do too.
    region = np.minimum(1 << np.ceil(np.log2(np.maximum(in_page, 1) * 4)).astype(np.int64), _MAX_REGION)
    base = np.concatenate(([0], np.cumsum(region)))
    # 32 bits and values repeated a line, not looked up a window: the time goes into moving memory.
    line = np.repeat(np.arange(len(lines), dtype=np.int32), lengths)
    place = np.repeat((folded.starts[lines] - offsets[:-1]).astype(np.int32), lengths)
    place += np.arange(offsets[-1], dtype=np.int32)
    slot = rolled.take(place)
    slot &= np.repeat((region - 1).astype(np.uint32)[sequence.page], lengths)
    slot += np.repeat(base[:-1].astype(np.uint32)[sequence.page], lengths)
    return _Windows(line, slot.view(np.int32), int(base[-1]), offsets)


def _overlap(folded: Folded, lines: Indices, sequence: _Sequence, lexical: Floats, length: Floats) -> dict[str, Floats]:
    """What of a line stands elsewhere on its page: its n-grams, all of it, or an equal line."""
    n_lines = len(lines)
    familiar = {order: _familiar(_windows(folded, lines, sequence, order)) for order in OVERLAP_ORDERS}
    # Of lines that hold the same text the longest owns it, of equal ones the one in the running text.
    rank = np.lexsort((-np.arange(n_lines), -sequence.around(lexical, 5), length))
    contained, away = _contained(_windows(folded, lines, sequence, CONTAINED_ORDER), rank)
    twins, is_twin_copy = _twins(folded, lines, sequence, rank)
    contained = np.maximum(contained, is_twin_copy)
    return {
        **{f"familiar_{order}": values for order, values in familiar.items()},
        **{
            f"familiar_{order}_beyond_page": values - sequence.page_mean(values, length)
            for order, values in familiar.items()
        },
        "contained": contained,
        "contained_around_3": sequence.around(contained, 3),
        "owner_away": (np.sign(away) * np.log1p(np.abs(away))).astype(np.float32),
        "log_twins": np.log1p(twins).astype(np.float32),
    }


def _familiar(windows: _Windows) -> Floats:
    """Share of the windows of each line that another line has too: not both the first and the last seen are its own."""
    # Never read where nothing was written, so they need no zeros.
    first_seen, last_seen = np.empty(windows.table_size, np.int32), np.empty(windows.table_size, np.int32)
    last_seen[windows.slot] = windows.line
    first_seen[windows.slot[::-1]] = windows.line[::-1]
    elsewhere = first_seen.take(windows.slot) != windows.line
    elsewhere |= last_seen.take(windows.slot) != windows.line
    return windows.line_means(elsewhere)


def _contained(windows: _Windows, rank: Indices) -> tuple[Floats, NDArray[np.float64]]:
    """Share of the windows of each line that a line further on in `rank` owns, and how many lines away these are."""
    widths = np.diff(windows.offsets)[rank]
    begins = windows.offsets[:-1][rank] - np.concatenate(([0], np.cumsum(widths)[:-1]))
    order = np.repeat(begins.astype(np.int32), widths)
    order += np.arange(len(windows.line), dtype=np.int32)
    owner = np.empty(windows.table_size, np.int32)
    owner[windows.slot.take(order)] = np.repeat(rank.astype(np.int32), widths)
    away = owner.take(windows.slot)
    away -= windows.line
    elsewhere = away != 0
    return windows.line_means(elsewhere), windows.line_sums(away) / np.maximum(windows.line_sums(elsewhere), 1)


def _twins(folded: Folded, lines: Indices, sequence: _Sequence, rank: Indices) -> tuple[Floats, Floats]:
    """How many lines of the page equal the line, and whether another of them is the one to stay."""
    n_lines = len(lines)
    digest = _digests(folded, lines)
    order = np.lexsort((digest, sequence.page))
    is_new = np.ones(n_lines, bool)
    is_new[1:] = (np.diff(digest[order]) != 0) | (np.diff(sequence.page[order]) != 0)
    group = np.empty(n_lines, np.int64)
    group[order] = np.cumsum(is_new) - 1
    size = np.bincount(group)
    keeper = np.zeros(len(size), np.int64)
    keeper[group[rank]] = rank
    twins = (size[group] - 1).astype(np.float32)
    return twins, ((keeper[group] != np.arange(n_lines)) & (twins > 0)).astype(np.float32)


def _digests(folded: Folded, lines: Indices) -> NDArray[np.uint64]:
    """A 64-bit hash of each folded line."""
    lengths = folded.ends[lines] - folded.starts[lines]
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    codes = folded.codes[np.repeat(folded.starts[lines], lengths) + within].astype(np.uint64)
    mixed = (codes + (within.astype(np.uint64) << np.uint64(21)) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    running = np.concatenate((np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)))
    return running[offsets[1:]] - running[offsets[:-1]]
