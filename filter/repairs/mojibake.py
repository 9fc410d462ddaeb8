"""Text that was read in the wrong encoding and can be read back: UTF-8 as windows-1252, GBK as Latin-1, UTF-8 as GBK.

A stretch is mended only where its bytes are valid in the other encoding and say something there; chance makes short
stretches valid, so each kind has a least length.

References
----------
ftfy (Speer, 2019) finds the first kind alike, by what bytes of UTF-8 become in windows-1252.
"""

from __future__ import annotations

import re

from filter.labels import RESIDUE
from filter.page import Span
from filter.repairs.traces import MISREAD_SIGNS

_AS_1252 = {bytes([b]).decode("cp1252", "ignore") or chr(b): b for b in range(128, 256)} | {
    chr(b): b for b in range(128, 160)
}
"""Characters that bytes from 128 on become in windows-1252, or in Latin-1 where it has none."""
_TAIL = re.escape("".join(char for char, byte in _AS_1252.items() if byte < 0xC0))
_SUSPECT = re.compile(f"[Â-ô][{_TAIL}]")
"""What every stretch of the first kind begins with: found quickly, and rare."""
_UTF8_AS_1252 = re.compile(f"(?:[Â-ß][{_TAIL}]|[à-ï][{_TAIL}]{{2}}|[ð-ô][{_TAIL}]{{3}})+")
_LATIN_RUN = re.compile("[\u00a1-\u00fe]{8}")
_GBK_AS_LATIN = re.compile("(?:[\u00a1-\u00fe]{2}){4,}")
_UTF8_AS_GBK = re.compile("[\u0391-\u0451\u2010-\u2642\u3000-\u312f\u3400-\u9fff\ue000-\uf8ff\uff00-\uffef]{6,}")
_ONE_WIDE = re.compile("[\u2e80-\U0010ffff]\\Z")
"""A single wide character: in French, é before a narrow blank and a closing quotation mark would make one."""
MIN_STRETCHES = 2
"""Stretches of UTF-8 as windows-1252 on a page: one alone could be shown."""


def misread(text: str) -> list[Span]:
    """Stretches that were read in the wrong encoding, with what they should be.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Span

    Examples
    --------
    >>> text = "The cafÃ© isnâ€™t open."
    >>> [(text[r.start : r.end], r.replacement) for r in misread(text)]
    [('Ã©', 'é'), ('â€™', '’')]
    >>> misread("Château, à côté: ÅÄÖ")
    []
    """
    suspects = _UTF8_AS_1252.finditer(text) if _SUSPECT.search(text) else ()
    latin = [_back(match, _bytes_of_1252(match[0]), "utf-8") for match in suspects]
    found = [span for span in latin if span is not None and not _ONE_WIDE.match(span.replacement)]
    if len(found) < MIN_STRETCHES:
        found = []
    taken = {place for span in found for place in range(span.start, span.end)}
    for match in _GBK_AS_LATIN.finditer(text) if _LATIN_RUN.search(text) else ():
        span = _back(match, match[0].encode("latin-1"), "gb2312")
        if span is not None and not taken & set(range(span.start, span.end)):
            found.append(span)
    if any(sign in text for sign in MISREAD_SIGNS):
        found += [span for span in map(_read_as_gbk, _UTF8_AS_GBK.finditer(text)) if span is not None]
    return found


def _bytes_of_1252(stretch: str) -> bytes:
    return bytes(_AS_1252[char] for char in stretch)


def _back(match: re.Match[str], data: bytes, codec: str) -> Span | None:
    try:
        meant = data.decode(codec)
    except UnicodeDecodeError:
        return None
    return Span(*match.span(), RESIDUE, meant) if meant.isprintable() or "\xa0" in meant else None


def _read_as_gbk(match: re.Match[str]) -> Span | None:
    try:
        return _back(match, match[0].encode("gb18030"), "utf-8")
    except UnicodeEncodeError:
        return None
