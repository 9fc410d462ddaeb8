"""Nothing of what a model is measured on may be on the side it is trained on."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from material import ROOT

from filter.io.labelled import LabelledLine, LabelledPage
from filter.labels import BLANK, INJECTED
from filter.training import TrainingSet

sys.path.insert(0, str(ROOT / "scripts"))
import grouping
import splits
import training_data

FOLDS = 10


@pytest.fixture(scope="module")
def seeds():
    return training_data.seeds()


@pytest.fixture(scope="module", params=[0, 7])
def part(request, seeds):
    return splits.split(seeds, request.param, FOLDS, share=1.0)


def injected(lines):
    return [line for line in lines if line.label in INJECTED]


def held_lines(part):
    return [
        *(line for page in part.pages for line in page.lines),
        *(line for lines in part.spam.values() for line in lines),
        *part.hard,
    ]


def trained_lines(part):
    return [*part.train.loose, *(line for page in part.train.pages for line in page.lines)]


def test_no_line_is_on_both_sides(part):
    trained = {"".join(line.text.split()) for line in trained_lines(part) if len(line.text) >= splits.LONG}
    assert not [line.text for line in held_lines(part) if "".join(line.text.split()) in trained]


def test_no_page_is_on_both_sides(part):
    assert not {page.name for page in part.pages} & {page.name for page in part.train.pages}
    assert part.pages


def test_no_injected_family_is_on_both_sides(part):
    assert not {line.family for line in injected(held_lines(part))} & {
        line.family for line in injected(trained_lines(part))
    }


def test_related_families_are_not_trained_on(part, seeds):
    grouped = splits.seeds_grouped(FOLDS)
    trained = {line.family for line in injected(trained_lines(part))}
    for family in {line.family for line in injected(held_lines(part))}:
        assert not grouped.related.get(family, set()) & trained, family


def test_every_page_and_family_is_tested_once(seeds):
    grouped = splits.seeds_grouped(FOLDS)
    assert set(grouped.fold_of_page) == {page.name for page in seeds.pages}
    assert set(grouped.fold_of_family) == {
        line.family for line in injected([*seeds.loose, *(x for p in seeds.pages for x in p.lines)])
    }
    sizes = [sum(fold == k for fold in grouped.fold_of_page.values()) for k in range(FOLDS)]
    assert min(sizes) > 0.5 * max(sizes)


def test_pages_go_with_the_families_on_them(seeds):
    grouped = splits.seeds_grouped(FOLDS)
    for page in seeds.pages:
        assert {grouped.fold_of_family[line.family] for line in injected(page.lines)} <= {
            grouped.fold_of_page[page.name]
        }


def test_a_held_out_language_leaves_nothing(seeds):
    part = splits.without_language(seeds, frozenset(["th"]), share=1.0)
    assert not [line for line in trained_lines(part) if line.language == "th" and line.label != BLANK]
    assert part.spam
    assert all(page.lines[0].language == "th" for page in part.pages)


def test_families_that_share_words_are_related():
    families = {
        "slots": ["slot gacor maxwin hari ini", "bocoran slot gacor"],
        "slots-too": ["daftar slot gacor maxwin"],
        "loans": ["pinjaman cepat cair tanpa jaminan"],
        "essays": ["we write your dissertation overnight"],
    }
    pairs = {(a, b) for share, a, b in grouping.relations(families, []) if share < 1}
    assert ("slots-too", "slots") in pairs
    assert not {("loans", "slots"), ("essays", "loans")} & pairs


def test_common_words_bind_nothing():
    genuine = [LabelledLine(f"the house is number {i}", "article", "en") for i in range(1000)]
    families = {"a": ["the house is pretty"], "b": ["the house is ugly"]}
    assert not [pair for pair in grouping.relations(families, genuine) if pair[0] < 1]


def test_junk_is_set_into_pages_that_have_none():
    clean = LabelledPage("clean", tuple(LabelledLine(f"Line {i}.", "article", "en") for i in range(5)))
    dirty = LabelledPage("dirty", (LabelledLine("Buy now", "spam_other", "en", "f"),))
    made, twins = splits.with_spam([dirty, clean], {"g": [LabelledLine("Casino", "spam_gambling", "en", "g")]}, 1, 0.5)
    assert [page.name for page in twins] == ["clean"]
    assert [line.text for line in injected(made[0].lines)] == ["Casino"]
    assert [line for line in made[0].lines if line.label == "article"] == list(clean.lines)


@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 40, 40), (0.0, 12, 28)])
def test_junk_is_set_into_pages_of_its_language_as_often_as_asked(share, least, most):
    pages = [LabelledPage(name, (LabelledLine("A line.", "article", name),)) for name in ("en", "ru")]
    spam = {f"g{i}": [LabelledLine("Казино", "spam_gambling", "ru", f"g{i}")] for i in range(40)}
    _, twins = splits.with_spam(pages, spam, 1, share)
    assert least <= sum(page.name == "ru" for page in twins) <= most


def test_a_language_held_out_takes_extracted_pages_with_it():
    pages = [LabelledPage(f"found-{lang}", (LabelledLine("Menu", "furniture", lang, "site"),)) for lang in ("en", "zh")]
    part = splits.without_language(TrainingSet(pages, []), frozenset(["en"]), 1.0)
    assert [page.name for page in part.train.pages] == ["found-zh"]


def test_families_that_read_alike_to_an_encoder_are_held_out_together() -> None:
    class Words:
        name = "words"

        def encode(self, texts: list[str]) -> np.ndarray:
            return np.array(
                [[text.count("boat"), text.count("pill"), text.count("loan")] for text in texts], np.float32
            )

    families = {"a": ["boat"], "b": ["a boat, boat"], "c": ["pill"], "d": ["pill pill"], "e": ["loan"]}
    pairs = set(grouping.related_by_meaning(families, Words()))
    assert {("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")} <= pairs
    assert not pairs & {("a", "c"), ("c", "a")}
    assert all(a != b for a, b in pairs)


def test_what_was_dealt_before_stays_where_it_was_when_lines_are_added():
    def lines(names):
        return [LabelledLine(f"{name} {number} pills", "spam_other", "en", name) for number, name in enumerate(names)]

    before = [f"en-family{number}" for number in range(40)]
    added = [f"en-later{number}-9" for number in range(30)]
    first = grouping.grouped_folds([], lines(before), 5)
    both = grouping.grouped_folds([], lines([*added, *before]), 5)
    assert {name: both.fold_of_family[name] for name in before} == first.fold_of_family
    assert {both.fold_of_family[name] for name in added} == set(range(5))
