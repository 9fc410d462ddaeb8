"""Mirrored pinyin glosses: a mirror that converts a page leaves the reading of a converted character behind it, 網(wǎng).

The reading an author gives differs: it stands behind rare characters, of either script, behind whole words, and seldom.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from filter.codepoints import CLASS, class_table
from filter.labels import RESIDUE
from filter.page import Span

_TONES = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜńňǹḿ"
_TONES += _TONES.upper()
_FINAL = "(?:i?ang?|i?ong|ia?o|ua[ni]?g?|u?ai|[uüv]e|[iu]?e[in]?g?|ing?|u[noi]?|[aeiouüv]|ao|ou|er)"
_TONE_MARKS = "\u0304\u0301\u030c\u0300"
_NUMBERED = rf"(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?{_FINAL}[1-5]"
"""A syllable whose tone is a number."""
_GLOSS = re.compile(rf"[(（](?:(?=[a-zü]{{0,4}}[{_TONES}])[a-zü{_TONES}]{{1,6}}|{_NUMBERED})[)）]", re.IGNORECASE)
_SYLLABLE = re.compile(rf"(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?{_FINAL}|[nm]", re.IGNORECASE)
_ANY_READING = re.compile(
    rf"[(（](?:(?=[^()（）]*[{_TONES}])[a-zü{_TONES}’' -]+|(?:{_NUMBERED} ?)+)[)）]", re.IGNORECASE
)

MIN_GLOSSES = 2
"""Glosses that make a page a mirror: one alone could be an author's."""
MIN_CONVERTED = 0.9
"""Share of the page's readings that stand, one syllable each, behind a converted character."""
MAX_ALONE = 0.5
"""Share of the glosses whose character stands between marks, as in lists of characters and their readings."""


def glosses(text: str) -> list[Span]:
    """Glosses of a page that is a mirror: none where it could be a lesson, a dictionary, or names with their readings.

    Parameters
    ----------
    text : str
        The whole page: whether a bracket is a mirror's gloss is decided by the page.

    Returns
    -------
    list of Span

    Examples
    --------
    >>> [text[r.start : r.end] for text in ["網(wǎng)站發(fā)布，檢（CE4）"] for r in glosses(text)]
    ['(wǎng)', '(fā)', '（CE4）']
    >>> glosses("饕餮(tāotiè)是古書裡的怪獸，郫(pí)縣的豆瓣醬有名。")
    []
    """
    if "(" not in text and "（" not in text:
        return []
    found = [(_begin(text, match.start()), match.end()) for match in _GLOSS.finditer(text)]
    found = [(start, end) for start, end in found if start > 0 and _is_syllable(text[start:end])]
    if len(found) < MIN_GLOSSES:
        return []
    table, traditional = class_table(), CLASS["han_traditional"]
    # The character itself can be lost to the damage, with a mark left in its place.
    converted = [(i, j) for i, j in found if text[i - 1] in "|?" or table[ord(text[i - 1])] == traditional]
    readings = sum(1 for _ in _ANY_READING.finditer(text))
    if len(converted) < MIN_GLOSSES or len(converted) < MIN_CONVERTED * readings:
        return []
    if _has_two_readings(text, converted) or sum(_is_alone(text, *one) for one in converted) > MAX_ALONE * len(
        converted
    ):
        return []
    return [Span(start, end, RESIDUE, "") for start, end in converted]


def _is_syllable(gloss: str) -> bool:
    """Whether it is one syllable with one tone, not the reading of a word."""
    letters = normalize("NFD", _reading(gloss))
    tones = sum(letter in _TONE_MARKS or letter.isdigit() for letter in letters)
    plain = "".join(letter for letter in letters if letter.isalpha())
    return tones == 1 and _SYLLABLE.fullmatch(plain) is not None


def _reading(gloss: str) -> str:
    """What stands between the brackets."""
    return gloss.strip(" \u00a0()（）").lower()


def _has_two_readings(text: str, glosses: list[tuple[int, int]]) -> bool:
    """Whether a character is read one way here and another way there: a mirror looks it up in a table."""
    readings: dict[str, str] = {}
    for start, end in glosses:
        reading = _reading(text[start:end])
        if text[start - 1] not in "|?" and readings.setdefault(text[start - 1], reading) != reading:
            return True
    return False


def _is_alone(text: str, start: int, end: int) -> bool:
    """Whether no letter stands before the character, nor behind its gloss."""
    return not text[max(start - 2, 0) : start - 1].isalpha() and not text[end : end + 1].isalpha()


def _begin(text: str, bracket: int) -> int:
    """Where a gloss begins: at the blank before its bracket, if there is one."""
    return bracket - 1 if bracket and text[bracket - 1] in " \u00a0" else bracket
