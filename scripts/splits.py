"""What a model is trained on and what it is measured on: nothing of one is on the other side.

Seeds are held out in grouped folds (`grouping`), public documents and sites by a draw on their names, near-copies of what
is held out by their shingles.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import corpora
import grouping as grouping_code
import numpy as np
import training_data
import vectors
from grouping import Grouping, grouped_folds

from filter.io.labelled import LabelledLine, LabelledPage
from filter.labels import BLANK, GENUINE, INJECTED
from filter.model import shipped
from filter.training import TrainingSet
from filter.training.compose import SetPage, set_in

SEEDS = shipped("seeds")
GROUPING_CODE = Path(grouping_code.__file__)
PUBLIC_FOLDS = 10
NEAR = 0.6
SHINGLE = 8
LONG = 24
"""Characters from which a public line is compared with what is held out: shorter ones are alike by chance."""
DOCUMENTS = ("ntrex-", "ud_", "thucnews-")


@dataclass(frozen=True, slots=True)
class Split:
    """What a run trains on, and what it is measured on.

    Attributes
    ----------
    train : TrainingSet
    pages : list of LabelledPage
        Held-out written pages.
    spam : dict of str to list of LabelledLine
        Held-out loose injected lines by family.
    hard : list of LabelledLine
        Held-out hard genuine lines that stand on no page.
    public : list of LabelledPage
        Held-out documents of public sentences.
    content : list of corpora.ContentPage
        Held-out pages of the benchmark.
    chinese : list of corpora.ContentPage
    gone : int
        Injected families that no training saw.
    """

    train: TrainingSet
    pages: list[LabelledPage]
    spam: dict[str, list[LabelledLine]]
    hard: list[LabelledLine]
    public: list[LabelledPage] = field(default_factory=list)
    content: list[corpora.ContentPage] = field(default_factory=list)
    chinese: list[corpora.ContentPage] = field(default_factory=list)
    gone: int = 0


def drawn(group: str, folds: int) -> int:
    """Fold of a document, site or family by its name alone; another draw than that of the training's own folds."""
    return (
        int.from_bytes(hashlib.sha256(f"evaluate:{group}".encode("utf8", "surrogatepass")).digest()[:4], "big") % folds
    )


@cache
def seeds_grouped(folds: int) -> Grouping:
    """The grouping of the seeds, made once."""
    data = training_data.seeds()
    encoder = vectors.from_environment()
    # Of these seeds and this code: a grouping that does not know a family would leave it, and its like, in training.
    made_of = hashlib.sha256(b"".join(path.read_bytes() for path in (*sorted(SEEDS.glob("*.jsonl")), GROUPING_CODE)))
    name = f"grouping-{folds}-{made_of.hexdigest()[:16]}{'-by-meaning' if encoder else ''}"
    grouping: Grouping = corpora.kept(name, lambda: grouped_folds(data.pages, data.loose, folds, encoder=encoder))
    if encoder is not None:
        encoder.save()
    return grouping


def split(data: TrainingSet, held_out: int, folds: int, share: float) -> Split:
    """Hold out a fold.

    Parameters
    ----------
    data : TrainingSet
        Seeds, or seeds and public text.
    held_out, folds : int
    share : float
        Of the public text that is trained on.

    Returns
    -------
    Split
    """
    grouping = seeds_grouped(folds)
    gone = grouping.gone(held_out)

    def is_tested(line: LabelledLine) -> bool:
        if line.label in INJECTED:
            return grouping.fold_of_family.get(line.family) == held_out
        return drawn(line.family, folds) == held_out

    return _split(
        data, share,
        page_out=lambda page: grouping.fold_of_page.get(page.name) == held_out,
        family_gone=lambda line: line.label in INJECTED and line.family in gone,
        is_tested=is_tested, public_out=lambda name: drawn(name, folds) == held_out, n_gone=len(gone),
    )  # fmt: skip


def without_language(data: TrainingSet, languages: frozenset[str], share: float) -> Split:
    """Hold out all that is written in some languages: pages, junk and honest lines.

    Parameters
    ----------
    data : TrainingSet
    languages : frozenset of str
    share : float

    Returns
    -------
    Split
    """
    n_gone = len({line.family for line in data.loose if line.label in INJECTED and line.language in languages})
    return _split(
        data, share,
        page_out=lambda page: page.lines[0].language in languages,
        family_gone=lambda line: line.language in languages,
        is_tested=lambda line: line.language in languages,
        # Losses are counted on the public text of one fold, which is held out as well.
        public_out=lambda name: drawn(name, PUBLIC_FOLDS) == 0, n_gone=n_gone,
    )  # fmt: skip


def _split(
    data: TrainingSet, share: float, *, page_out: Callable[[LabelledPage], bool],
    family_gone: Callable[[LabelledLine], bool], is_tested: Callable[[LabelledLine], bool],
    public_out: Callable[[str], bool], n_gone: int,
) -> Split:  # fmt: skip
    seeds = training_data.seeds()
    own_pages = {page.name for page in seeds.pages}
    site_of = {page.name: page.site for page in corpora.wcxb_pages()} if corpora.available() else {}
    tested = [page for page in seeds.pages if page_out(page)]
    spam: dict[str, list[LabelledLine]] = defaultdict(list)
    for line in seeds.loose:
        if line.label in INJECTED and is_tested(line):
            spam[line.family].append(line)
    hard = [
        line for line in seeds.loose if line.label in GENUINE and line.family.startswith("hard-") and is_tested(line)
    ]
    held = _shingles_of([line.text for page in tested for line in page.lines] + [line.text for line in hard]
                        + [line.text for lines in spam.values() for line in lines])  # fmt: skip

    def stays(line: LabelledLine) -> bool:
        return not family_gone(line) and not _is_near(line.text, held)

    pages = []
    for page in data.pages:
        if page_out(page):
            continue
        if page.name in own_pages:
            pages.append(replace(page, lines=tuple(line for line in page.lines if line.label == BLANK or stays(line))))
        elif not public_out(site_of.get(page.name, page.name)) and training_data.draw(f"page {page.name}") < share:
            pages.append(page)
    own = [line for line in seeds.loose if not is_tested(line) and stays(line)]
    others = [
        line for line in data.loose
        if line.family not in seeds.weights and training_data.draw(line.text) < share
        and not (line.family.startswith(DOCUMENTS) and public_out(line.family)) and stays(line)
    ]  # fmt: skip
    documents: dict[str, list[LabelledLine]] = defaultdict(list)
    for line in data.loose:
        if line.family.startswith(DOCUMENTS) and public_out(line.family):
            documents[f"{line.family} {line.language}"].append(line)
    public = corpora.available()
    return Split(
        TrainingSet(pages, [*own, *others], data.weights, data.sources), tested, dict(spam), hard,
        [LabelledPage(name, tuple(lines)) for name, lines in sorted(documents.items())],
        [page for page in corpora.wcxb_pages() if public_out(page.site)] if public else [],
        [page for page in corpora.zh_pages() if public_out(page.name)] if public else [],
        n_gone,
    )  # fmt: skip


def _shingles_of(texts: Iterable[str]) -> frozenset[int]:
    return frozenset(hash(s) for text in texts if len(text) >= LONG for s in _shingles(text))


def _shingles(text: str) -> set[str]:
    squashed = "".join(text.casefold().split())
    return {squashed[i : i + SHINGLE] for i in range(len(squashed) - SHINGLE + 1)}


def _is_near(text: str, held: frozenset[int]) -> bool:
    """Whether most of a line's shingles are held out: then so is the line."""
    if len(text) < LONG:
        return False
    own = _shingles(text)
    return sum(hash(s) in held for s in own) > NEAR * len(own)


def with_spam(
    pages: Sequence[LabelledPage], spam: dict[str, list[LabelledLine]], seed: int, same_language: float
) -> tuple[list[LabelledPage], list[LabelledPage]]:
    """Loose junk set into pages without any, a family a page, at the places of the composer; and these pages without it.

    Parameters
    ----------
    pages : sequence of LabelledPage
    spam : dict of str to list of LabelledLine
    seed : int
    same_language : float
        How often a page of the junk's language is taken where there is one: in it junk is hardest to tell.

    Returns
    -------
    injected, clean : list of LabelledPage
        In step.
    """
    rng = np.random.default_rng(seed)
    clean = [p for p in pages if not any(line.label in INJECTED for line in p.lines)]
    injected, twins = [], []
    for number, (family, lines) in enumerate(sorted(spam.items())):
        if not clean:
            break
        wanted = rng.random() < same_language
        same = [p for p in clean if wanted and p.lines[0].language == lines[0].language]
        base = (same or clean)[number % len(same or clean)]
        table = [*base.lines, *lines]
        start = len(base.lines)
        made = set_in(SetPage(base.name, "", tuple(range(start))), list(range(start, len(table))), rng)
        blank = LabelledLine("", BLANK)
        injected.append(LabelledPage(f"{base.name}+{family}", tuple(table[i] if i >= 0 else blank for i in made.lines)))
        twins.append(base)
    return injected, twins
