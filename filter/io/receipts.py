"""Receipts: what was dropped or changed, as JSON lines.

There is one object for every line that was dropped or came out changed, blank lines aside. A record for a
whole page, with what it takes to put the page together again, would stand before those of its lines:
`page_receipts` is the place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from filter.io.records import verdict_record
from filter.labels import BLANK
from filter.page import Line, Page


def page_receipts(page: Page, original: str | None, source: dict[str, Any], digest: str) -> Iterator[dict[str, Any]]:
    """Make the receipts of a page.

    Parameters
    ----------
    page : Page
    original : str or None
        What was cleaned, where it is text; with it, an untouched page costs nothing.
    source : dict
        What says where the page came from: ``source``, and ``row`` for JSON lines.
    digest : str
        Hash of the weights of the model that decided.

    Yields
    ------
    dict
        ``source`` and so on, ``number``, ``label``, ``probability``, ``text``, ``output`` (None where the
        line was dropped), ``spans``, ``model``.

    Examples
    --------
    >>> line = Line(0, "Home > News", "navigation", 0.97, False, None)
    >>> next(page_receipts(Page("", lambda: [line]), None, {"source": "a.txt"}, "5f1a"))["text"]
    'Home > News'
    """
    if page.text == original:
        return
    for line in page.lines:
        if line.label != BLANK and line.output != line.text:
            yield line_receipt(line, source, digest)


def line_receipt(line: Line, source: dict[str, Any], digest: str) -> dict[str, Any]:
    """Make the receipt of a line.

    Parameters
    ----------
    line : Line
    source : dict
    digest : str

    Returns
    -------
    dict
        As `page_receipts` yields it.
    """
    verdict = verdict_record(line)
    return {
        **source,
        "number": verdict["number"],
        "label": verdict["label"],
        "probability": verdict["probability"],
        "text": line.text,
        "output": line.output,
        "spans": verdict["spans"],
        "model": digest,
    }
