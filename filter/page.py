"""What cleaning gives back: a page, its lines, and the stretches cut out of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from filter.labels import BLANK

if TYPE_CHECKING:
    from filter.site import Evidence


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a line that was cut or repaired.

    Attributes
    ----------
    start, end : int
        Half-open range in code points of `Line.text`.
    label : str
        What the stretch is, one of `filter.labels.LABELS`.
    replacement : str
        What stands there in the output; empty where the stretch was cut.
    """

    start: int
    end: int
    label: str
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    r"""The verdict on one line of the input.

    Attributes
    ----------
    number : int
        Place of the line in the page, counted from 0.
    text : str
        The line as it came, without its ``\n``; a ``\r`` before it belongs to the text.
    label : str
        One of `filter.labels.LABELS`, or ``blank``.
    probability : float
        Calibrated probability that the line is neither article nor metadata; 0 for a blank line.
    kept : bool
        Whether the line is part of the cleaned text.
    output : str or None
        The line as emitted, or None where it was dropped.
    spans : tuple of Span
        The stretches that differ between `text` and `output`, in order, without overlap.
    """

    number: int
    text: str
    label: str
    probability: float
    kept: bool
    output: str | None
    spans: tuple[Span, ...] = ()


def apply_spans(text: str, spans: Sequence[Span]) -> str:
    """Replace each span of a line by its replacement.

    Parameters
    ----------
    text : str
        The line.
    spans : sequence of Span
        Ordered by `start`, without overlap.

    Returns
    -------
    str
        The line as emitted.

    Examples
    --------
    >>> apply_spans("網(wǎng)站", [Span(1, 7, "residue")])
    '網站'
    """
    if not spans:
        return text
    pieces: list[str] = []
    position = 0
    for span in spans:
        pieces += (text[position : span.start], span.replacement)
        position = span.end
    pieces.append(text[position:])
    return "".join(pieces)


@dataclass(slots=True)
class Page:
    """A cleaned page.

    Attributes
    ----------
    text : str
        The cleaned text: equal to the input where nothing was flagged.
    dropped : dict of str to int
        How many lines were dropped, by what they are: ``injected``, ``furniture`` or ``genuine``; only what is not 0.
    verdict : {"clean", "injected", "spam", "empty"}
        ``injected`` where something injected was dropped or cut, ``spam`` where nothing on the page is genuine, ``empty`` where
        there is no text at all.
    junk_share : float
        Share of its characters that were dropped, blank lines apart.
    evidence : Evidence or None
        What other pages of its site said of its lines, where that was asked.
    """

    text: str
    _make_lines: Callable[[], list[Line]] = field(repr=False)
    _lines: list[Line] | None = field(default=None, repr=False)
    dropped: dict[str, int] = field(default_factory=dict)
    verdict: str = "clean"
    junk_share: float = 0.0
    evidence: Evidence | None = field(default=None, repr=False)

    @property
    def lines(self) -> list[Line]:
        """One `Line` for each line of the input, blank ones included, in order.

        They are made when first asked for: one Python object a line costs as much as all of the cleaning.
        """
        if self._lines is None:
            self._lines = self._make_lines()
        return self._lines

    def dropped_whole(self) -> Page:
        """The page with every line of it dropped.

        Examples
        --------
        >>> page = Page("Hot odds", lambda: [Line(0, "Hot odds", "article", 0.2, True, "Hot odds")], verdict="spam")
        >>> page.dropped_whole().text, page.dropped_whole().lines[0].kept
        ('', False)
        """
        lines = [
            line if line.label == BLANK else replace(line, kept=False, output=None, spans=()) for line in self.lines
        ]
        share = 1.0 if self.text.strip() else self.junk_share
        return Page("", lambda: lines, None, self.dropped, self.verdict, share, self.evidence)

    def __getstate__(self) -> tuple[Any, ...]:
        # Pickled with its lines, not with what makes them: that could be a whole model.
        return self.text, self.lines, self.dropped, self.verdict, self.junk_share, self.evidence

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.text, self._lines, self.dropped, self.verdict, self.junk_share, self.evidence = state
        self._make_lines = list
