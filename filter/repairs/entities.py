"""Character references that were never decoded, or encoded twice: &nbsp; and &amp;#8217; in running text."""

from __future__ import annotations

import re
from html import unescape

from filter.labels import RESIDUE
from filter.page import Span

_ENTITY = re.compile(r"&(?:amp;)*(?:#[0-9]{2,6}|#[xX][0-9a-fA-F]{2,5}|[a-zA-Z]{2,8}[0-9]{0,2});")
_ABOUT_MARKUP = re.compile(r"[`=<>{}]|HTML|XML|html|xml|&(?:amp;)*(?:lt|gt|#6[02]|#x3[cCeE]);")
"""What stands on lines about markup, where a reference may be what the author shows."""


def undecoded_entities(text: str) -> list[Span]:
    """Character references in prose, with what they stand for.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Span

    Examples
    --------
    >>> [(text[r.start : r.end], r.replacement) for text in ["Fish &amp;amp; chips, caf&eacute;"]
    ...  for r in undecoded_entities(text)]
    [('&amp;amp;', '&'), ('&eacute;', 'é')]
    >>> undecoded_entities("In HTML write &amp; for an ampersand.")
    []
    """
    if "&" not in text or ";" not in text:
        return []
    found = []
    for match in _ENTITY.finditer(text):
        shown = _decoded(match[0])
        if shown is None:
            continue
        begin, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
        rest = text[begin : match.start()] + text[match.end() : end if end >= 0 else len(text)]
        # A line that is nothing else is judged as it is, and never becomes a blank one.
        if not _ABOUT_MARKUP.search(rest) and rest.strip():
            found.append(Span(*match.span(), RESIDUE, shown))
    return found


def _decoded(entity: str) -> str | None:
    """What a reference stands for; None where that is none, or nothing that prose holds."""
    shown = entity
    for _ in range(4):
        shown = unescape(shown)
    if shown.startswith("&") and shown != "&":
        return None
    return (
        shown.replace("\xa0", " ")
        if len(shown) == 1 and (shown.isprintable() or shown == "\xa0") and shown not in "<>"
        else None
    )
