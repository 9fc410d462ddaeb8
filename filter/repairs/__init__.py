"""Repairs: what a mirror or a scraper did to the lines of a page, found and mended.

Each repair is a function from a page to a plan, stretches with what should stand there; `filter.page.apply_spans` carries it
out, and the spans that a line carries undo it. Each has a guard against what looks alike and is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from filter.page import Span
from filter.repairs.entities import undecoded_entities
from filter.repairs.gloss import glosses
from filter.repairs.markup import leftover_tags
from filter.repairs.mojibake import misread
from filter.repairs.private_use import icons
from filter.repairs.repeated import repeated
from filter.repairs.traces import CONVERTED, MISREAD, PRIVATE, traces

REPAIRS: dict[str, Callable[[str], list[Span]]] = {
    "gloss": glosses,
    "markup": leftover_tags,
    "entities": undecoded_entities,
    "icons": icons,
    "mojibake": misread,
    "repeated": repeated,
}
"""By the names under which they can be switched off."""
_NEEDS = {"gloss": CONVERTED, "icons": PRIVATE, "mojibake": MISREAD}


def find_repairs(text: str, without: Collection[str] = ()) -> list[Span]:
    """Stretches of a page that were damaged, with what should stand there.

    Parameters
    ----------
    text : str
        The whole page: whether something is damage is decided by the page.
    without : collection of str
        Names of `REPAIRS` that are switched off.

    Returns
    -------
    list of Span
        In code points of the page, in order, without overlap; none holds a line feed.

    Examples
    --------
    >>> [(text[r.start : r.end], r.replacement) for text in ["網(wǎng)站發(fā)布&nbsp;公告"] for r in find_repairs(text)]
    [('(wǎng)', ''), ('(fā)', ''), ('&nbsp;', ' ')]
    """
    there = traces(text)
    found = [
        span
        for name, repair in REPAIRS.items()
        if name not in without and (name not in _NEEDS or there & _NEEDS[name])
        for span in repair(text)
    ]
    if len(found) < 2:
        return found
    plan: list[Span] = []
    for span in sorted(found, key=lambda span: (span.start, span.end)):
        if not plan or span.start >= plan[-1].end:
            plan.append(span)
    return plan
