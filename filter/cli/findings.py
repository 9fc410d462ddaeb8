"""What went from a page, told as a linter tells it: ``file:line: label probability excerpt``."""

from __future__ import annotations

from collections.abc import Iterator

from filter.cli.messages import printable
from filter.labels import BLANK
from filter.page import Line, Page

EXCERPT = 60
"""Characters that are shown."""


def page_findings(page: Page) -> Iterator[tuple[Line, str, str]]:
    """Go through what was dropped from a page, or cut out of its lines.

    Parameters
    ----------
    page : Page

    Yields
    ------
    tuple of Line, str and str
        A line, a label, and the text it is about.
    """
    for line in page.lines:
        for label, excerpt in line_findings(line):
            yield line, label, excerpt


def line_findings(line: Line) -> Iterator[tuple[str, str]]:
    """Say what was wrong with a line: it was dropped as a whole, or spans of it were cut or repaired.

    Parameters
    ----------
    line : Line

    Yields
    ------
    tuple of str and str
        A label, and the text it is about; spans of one label together.

    Examples
    --------
    >>> list(line_findings(Line(0, "Home > News", "navigation", 0.97, False, None)))
    [('navigation', 'Home > News')]
    """
    if not line.kept:
        if line.label != BLANK:
            yield line.label, line.text
        return
    by_label: dict[str, list[str]] = {}
    for span in line.spans:
        by_label.setdefault(span.label, []).append(line.text[span.start : span.end])
    for label, texts in by_label.items():
        yield label, " ".join(texts)


def describe_finding(name: str, line: Line, label: str, excerpt: str) -> str:
    r"""Put a finding into a line.

    Parameters
    ----------
    name : str
        Of the file.
    line : Line
    label : str
    excerpt : str
        Shortened, and shown without what could move the cursor.

    Returns
    -------
    str

    Examples
    --------
    >>> describe_finding("a.txt", Line(0, "Buy\tnow", "advert", 0.97, False, None), "advert", "Buy\tnow")
    'a.txt:1: advert 0.97 Buy now'
    """
    shown = printable(" ".join(excerpt.split())[:EXCERPT])
    return f"{printable(name)}:{line.number + 1}: {label} {line.probability:.2f} {shown}".rstrip()
