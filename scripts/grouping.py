"""Folds that cannot be fooled: what is nearly the same is held out together.

A family of junk is a few lines; its neighbours share its words. Held out alone it is only a held-out line of a known trade.
So a held-out family takes with it every family that shares over a fifth of its word types or is nearest to it by n-gram
profile, and every page that any of them stands on.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filter.encoder import Encoder, encoded
from filter.io.labelled import LabelledLine, LabelledPage
from filter.labels import GENUINE, INJECTED
from filter.training.lexicon import design_matrix

SHARED_TYPES = 0.2
SAME_MEANING = 0.8
"""Cosine from which two families say the same."""
COMMON = 0.003
"""A word that stands in more than this share of a language's genuine lines binds no families together."""
ROUND = re.compile(r"-([89])[a-z]?$")
"""Names of families and pages that were written after the folds had been dealt end in the number of their round."""
_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which fold everything is held out in, and what goes with it.

    Attributes
    ----------
    fold_of_family, fold_of_page : dict of str to int
        Injected families, and pages by name.
    related : dict of str to set of str
        Families that a held-out family takes with it.
    """

    fold_of_family: dict[str, int]
    fold_of_page: dict[str, int]
    related: dict[str, set[str]]

    def gone(self, fold: int) -> set[str]:
        """Families that no training of a fold may see: its own, and all that are related to them."""
        own = {family for family, its_fold in self.fold_of_family.items() if its_fold == fold}
        return own.union(*(self.related.get(family, set()) for family in own))


def word_types(text: str) -> set[str]:
    """Words of a line; of scripts without spaces pairs of characters.

    Examples
    --------
    >>> sorted(word_types("Casino Bonus 2024, casino"))
    ['bonus', 'casino']
    >>> sorted(word_types("百家乐"))
    ['家乐', '百家']
    """
    found: set[str] = set()
    for word in _WORD.findall(text.casefold()):
        runs = _UNSPACED.findall(word)
        found.update(run[i : i + 2] for run in runs for i in range(max(len(run) - 1, 1)))
        rest = _UNSPACED.sub(" ", word).split() if runs else [word]
        found.update(part for part in rest if len(part) > 2)
    return found


def related_by_meaning(families: Mapping[str, Sequence[str]], encoder: Encoder) -> list[tuple[str, str]]:
    """Pairs of families of which the first takes the second with it, in whatever language: what reads alike to an encoder.

    Each takes the nearest one by the cosine of mean vectors, and all that are nearer than `SAME_MEANING`. Without this a
    second opinion would be measured on junk whose translation it had learned.

    Parameters
    ----------
    families : mapping of str to sequence of str
        Lines of each.
    encoder : Encoder

    Returns
    -------
    list of (str, str)
    """
    names = sorted(families)
    vectors = encoded(encoder, [text for name in names for text in families[name]])
    starts = np.cumsum([0, *(len(families[name]) for name in names)])[:-1]
    # What all lines have in common says nothing of a family.
    means = np.add.reduceat(vectors - vectors.mean(axis=0), starts, axis=0)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    near = means @ means.T
    np.fill_diagonal(near, -1)
    near[np.arange(len(names)), near.argmax(axis=1)] = 1
    return [(names[a], names[b]) for a, b in np.argwhere(near >= SAME_MEANING)]


def relations(families: Mapping[str, Sequence[str]], genuine: Iterable[LabelledLine]) -> list[tuple[float, str, str]]:
    """Pairs of families of which the first takes the second with it, with the share of its words that they share.

    Parameters
    ----------
    families : mapping of str to sequence of str
        Lines of each.
    genuine : iterable of LabelledLine
        Where common words are learnt.

    Returns
    -------
    list of (float, str, str)
        The nearest family counts as sharing 1.
    """
    from scipy.sparse import csr_matrix

    names = sorted(families)
    common = _common_words(genuine)
    types = [set().union(*(word_types(text) for text in families[name])) - common for name in names]
    index: dict[str, int] = {}
    columns = [index.setdefault(word, len(index)) for found in types for word in sorted(found)]
    lengths = np.array([len(found) for found in types])
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    has = csr_matrix((np.ones(len(columns)), columns, offsets), shape=(len(names), max(len(index), 1)))
    shared = (has @ has.T).tocoo()
    found = [
        (float(count / lengths[a]), names[a], names[b])
        for a, b, count in zip(shared.row, shared.col, shared.data, strict=True)
        if a != b and count > SHARED_TYPES * lengths[a] and count > 1
    ]
    return found + [(1.0, names[a], names[b]) for a, b in enumerate(_nearest(families, names)) if a != b]


def _common_words(genuine: Iterable[LabelledLine]) -> set[str]:
    lines: Counter[str] = Counter()
    with_word: dict[str, Counter[str]] = defaultdict(Counter)
    for line in genuine:
        lines[line.language] += 1
        with_word[line.language].update(word_types(line.text))
    return {word for language, counts in with_word.items() for word, count in counts.items()
            if count > max(COMMON * lines[language], 2)}  # fmt: skip


def _nearest(families: Mapping[str, Sequence[str]], names: Sequence[str]) -> NDArray[np.int64]:
    """Index of the family with the most similar n-gram profile, by the cosine of counts weighted by rarity."""
    from sklearn.feature_extraction.text import TfidfTransformer

    if len(names) < 2:
        return np.zeros(len(names), np.int64)
    counts = design_matrix([" ".join(families[name]) for name in names])
    # The matrix names a bucket once for every window; a document frequency must count it once.
    counts.sum_duplicates()
    profiles = TfidfTransformer().fit_transform(counts)
    similarity = np.asarray((profiles @ profiles.T).todense())
    np.fill_diagonal(similarity, -1)
    nearest: NDArray[np.int64] = similarity.argmax(axis=1)
    return nearest


def grouped_folds(
    pages: Sequence[LabelledPage],
    loose: Sequence[LabelledLine],
    folds: int,
    seed: int = 0,
    encoder: Encoder | None = None,
) -> Grouping:
    """Deal pages to folds, each with the families on it, and the other families; a fold takes what is related out of training.

    Parameters
    ----------
    pages : sequence of LabelledPage
    loose : sequence of LabelledLine
    folds : int
    seed : int
    encoder : Encoder, optional
        With one, families that read alike are related too.

    Returns
    -------
    Grouping
    """
    families: dict[str, list[str]] = defaultdict(list)
    on_page: dict[str, set[str]] = {}
    for page in pages:
        on_page[page.name] = {line.family for line in page.lines if line.label in INJECTED}
        for line in page.lines:
            if line.label in INJECTED:
                families[line.family].append(line.text)
    for line in loose:
        if line.label in INJECTED:
            families[line.family].append(line.text)
    genuine = [line for page in pages for line in page.lines if line.label in GENUINE]
    pairs = relations(families, [*genuine, *(line for line in loose if line.label in GENUINE)])
    related: dict[str, set[str]] = defaultdict(set)
    for _, a, b in pairs:
        related[a].add(b)
    for a, b in related_by_meaning(families, encoder) if encoder is not None else ():
        related[a].add(b)
    sizes = {
        **{f"family {name}": len(lines) for name, lines in families.items()},
        **{f"page {name}": 1 for name in on_page},
    }
    together = [(f"page {name}", f"family {family}") for name, there in on_page.items() for family in sorted(there)]
    groups = _merged(sizes, together)
    fold = _dealt(groups, sizes, folds, seed)
    return Grouping(
        {name: fold[f"family {name}"] for name in families},
        {name: fold[f"page {name}"] for name in on_page},
        dict(related),
    )


def _merged(sizes: Mapping[str, int], pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The group of every item, its name that of one of the items: pairs are in one."""
    parent = {item: item for item in sizes}

    def root(item: str) -> str:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for a, b in pairs:
        parent[root(b)] = root(a)
    return {item: root(item) for item in sizes}


def round_of(name: str) -> int:
    """Round in which a family or page was written; the first is 0.

    Examples
    --------
    >>> round_of("en-fake-notice-9"), round_of("family en-short-orders-8p"), round_of("zh7-manual-13")
    (9, 8, 0)
    """
    found = ROUND.search(name)
    return int(found[1]) if found else 0


def _dealt(groups: Mapping[str, str], sizes: Mapping[str, int], folds: int, seed: int) -> dict[str, int]:
    """Groups to folds, round by round, large ones first, each to the fold that holds least.

    What was dealt before lies where it lay, so that figures of the same lines can be compared when others were added.
    """
    weight: Counter[str] = Counter()
    dealt_in: dict[str, int] = {}
    for item, group in groups.items():
        weight[group] += sizes[item]
        dealt_in[group] = min(round_of(item), dealt_in.get(group, round_of(item)))
    filled = [0] * folds
    fold: dict[str, int] = {}
    for number in sorted(set(dealt_in.values())):
        names = sorted(name for name in weight if dealt_in[name] == number)
        order = np.random.default_rng(seed).permutation(len(names))
        for name in sorted((names[i] for i in order), key=lambda group: -weight[group]):
            lightest = int(np.argmin(filled))
            fold[name] = lightest
            filled[lightest] += weight[name]
    return {item: fold[group] for item, group in groups.items()}
