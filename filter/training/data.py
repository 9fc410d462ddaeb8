"""What a model is made of: labelled lines and pages, as distinct lines and pages of indices into them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filter.io.labelled import LabelledLine, LabelledPage, read_labelled
from filter.labels import ARTICLE, BLANK, DUPLICATE, FURNITURE, INJECTED
from filter.model import shipped
from filter.page import apply_spans
from filter.repairs import find_repairs
from filter.training.compose import BLANK_LINE, SetPage

FURNITURE_OF_SOME_KIND = "furniture"
"""Label of training lines known to be page furniture, but not which: extracted pages say only what is content."""
UNDECIDED = "undecided"
"""Label of a paragraph outside the content of an extracted page: a notice, or another post that somebody wrote all the same."""
OTHER_FURNITURE = (*(label for label in FURNITURE if label != DUPLICATE), FURNITURE_OF_SOME_KIND)
"""What n-grams can tell from genuine text; a copy of a genuine line reads like it, the page tells."""
FOLDS = 4
TEASERS = 2
TEASER_LENGTH = 16
TEASER_ENDS = ("...", "…", "", '">', " [...]", "…»")


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What a model is made of.

    Attributes
    ----------
    pages : sequence of LabelledPage
        Whole pages.
    loose : sequence of LabelledLine
        Lines without a page.
    weights : dict of str to float
        Weight in stage one by family, and in stage two by name of page; 1 where nothing is said.
    sources : sequence of dict
        For the card: name, licence, rows.
    """

    pages: Sequence[LabelledPage]
    loose: Sequence[LabelledLine]
    weights: dict[str, float] = field(default_factory=dict)
    sources: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Lines:
    """Distinct training lines as columns."""

    texts: list[str]
    labels: list[str]
    families: list[str]
    languages: list[str]
    weight: NDArray[np.float64]
    fold: NDArray[np.int64]


def as_training_set(pages: Sequence[LabelledPage]) -> TrainingSet:
    """Named pages as pages, the rest as loose lines."""
    whole = [page for page in pages if page.name]
    return TrainingSet(whole, [line for page in pages if not page.name for line in page.lines if line.label != BLANK])


def shipped_seeds() -> TrainingSet:
    """The labelled lines and pages that come with the package."""
    return as_training_set(read_labelled([Path(shipped("seeds"))]))


def gather(data: TrainingSet, seed: int) -> tuple[Lines, list[SetPage], list[int]]:
    """Distinct lines, the pages as indices into them, and the indices of the loose lines.

    A line's fold is that of its page, but of its family where it is injected or loose, so that no model that scores
    it has seen its family.
    """
    index: dict[tuple[str, str], int] = {}
    texts: list[str] = []
    labels: list[str] = []
    families: list[str] = []
    languages: list[str] = []
    folds: list[int] = []

    def add(line: LabelledLine, group: str) -> int:
        key = (line.text, line.label)
        if key not in index:
            index[key] = len(texts)
            texts.append(line.text)
            labels.append(line.label)
            families.append(line.family or line.text)
            languages.append(line.language)
            folds.append(fold_of(line.family if line.label in INJECTED and line.family else group, seed))
        return index[key]

    pages = []
    for page in data.pages:
        lines = mended(page)
        if lines:
            # A variant of a page goes where the page goes.
            group = page.name.rstrip("+")
            placed = tuple(BLANK_LINE if line.label == BLANK else add(line, group) for line in lines)
            copies = tuple(add(line, group) for line in teasers(lines, page.name))
            weight = data.weights.get(page.name, 1.0)
            pages.append(SetPage(page.name, lines[0].language, placed, weight, copies, not is_extracted(page)))
    loose = [add(line, line.family or line.text) for one in data.loose for line in mended(LabelledPage("", (one,)))]
    line_weights = np.array([data.weights.get(family, 1.0) for family in families])
    return Lines(texts, labels, families, languages, line_weights, np.array(folds, np.int64)), pages, loose


def is_extracted(page: LabelledPage) -> bool:
    """Whether a page says only what is content: it was found, not written, and its lines are damaged as they are."""
    return any(line.label in (FURNITURE_OF_SOME_KIND, UNDECIDED) for line in page.lines)


def mended(page: LabelledPage) -> Sequence[LabelledLine]:
    """Mend the lines of a page as they will be before they are judged, and take the junk out of mixed ones.

    Parameters
    ----------
    page : LabelledPage

    Returns
    -------
    sequence of LabelledLine
        Of the same length.
    """
    text = "\n".join(line.text for line in page.lines)
    lines = apply_spans(text, find_repairs(text)).split("\n")
    # A genuine line with junk in it would teach that the junk is genuine.
    return [
        replace(line, text=one if line.clean is None else line.clean)
        for line, one in zip(page.lines, lines, strict=True)
    ]


def teasers(lines: Sequence[LabelledLine], name: str) -> list[LabelledLine]:
    """Copies of some of a page's paragraphs, whole and cut short, to be set in elsewhere on the page.

    Parameters
    ----------
    lines : sequence of LabelledLine
    name : str
        Of the page; what is drawn depends on it alone.

    Returns
    -------
    list of LabelledLine
        Labelled `duplicate`.
    """
    rng = np.random.default_rng(fold_of(name, 0) + len(lines))
    long = [line for line in lines if line.label == ARTICLE and len(line.text) >= TEASER_LENGTH]
    found = []
    for index in rng.permutation(len(long))[:TEASERS]:
        text = long[index].text
        cut = int(len(text) * rng.uniform(0.3, 0.9))
        copy = text if rng.random() < 0.5 else text[:cut].rstrip() + str(rng.choice(TEASER_ENDS))
        found.append(replace(long[index], text=copy, label=DUPLICATE))
    return found


def fold_of(group: str, seed: int) -> int:
    """Fold of a family or page, the same every time."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{group}".encode("utf8", "surrogatepass")).digest()[:4], "big") % FOLDS
