"""Characters without which there is no damage of a kind: one look-up a page tells what need not be searched for."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from filter.codepoints import CLASS, TABLE_SIZE, class_table, to_codes

CONVERTED, MISREAD, PRIVATE = 1, 2, 4
"""A character that a mirror could have converted; one that misread bytes become; one for private use."""
MISREAD_SIGNS = "锛銆鈥鐨"
"""What UTF-8 read as GBK makes of the comma, the full stop, the quotation marks and the commonest character of Chinese."""


def traces(text: str) -> int:
    """Which of these a page holds.

    Parameters
    ----------
    text : str

    Returns
    -------
    int
        Bits.

    Examples
    --------
    >>> traces("plain text"), traces("網"), traces("cafÃ©") == MISREAD
    (0, 1, True)
    """
    return 0 if text.isascii() else int(np.bitwise_or.reduce(_trace_table().take(to_codes(text), mode="clip")))


@cache
def _trace_table() -> NDArray[np.uint8]:
    table = np.zeros(TABLE_SIZE, np.uint8)
    table[class_table() == CLASS["han_traditional"]] = CONVERTED
    # The second byte of a misread pair can be any; the first becomes one of these letters.
    table[0xA1:0xFF] |= MISREAD
    table[[ord(sign) for sign in MISREAD_SIGNS]] |= MISREAD
    table[0xE000:0xF900] |= PRIVATE
    return table
