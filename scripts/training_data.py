"""The training set of the shipped model: the seeds, and public text where the data folder is there."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

import corpora
import numpy as np

from filter.io.labelled import LabelledLine, LabelledPage
from filter.training import TrainingSet, shipped_seeds

SEED_WEIGHT = 2.0
SEED_PAGE_WEIGHT = 6.0
"""In stage two: a written page carries all labels in its language, an extracted one only what is content."""
WEIGHTS: dict[str, float] = {
    "spam-domains_hosts": 0.03, "spam-domains_blocklistproject": 0.03, "spam-domains_referrer": 0.03, "spam-domains_youtube": 0.1,
    "spam-id_judol_youtube": 0.4, "spam-th_social_genuine": 0.4, "boilerplate-allauth": 0.2, "boilerplate-bagisto": 0.15,
    "boilerplate-dspace": 0.15, "boilerplate-laravel_lang": 0.2, "boilerplate-giscus": 0.2, "boilerplate-remark42": 0.2,
    "boilerplate-videojs": 0.2, "boilerplate-devise": 0.3, "keyword-lists": 0.5, "honest-lists": 0.5,
}  # fmt: skip
"""Of a source in stage one: a large one must not drown the others."""
FAMILY_PREFIX_WEIGHTS = {"ntrex": 0.5, "ud_": 0.5, "thucnews": 0.4, "wcxb": 0.5, "zh_pages": 1.0}
SEPARATORS = (",", "，", "_", "-", "|", " ", "、", "/", " I ", " | ", "·", "")
N_LISTS = 1500
MOST_OF_A_SOURCE = 3000
"""Lines of one labelled table and label that are used: more of the same interface texts teach little and cost minutes."""
MOST_OF_HOSTS = 150


def seeds() -> TrainingSet:
    """The seeds alone."""
    data = shipped_seeds()
    families = {line.family for page in data.pages for line in page.lines} | {line.family for line in data.loose}
    weights = dict.fromkeys(families, SEED_WEIGHT) | {page.name: SEED_PAGE_WEIGHT for page in data.pages}
    return TrainingSet(data.pages, data.loose, weights, [
        {"name": "seeds", "licence": "Apache-2.0", "rows": sum(len(p.lines) for p in data.pages) + len(data.loose)}
    ])  # fmt: skip


def everything() -> TrainingSet:
    """The seeds and all public text that is there."""
    own = seeds()
    if not corpora.available():
        return own
    pages = [page.labelled() for page in [*corpora.wcxb_pages(), *corpora.zh_pages()]]
    loose = list(public_lines())
    families = {line.family for line in loose} | {line.family for page in pages for line in page.lines}
    weights = dict(own.weights)
    for family in families:
        prefix = next((p for p in FAMILY_PREFIX_WEIGHTS if family.startswith(p)), None)
        weights[family] = WEIGHTS.get(family, FAMILY_PREFIX_WEIGHTS.get(prefix or "", 1.0))
    sources = [*own.sources, *_sources(pages, loose)]
    return TrainingSet([*own.pages, *pages], [*own.loose, *loose], weights, sources)


def draw(text: str) -> float:
    """A number in 0..1 that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode("utf8", "surrogatepass")).digest()[:4], "big") / 2**32


def public_lines() -> Iterator[LabelledLine]:
    """Lines of public text: genuine documents, labelled tables, composed keyword lists."""
    for _, lines in corpora.ntrex_documents():
        yield from lines
    yield from corpora.sentences()
    yield from corpora.headlines()
    for folder in ("spam", "boilerplate", "prompt_injection"):
        rows = [(source, line) for source, line in corpora.labelled_table(folder) if source not in corpora.HINTS_ONLY]
        sizes = Counter((source, line.label) for source, line in rows)
        for source, line in rows:
            most = MOST_OF_HOSTS if source.startswith("domains_") else MOST_OF_A_SOURCE
            if draw(line.text) < most / sizes[source, line.label]:
                yield line
    yield from keyword_lists()


def keyword_lists(seed: int = 0) -> Iterator[LabelledLine]:
    """Lists of lexicon words, and honest lists of the same forms out of headlines: the form must teach nothing."""
    rng = np.random.default_rng(seed)
    words = corpora.chinese_vocabulary()
    honest = sorted(
        {
            part
            for line in corpora.headlines()[::7]
            for part in line.text.replace("：", " ").split()
            if 2 <= len(part) <= 9
        }
    )
    for vocabulary, label, family in ((words, "spam_adult", "keyword-lists"), (honest, "article", "honest-lists")):
        for _ in range(N_LISTS):
            picked = rng.choice(len(vocabulary), int(rng.integers(3, 16)), replace=False)
            yield LabelledLine(str(rng.choice(SEPARATORS)).join(vocabulary[i] for i in picked), label, "zh", family)


def _sources(pages: Sequence[LabelledPage], loose: Sequence[LabelledLine]) -> list[dict[str, object]]:
    names = Counter(_source_name(line.family) for page in pages for line in page.lines if line.family)
    names.update(_source_name(line.family) for line in loose)
    return [
        {"name": name, "licence": corpora.LICENCES.get(name, corpora.LICENCES["spam"]), "rows": rows}
        for name, rows in sorted(names.items())
    ]


def _source_name(family: str) -> str:
    head = family.split("-")[0]
    return {"wcxb": "wcxb_dev", "keyword": "lexicons", "honest": "thucnews_titles", "thucnews": "thucnews_titles"}.get(
        head, head.split("_")[0] if head.startswith("ud") else head
    )
