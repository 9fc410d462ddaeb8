"""Characters of icon fonts: code points for private use that only the page's own font could show."""

from __future__ import annotations

import re

from filter.labels import RESIDUE
from filter.page import Span

_ALONE = re.compile("(?:^|(?<=\\s))[\ue000-\uf8ff]+(?:[ \t]|(?=\\s)|$)", re.MULTILINE)
_ANY = re.compile("[\ue000-\uf8ff]")


def icons(text: str) -> list[Span]:
    r"""Private-use characters that stand by themselves beside text; inside words they are letters of some old encoding.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Span

    Examples
    --------
    >>> [(r.start, r.end) for r in icons("\ue80c Opening hours")]
    [(0, 2)]
    >>> icons("我\ue000們 \ue001")
    []
    """
    if not _ANY.search(text):
        return []
    found = [match for match in _ALONE.finditer(text) if _beside_text(text, match)]
    alone = sum(len(match[0].rstrip()) for match in found)
    # A page that needs them in its words may need them anywhere.
    return [Span(*match.span(), RESIDUE, "") for match in found] if alone == _in_lines_with_text(text) else []


def _beside_text(text: str, match: re.Match[str]) -> bool:
    """Whether the line holds something else: a line of icons alone is judged as a whole."""
    begin, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
    rest = text[begin : match.start()] + text[match.end() : end if end >= 0 else len(text)]
    return bool(_ANY.sub("", rest).strip())


def _in_lines_with_text(text: str) -> int:
    return sum(len(_ANY.findall(line)) for line in text.split("\n") if _ANY.search(line) and _ANY.sub("", line).strip())
