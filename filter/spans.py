"""Stretches to mend inside kept lines: mirrored pinyin glosses and broken closing tags.

A mirror that converts a page to traditional characters leaves the reading of a converted character behind it,
網(wǎng) for 网. The reading an author gives differs: it stands behind rare characters, of either script, and seldom.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from filter.codepoints import CLASS, class_table
from filter.labels import RESIDUE
from filter.page import Span

_TONES = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜńňǹḿ"
_GLOSS = re.compile(rf"\((?<=[\u3400-\u9fff|?]\()(?=[a-zü]{{0,4}}[{_TONES}])[a-zü{_TONES}]{{1,6}}\)")
_ANY_READING = re.compile(rf"[(（](?=[^()（）]*[{_TONES}])[a-zü{_TONES}’' -]+[)）]")
_BROKEN_TAG = re.compile(r"(?P<lost>\?!\?|\?)/(?:p|div|span|strong|td|li|h[1-6])>(?=[ \t\u3000]*\r?$)", re.MULTILINE)

MIN_GLOSSES = 2
"""Glosses that make a page a mirror: one alone could be an author's."""
MIN_CONVERTED = 0.9
"""Share of the page's readings that stand, one syllable each, behind a converted character."""


def find_repairs(text: str) -> list[Span]:
    """Stretches of a page that a mirror damaged.

    Parameters
    ----------
    text : str
        The whole page: whether a bracket is a mirror's gloss is decided by the page.

    Returns
    -------
    list of Span
        In code points of the page, in order, without overlap; none holds a line feed.

    Examples
    --------
    >>> [text[r.start : r.end] for text in ["網(wǎng)站發(fā)布"] for r in find_repairs(text)]
    ['(wǎng)', '(fā)']
    >>> find_repairs("饕餮(tāotiè)是古書裡的怪獸，郫(pí)縣的豆瓣醬有名。")
    []
    """
    return sorted([*_glosses(text), *_broken_tags(text)], key=lambda span: span.start)


def _glosses(text: str) -> Sequence[Span]:
    found = list(_GLOSS.finditer(text))
    if len(found) < MIN_GLOSSES:
        return ()
    table, traditional = class_table(), CLASS["han_traditional"]
    # The character itself can be lost to the damage, with a mark left in its place.
    converted = [m for m in found if text[m.start() - 1] in "|?" or table[ord(text[m.start() - 1])] == traditional]
    readings = sum(1 for _ in _ANY_READING.finditer(text))
    if len(converted) < MIN_GLOSSES or len(converted) < MIN_CONVERTED * readings:
        return ()
    return [Span(*match.span(), RESIDUE, "") for match in converted]


def _broken_tags(text: str) -> Sequence[Span]:
    # A line that is nothing else is residue as a whole: it is judged as it is, and never becomes a blank one.
    return [
        Span(*match.span(), RESIDUE, _lost_ending(text, match))
        for match in _BROKEN_TAG.finditer(text)
        if _line_before(text, match).strip()
    ]


def _line_before(text: str, match: re.Match[str]) -> str:
    return text[text.rfind("\n", 0, match.start()) + 1 : match.start()]


def _lost_ending(text: str, match: re.Match[str]) -> str:
    """What stood before the tag: the damage took a full stop, and the closing quotation mark where three marks are left."""
    line = _line_before(text, match)
    if not re.search(r"[\u3400-\u9fff]", line):
        return ""
    opened = line.count("“") > line.count("”")
    return "。”" if match["lost"] == "?!?" and opened else "。"
