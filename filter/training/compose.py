"""Compose training pages: loose lines set into real pages, junk and honest ones alike.

A first, small form of a grammar of junk: what is set in, how many lines of it, and where on the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from filter.labels import ARTICLE, INJECTED, METADATA

BLANK_LINE = -1
PLACES = ("top", "gap", "end", "blocks", "scattered")
PLACE_SHARES = (0.4, 0.2, 0.13, 0.15, 0.12)
EXTRACTS_SHARE = 0.15
"""How often a written page comes as an extractor leaves it: no menu above, no notice below."""
DRAWS = 2
"""How often each page that gets lines set in is drawn: with one draw a fifth more of genuine characters were lost."""
EXTRACTED_PAGES = 900
"""How often in a draw extracted pages come back with lines set in: what junk looks like among real menus, prices and comments."""
MOST_PAGES = 6000
"""Pages that get lines set in, or are made of loose lines, at most: more teach stage two nothing new."""
SAME_LANGUAGE_SHARE = {"junk": 0.5, "honest": 0.8}
"""How often what is set in is of the page's language: junk is often foreign, an author's line seldom."""
INJECTED_SHARE = 0.6
"""Share of composed pages that get junk; the others get honest lines at the same places, or nothing."""
HONEST_SHARE = 0.3
FLOOD_SHARE = 0.1
"""How often so many lines are set in that they are most of the page: doorways, spammed guest books."""
DOORWAYS = 250
"""Pages of nothing but junk."""
DOORWAY_FRAME_SHARE = 0.4
COPIES_SHARE = 0.3
SHORT_PAGES = 1800
"""How often a few lines of an author come as a page of their own: comments, snippets, what an extractor left of a post."""
SHORT_LINES = (2, 8)
SHORT_WEIGHT = 1 / 12
"""Of a page's lines on a short one: with more of it long pages are judged less well."""
LINES_IN_A_DOCUMENT = 18
MEDLEY_LINES = 20
MEDLEYS_A_LANGUAGE = 40
FRAME = ("navigation", METADATA, "boilerplate", "advert")
FRAME_SHARE = 0.6
"""How often a document gets each kind of furniture."""


@dataclass(frozen=True, slots=True)
class SetPage:
    """A page as indices into the training lines, `BLANK_LINE` for a blank one.

    Attributes
    ----------
    name, language : str
    lines : tuple of int
    weight : float
        In stage two.
    copies : tuple of int
        Copies of its lines, whole and cut, that may be set in.
    written : bool
        Written for the purpose, every line with a label of its own; not found, its content extracted.
    inserted : frozenset of int
        Lines that were set in.
    """

    name: str
    language: str
    lines: tuple[int, ...]
    weight: float = 1.0
    copies: tuple[int, ...] = ()
    written: bool = True
    inserted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Stock:
    """Lines to set in, by family and language."""

    lines: dict[tuple[str, str], list[int]]
    keys: list[tuple[str, str]]
    by_language: dict[str, list[tuple[str, str]]]

    def draw(self, language: str, same_language: float, rng: np.random.Generator, blocks: float = 0.3) -> list[int]:
        """One to four lines of a family, or now and then a block of several families."""
        pool = self.by_language.get(language, []) if rng.random() < same_language else []
        pool = pool or self.keys
        chosen: list[int] = []
        draw = rng.random()
        families = 1 if draw >= blocks else int(rng.integers(2, 6)) if draw >= FLOOD_SHARE else int(rng.integers(6, 16))
        for _ in range(families):
            lines = self.lines[pool[int(rng.integers(len(pool)))]]
            start = int(rng.integers(len(lines)))
            chosen += lines[start : start + int(rng.integers(1, 5))]
        return chosen


def _stock(indices: Sequence[int], families: Sequence[str], languages: Sequence[str]) -> _Stock:
    lines: dict[tuple[str, str], list[int]] = defaultdict(list)
    by_language: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for index in indices:
        lines[families[index], languages[index]].append(index)
    for key in sorted(lines):
        by_language[key[1]].append(key)
    return _Stock(dict(lines), sorted(lines), dict(by_language))


def compose(
    pages: Sequence[SetPage],
    loose: Sequence[int],
    labels: Sequence[str],
    families: Sequence[str],
    languages: Sequence[str],
    seed: int,
) -> list[SetPage]:
    """Pages as they are, with lines set in, and loose lines as pages.

    Parameters
    ----------
    pages : sequence of SetPage
    loose : sequence of int
        Indices of lines without a page.
    labels, families, languages : sequence of str
        Of every line.
    seed : int

    Returns
    -------
    list of SetPage
        The same for the same input.
    """
    rng = np.random.default_rng(seed)
    on_pages = [index for page in pages for index in page.lines if index >= 0]
    junk = _stock([i for i in [*loose, *on_pages] if labels[i] in INJECTED], families, languages)
    honest = _stock([i for i in loose if labels[i] == ARTICLE], families, languages)
    genuine = [i for i in loose if labels[i] == ARTICLE]
    documents = _documents(genuine, families, languages) + _medleys(genuine, languages, rng)
    frames = {label: _stock([i for i in loose if labels[i] == label], families, languages) for label in FRAME}
    documents = [_framed(document, frames, rng) for document in _at_most(documents, MOST_PAGES // 4, rng)]
    documents += _extracts(pages, labels, rng)
    found = [*pages, *documents]
    # A page written for the purpose is worth several found ones: each comes back with other lines in other places.
    written = [page for page in pages if page.written]
    extracted = [page for page in pages if not page.written]
    bases = []
    for _ in range(DRAWS):
        bases += _at_most([*written, *written, *written, *documents], MOST_PAGES // 2, rng)
        bases += (extracted * -(-EXTRACTED_PAGES // max(len(extracted), 1)))[:EXTRACTED_PAGES]
    # Two draws weigh as much as one, or pages as they come would count for less.
    found += _varied([replace(base, weight=base.weight / DRAWS) for base in bases], junk, honest, rng)
    found += _doorways(junk, frames, rng)
    alone = _at_most(list(loose), MOST_PAGES // 2, rng)
    found += [SetPage(f"line-{index}", languages[index], (index,)) for index in alone]
    # Drawn last: what came before is the same with them and without.
    short = _short_pages([*written, *documents], labels, rng)
    return found + _varied(short, junk, honest, rng)


def _varied(bases: Sequence[SetPage], junk: _Stock, honest: _Stock, rng: np.random.Generator) -> list[SetPage]:
    """Pages with junk set in, or honest lines, or with copies of their own lines; of some nothing comes."""
    found = []
    for base in bases:
        page = _with_copies(base, rng) if rng.random() < COPIES_SHARE else base
        draw = rng.random()
        if draw < INJECTED_SHARE and junk.keys:
            found.append(set_in(page, junk.draw(page.language, SAME_LANGUAGE_SHARE["junk"], rng), rng))
        elif draw < INJECTED_SHARE + HONEST_SHARE and honest.keys:
            found.append(set_in(page, honest.draw(page.language, SAME_LANGUAGE_SHARE["honest"], rng), rng))
        elif page is not base:
            found.append(page)
    return found


def _extracts(pages: Sequence[SetPage], labels: Sequence[str], rng: np.random.Generator) -> list[SetPage]:
    """What an author wrote of some pages, and nothing else."""
    found = []
    for page in pages:
        if page.written and rng.random() < EXTRACTS_SHARE:
            lines = tuple(i for i in page.lines if i >= 0 and labels[i] in (ARTICLE, METADATA))
            if len(lines) > 1:
                found.append(replace(page, name=f"{page.name}+", lines=lines, copies=()))
    return found


def _short_pages(pages: Sequence[SetPage], labels: Sequence[str], rng: np.random.Generator) -> list[SetPage]:
    """A few lines in a row of what an author wrote, some pages' each."""
    found = []
    for number in rng.integers(len(pages), size=SHORT_PAGES if pages else 0):
        page = pages[int(number)]
        lines = [i for i in page.lines if i >= 0 and labels[i] in (ARTICLE, METADATA)]
        size = int(rng.integers(SHORT_LINES[0], SHORT_LINES[1] + 1))
        if len(lines) >= SHORT_LINES[0]:
            start = int(rng.integers(max(len(lines) - size, 0) + 1))
            some, weight = tuple(lines[start : start + size]), page.weight * SHORT_WEIGHT
            found.append(replace(page, name=f"{page.name}+", lines=some, copies=(), weight=weight))
    return found


def _framed(document: SetPage, frames: dict[str, _Stock], rng: np.random.Generator) -> SetPage:
    """A document with the furniture of a page around it: a menu above or below, data under the title, notices at the end."""
    above: list[int] = []
    body, below = list(document.lines), list[int]()
    drawn = {
        label: stock.draw(document.language, 0.9, rng, blocks=0.8)
        for label, stock in frames.items()
        if stock.keys and rng.random() < FRAME_SHARE
    }
    (above if rng.random() < 0.7 else below).extend(drawn.get("navigation", []))
    body[1:1] = drawn.get(METADATA, [])[:3]
    below += drawn.get("boilerplate", []) + drawn.get("advert", [])[:2]
    return replace(document, lines=(*above, *body, *below))


def _at_most(items: Sequence[Any], limit: int, rng: np.random.Generator) -> list[Any]:
    if len(items) <= limit:
        return list(items)
    return [items[i] for i in np.sort(rng.choice(len(items), limit, replace=False))]


def _documents(indices: Sequence[int], families: Sequence[str], languages: Sequence[str]) -> list[SetPage]:
    """Loose honest lines of one family and language, in order, as pages of their own."""
    by_document: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index in indices:
        by_document[families[index], languages[index]].append(index)
    return [
        SetPage(f"{family}-{language}-{begin}", language, tuple(lines[begin : begin + LINES_IN_A_DOCUMENT]))
        for (family, language), lines in sorted(by_document.items())
        for begin in range(0, len(lines), LINES_IN_A_DOCUMENT)
        if len(lines) - begin >= 4
    ]


def _medleys(indices: Sequence[int], languages: Sequence[str], rng: np.random.Generator) -> list[SetPage]:
    """Loose honest lines of one language and many families, as guest books and comment pages have them."""
    by_language: dict[str, list[int]] = defaultdict(list)
    for index in indices:
        by_language[languages[index]].append(index)
    found = []
    for language, lines in sorted(by_language.items()):
        for number in range(min(len(lines) // MEDLEY_LINES, MEDLEYS_A_LANGUAGE)):
            size = int(rng.integers(MEDLEY_LINES // 2, MEDLEY_LINES + 1))
            picked = rng.choice(len(lines), size, replace=False)
            chosen = tuple(lines[i] for i in picked)
            found.append(SetPage(f"medley-{language}-{number}", language, chosen, inserted=frozenset(chosen)))
    return found


def _doorways(junk: _Stock, frames: dict[str, _Stock], rng: np.random.Generator) -> list[SetPage]:
    """Pages that are junk from end to end, some with the furniture of the site they were put on."""
    languages = sorted(junk.by_language)
    found = []
    for number in range(min(DOORWAYS, len(junk.keys) // 4)):
        language = languages[int(rng.integers(len(languages)))]
        lines = junk.draw(language, 1.0, rng, blocks=0.8)
        page = SetPage(f"doorway-{number}", language, tuple(lines), inserted=frozenset(lines))
        found.append(_framed(page, frames, rng) if rng.random() < DOORWAY_FRAME_SHARE else page)
    return found


def _with_copies(page: SetPage, rng: np.random.Generator) -> SetPage:
    """The page with copies of its lines above or below it, as mirrors and teaser boxes have them."""
    if not page.copies:
        return page
    lines = (*page.copies, *page.lines) if rng.random() < 0.7 else (*page.lines, *page.copies)
    return replace(page, lines=lines)


def set_in(page: SetPage, inserted: Sequence[int], rng: np.random.Generator) -> SetPage:
    """Set lines into a page at one of the places where junk is found.

    Parameters
    ----------
    page : SetPage
    inserted : sequence of int
        Lines to set in, in order.
    rng : numpy.random.Generator

    Returns
    -------
    SetPage
    """
    lines = list(page.lines)
    place = PLACES[int(rng.choice(len(PLACES), p=PLACE_SHARES))]
    if place == "scattered":
        for index in inserted:
            lines.insert(int(rng.integers(len(lines) + 1)), index)
    elif place == "blocks":
        size = max(len(inserted) // int(rng.integers(2, 5)), 1)
        for begin in range(0, len(inserted), size):
            at = int(rng.integers(len(lines) + 1))
            lines[at:at] = inserted[begin : begin + size]
    else:
        at = {"top": 0, "end": len(lines), "gap": int(rng.integers(len(lines) + 1))}[place]
        block = [index for line in inserted for index in ((line, BLANK_LINE) if rng.random() < 0.3 else (line,))]
        lines[at:at] = block
    return replace(page, name=f"{page.name}+", lines=tuple(lines), inserted=frozenset(inserted))
