r"""Pages whose line breaks say nothing: a whole page on one line, and lines cut at a fixed width.

Such a page is judged by its sentences or its paragraphs, as lines. What is said of these is then said of the lines that came: a line
goes if all that is on it goes, and is cut if some of it does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from filter.classify import NO_LABEL
from filter.labels import LABELS
from filter.page import Span
from filter.segment import Floats, Indices, line_bounds

ONE_LINE = 1500
"""Characters from which a line may be a whole page; the longest paragraphs that authors write have about as many."""
MOST_ON_IT = 0.6
"""Share of the page's characters that such lines hold at least."""
LONGEST_PART = 400
"""Characters up to which a part of such a line is cut: a longer one is a title, a menu and a sentence that no mark tells apart."""
WIDEST = 120
NARROWEST = 40
"""Between these lie the widths at which mail programs and terminals break lines."""
FEWEST_LINES = 6
WRAPPED = 0.5
"""Share of line breaks that are where the next word did not fit any more, from which they all are a program's."""
IN_SENTENCE = 0.4
"""Share of these that are in the middle of a sentence, at least: no full stop before, no capital behind. Authors break after sentences, and
the rows of a table are as wide as each other."""
LONGEST_WORD = 20
"""Columns that a word has at most. What is longer, a phrase of a script without blanks, may be broken anywhere."""
_LATIN, _OTHERS = "A-Za-z\u00c0-\u024f", "\u0370-\u1fff\u2e80-\u9fff\uac00-\ud7a3"
_SENTENCE_END = re.compile(
    r"(?:[.!?…।؟]+[)\]\"'”’»]*[ \t]+|[。！？．]+[」』）】”’》]*[ \t\u3000]*|[ \t]+[|｜][ \t]+|[ \t]{2,}|\t)(?=\S)"
    # One script ends and another begins, each with more than a name.
    rf"|(?<=[{_OTHERS}][{_OTHERS}\s,，、]{{7}})[ \t]+(?=[{_LATIN}][{_LATIN} ,'-]{{15}})"
    rf"|(?<=[{_LATIN}][{_LATIN} ,'-]{{15}})[ \t]+(?=[{_OTHERS}][{_OTHERS}\s,，、]{{7}})"
)
"""Where a sentence ends, or a part between bars or wide gaps does."""
_ENDS_SENTENCE = re.compile(r"[.!?…।؟:;。！？．：；][)\]\"'”’»」』）】》]*\s*$")


@dataclass(frozen=True, slots=True)
class Reflowed:
    """A page as it is judged.

    Attributes
    ----------
    text : str
    starts, ends : ndarray of int64, shape (n_judged_lines,)
        Where each of its lines lies in the page that came.
    line_starts, line_ends : ndarray of int64, shape (n_lines,)
        Where the lines lie that came.
    wrapped : bool
        Whether it is judged by paragraphs, not by sentences.
    """

    text: str
    starts: Indices
    ends: Indices
    line_starts: Indices
    line_ends: Indices
    wrapped: bool

    @property
    def uncut(self) -> NDArray[np.bool_]:
        """Which of its lines stay whatever is said of them."""
        long: NDArray[np.bool_] = self.ends - self.starts > LONGEST_PART
        return long & (not self.wrapped)


def reflowed(text: str) -> Reflowed | None:
    r"""The page by its sentences or paragraphs, if its line breaks say nothing.

    Parameters
    ----------
    text : str

    Returns
    -------
    Reflowed or None
        None for a page whose lines are lines.

    Examples
    --------
    >>> page = " ".join(f"Sentence number {n} says a little more than the last one." for n in range(40))
    >>> reflowed(page).text.count("\n"), reflowed("A line.\nAnother line.")
    (39, None)
    """
    lines = text.removesuffix("\n").split("\n")
    longest = max(map(len, lines))
    if longest >= ONE_LINE and sum(len(line) for line in lines if len(line) >= ONE_LINE) >= MOST_ON_IT * len(text):
        return _by_sentence(text, lines)
    if NARROWEST <= longest <= WIDEST and len(lines) >= FEWEST_LINES:
        return _by_paragraph(text, lines)
    return None


def _by_sentence(text: str, lines: Sequence[str]) -> Reflowed | None:
    line_starts, line_ends = line_bounds(text)
    starts, ends = [], []
    for start, line in zip(line_starts.tolist(), lines, strict=True):
        cuts = [match.span() for match in _SENTENCE_END.finditer(line)] if len(line) >= ONE_LINE else []
        marks = [len(line[a:b].rstrip()) + a for a, b in cuts]
        starts += [start, *(start + end for _, end in cuts)]
        # A bar between two parts belongs to neither.
        ends += [
            start + (a if line[a:mark].strip(" \t|｜") == "" else mark)
            for (a, _), mark in zip(cuts, marks, strict=True)
        ]
        ends.append(start + len(line))
    if len(starts) == len(lines):
        return None
    return _made(text, starts, ends, line_starts, line_ends, wrapped=False)


def _by_paragraph(text: str, lines: Sequence[str]) -> Reflowed | None:
    widths = [_width(line.rstrip()) for line in lines]
    widest = max(widths)
    fits, pairs, in_sentence = [], 0, 0
    for line, after, width in zip(lines, lines[1:], widths, strict=False):
        both = bool(line.strip()) and bool(after.strip())
        pairs += both
        fits.append(not both or width + 1 + _first_word(after) <= widest)
        in_sentence += not fits[-1] and not after.lstrip()[:1].isupper() and not _ENDS_SENTENCE.search(line)
    broken = fits.count(False)
    if not pairs or broken < WRAPPED * pairs or in_sentence < IN_SENTENCE * broken:
        return None
    line_starts, line_ends = line_bounds(text)
    opens = np.array([True, *fits])
    return _made(
        text,
        line_starts[opens].tolist(),
        line_ends[np.append(opens[1:], True)].tolist(),
        line_starts,
        line_ends,
        wrapped=True,
    )


def _made(
    text: str, starts: Sequence[int], ends: Sequence[int], line_starts: Indices, line_ends: Indices, *, wrapped: bool
) -> Reflowed:
    judged = "\n".join(text[start:end].replace("\n", " ") for start, end in zip(starts, ends, strict=True))
    return Reflowed(
        judged + "\n" * text.endswith("\n"),
        np.array(starts, np.int64),
        np.array(ends, np.int64),
        line_starts,
        line_ends,
        wrapped,
    )


def _first_word(text: str) -> int:
    """Columns of the first thing of a line that is not broken: a wide character, or a word."""
    word = text.split(maxsplit=1)[0]
    wide = _wide().search(word)
    width = _width(word[: max(wide.start(), 1)] if wide else word)
    return width if width <= LONGEST_WORD else 1


def _width(text: str) -> int:
    """Columns that a terminal gives it."""
    return len(text) if text.isascii() else len(text) + len(_wide().findall(text))


@cache
def _wide() -> re.Pattern[str]:
    return re.compile(
        "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\U00020000-\U0003fffd]"
    )


def on_lines(
    page: Reflowed, label: NDArray[np.int8], junk: Floats, kept: NDArray[np.bool_]
) -> tuple[NDArray[np.int8], Floats, NDArray[np.bool_], list[Span]]:
    """What was said of sentences or paragraphs, of the lines that came.

    Parameters
    ----------
    page : Reflowed
    label : ndarray of int8, shape (n_judged_lines,)
    junk : ndarray of float32, shape (n_judged_lines,)
    kept : ndarray of bool, shape (n_judged_lines,)

    Returns
    -------
    label, junk, kept : ndarray, shape (n_lines,)
        Of a line with several parts those of the longest part that stays, if one does.
    cuts : list of Span
        In code points of the page, of lines that stay, in order.
    """
    found_label, found_junk, found_kept = [], [], []
    cuts: list[Span] = []
    first = np.searchsorted(page.ends, page.line_starts, side="left")
    last = np.searchsorted(page.starts, page.line_ends, side="right")
    for number, (low, high) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        parts = np.arange(low, max(high, low + 1))
        written = parts[label[parts] != NO_LABEL]
        parts = written if len(written) else parts
        stay = parts[kept[parts]]
        some = stay if len(stay) else parts
        best = some[np.argmax((page.ends - page.starts)[some])]
        found_label.append(label[best])
        found_junk.append(junk[best])
        found_kept.append(bool(len(stay)))
        if len(stay) and len(stay) < len(parts):
            cuts += _cut_parts(page, parts, kept, label, int(page.line_starts[number]), int(page.line_ends[number]))
    return np.array(found_label, np.int8), np.array(found_junk, np.float32), np.array(found_kept, bool), cuts


def _cut_parts(
    page: Reflowed, parts: Indices, kept: NDArray[np.bool_], label: NDArray[np.int8], line_start: int, line_end: int
) -> list[Span]:
    """Runs of parts that go, each with the blank behind it, or before it where it is the last."""
    spans = []
    gone = np.flatnonzero(~kept[parts])
    for run in np.split(gone, np.flatnonzero(np.diff(gone) > 1) + 1):
        a, b = parts[run[0]], parts[run[-1]]
        start, end = int(page.starts[a]), int(page.ends[b])
        if run[-1] + 1 < len(parts):
            end = int(page.starts[b + 1])
        elif run[0] > 0:
            start, end = int(page.ends[a - 1]), line_end
        spans.append(Span(max(start, line_start), min(end, line_end), LABELS[label[a]]))
    return spans


def before_repairs(place: int, repairs: Sequence[Span], *, is_end: bool) -> int:
    """Where a place of the mended page lay before it was mended.

    Parameters
    ----------
    place : int
    repairs : sequence of Span
        In order.
    is_end : bool
        Whether it is the end of a stretch: a repair that begins there is none of it.

    Returns
    -------
    int

    Examples
    --------
    >>> repairs = [Span(2, 7, "residue")]
    >>> [before_repairs(place, repairs, is_end=end) for place, end in ((1, False), (2, True), (2, False), (3, False))]
    [1, 2, 7, 8]
    """
    shift = 0
    for repair in repairs:
        begins = repair.start + shift
        if place < begins or (is_end and place == begins):
            break
        if place < begins + len(repair.replacement):
            return repair.end if is_end else repair.start
        shift += len(repair.replacement) - (repair.end - repair.start)
    return place - shift
