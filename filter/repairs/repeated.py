"""Lines that hold their text twice: a link beside its own hover text, a title beside its copy, run together by a scraper."""

from __future__ import annotations

import numpy as np

from filter.codepoints import to_codes
from filter.labels import DUPLICATE
from filter.page import Span

GAPS = (0, 1)
"""Characters between the two: nothing, or one blank."""
LEAST, LEAST_CASELESS = 12, 8
"""Characters of the text, and where its script has no capitals to show that it begins again: refrains are shorter."""
LEAST_LETTERS = 8


def repeated(text: str) -> list[Span]:
    """The second copy of what a line holds twice and nothing else.

    A refrain goes on in lower case, or behind a comma; what was run together begins with its capital again. Where a script
    has no capitals, only what stands without a blank between is taken for a copy: verses have one.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Span

    Examples
    --------
    >>> [text[r.start : r.end] for text in ["Electricity plansElectricity plans"] for r in repeated(text)]
    ['Electricity plans']
    >>> repeated("Let it be, let it be") + repeated("Row row row your boat row row row your boat")
    []
    """
    if len(text) < 2 * LEAST_CASELESS:
        return []
    codes = to_codes(text)
    breaks = np.flatnonzero(codes == 10)
    starts, ends = np.append(0, breaks + 1), np.append(breaks, len(codes))
    ends = ends - ((ends > starts) & (codes[ends - 1] == 13))
    found = []
    for gap in GAPS:
        size = (ends - starts - gap) // 2
        fits = np.flatnonzero((size >= LEAST_CASELESS) & ((ends - starts - gap) % 2 == 0))
        first, half = starts[fits], size[fits]
        alike = (codes[first] == codes[first + half + gap]) & (
            codes[first + half - 1] == codes[first + 2 * half + gap - 1]
        )
        for start, length in zip(first[alike].tolist(), half[alike].tolist(), strict=True):
            one, between = text[start : start + length], text[start + length : start + length + gap]
            if text.startswith(one, start + length + gap) and _begins_again(one, between):
                found.append(Span(start + length, start + 2 * length + gap, DUPLICATE, ""))
    return sorted(found, key=lambda span: span.start)


def _begins_again(one: str, between: str) -> bool:
    """Whether a text is long enough to stand twice by mistake only, and shows that it begins anew."""
    if between.strip() or one != one.strip() or sum(map(str.isalpha, one)) < LEAST_LETTERS:
        return False
    # What is itself the same over and over, a chant or a laugh, was meant.
    if one in (one + one)[1:-1] or one in f"{one} {one}"[1:-1]:
        return False
    if one[0].isupper():
        return len(one) >= LEAST and not one.isupper()
    return one[0].isalpha() and not one[0].islower() and not between
