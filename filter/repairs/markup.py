"""Markup that was left in the text: closing tags at the end of prose, whole or cut in half."""

from __future__ import annotations

import re

from filter.labels import RESIDUE
from filter.page import Span

_NAMES = "p|div|span|strong|b|em|i|font|a|td|tr|li|ul|ol|h[1-6]|section|article|blockquote|center"
_BROKEN_TAG = re.compile(r"(?P<lost>\?!\?|\?)/(?:p|div|span|strong|td|li|h[1-6])>(?=[ \t\u3000]*\r?$)", re.MULTILINE)
_CLOSING_TAGS = re.compile(rf"(?:</(?:{_NAMES})>[ \t]?)+(?=[ \t\u3000]*\r?$)", re.MULTILINE | re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
MIN_LETTERS = 10
"""Letters before a closing tag that make its line prose."""


def leftover_tags(text: str) -> list[Span]:
    """Closing tags at the ends of lines of prose; not those of code, which opens what it closes.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Span

    Examples
    --------
    >>> [text[r.start : r.end] for text in ["The hall opens at nine.</p>"] for r in leftover_tags(text)]
    ['</p>']
    >>> leftover_tags("<p>The hall opens at nine.</p>")
    []
    """
    if "</" not in text and "?/" not in text:
        return []
    # A line that is nothing else is residue as a whole: it is judged as it is, and never becomes a blank one.
    broken = [
        Span(*match.span(), RESIDUE, _lost_ending(text, match))
        for match in _BROKEN_TAG.finditer(text)
        if _line_before(text, match).strip()
    ]
    closing = [
        Span(match.start(), match.start() + len(match[0].rstrip(" \t")), RESIDUE, "")
        for match in _CLOSING_TAGS.finditer(text)
        if _is_prose(_line_before(text, match))
    ]
    return [*broken, *closing]


def _is_prose(line: str) -> bool:
    return not any(mark in line for mark in "<`\"'={}") and len(_LETTER.findall(line)) >= MIN_LETTERS


def _line_before(text: str, match: re.Match[str]) -> str:
    return text[text.rfind("\n", 0, match.start()) + 1 : match.start()]


def _lost_ending(text: str, match: re.Match[str]) -> str:
    """What stood before the tag: the damage took a full stop, and the closing quotation mark where three marks are left."""
    line = _line_before(text, match)
    if not re.search(r"[\u3400-\u9fff]", line):
        return ""
    opened = line.count("“") > line.count("”")
    return "。”" if match["lost"] == "?!?" and opened else "。"
