"""Tables indexed by code point: one look-up folds a whole batch, one counts its scripts.

Folding feeds the classifier only; emitted text is never folded.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TABLE_SIZE = 0x110000
NEWLINE = 10
SPACE = 32
ZERO = 48

CLASSES: tuple[str, ...] = (
    "symbol", "space", "newline", "lower", "upper", "latin_extended", "digit", "sentence_end", "comma", "separator",
    "bracket", "markup", "question", "damage", "invisible", "mark", "fancy", "emoji", "han", "han_simplified",
    "han_traditional", "hiragana", "katakana", "hangul", "cyrillic", "greek", "arabic", "hebrew", "thai", "indic",
    "other_script",
)  # fmt: skip
LETTER_CLASSES = ("lower", "upper", "latin_extended", "han", "han_simplified", "han_traditional", "hiragana", "katakana", "hangul",
                  "cyrillic", "greek", "arabic", "hebrew", "thai", "indic", "other_script", "fancy")  # fmt: skip
CLASS: dict[str, int] = {name: index for index, name in enumerate(CLASSES)}

Codes = NDArray[np.uint32]


@cache
def _tables() -> dict[str, Any]:
    with np.load(Path(__file__).with_name("tables") / "codepoints.npz") as stored:
        return {name: stored[name] for name in stored.files}


@cache
def fold_table() -> Codes:
    """Folded code point by code point: case, width, script, digits and look-alikes levelled; 0 drops it.

    Returns
    -------
    ndarray of uint32, shape (0x110000,)
        Sources and licences: ``filter/tables/SOURCES.json``.

    Examples
    --------
    >>> [chr(c) for c in fold_table()[[ord(c) for c in "Ａ網7Ж"]]]
    ['a', '网', '0', 'ж']
    """
    table = np.arange(TABLE_SIZE, dtype=np.uint32)
    stored = _tables()
    table[stored["fold_from"]] = stored["fold_to"]
    return table


@cache
def class_table() -> NDArray[np.uint8]:
    """Index into `CLASSES` by code point, taken before folding.

    Returns
    -------
    ndarray of uint8, shape (0x110000,)

    Examples
    --------
    >>> [CLASSES[c] for c in class_table()[[ord(c) for c in "网網中,?"]]]
    ['han_simplified', 'han_traditional', 'han', 'comma', 'question']
    """
    stored = _tables()
    lengths = np.diff(stored["class_start"], append=np.uint32(TABLE_SIZE))
    return np.repeat(stored["class_of"], lengths)


def to_codes(text: str) -> Codes:
    """Code points of a text; lone surrogates pass.

    Parameters
    ----------
    text : str

    Returns
    -------
    ndarray of uint32, shape (len(text),)
        Read-only view of a new buffer.

    Examples
    --------
    >>> to_codes("a網").tolist()
    [97, 32178]
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
