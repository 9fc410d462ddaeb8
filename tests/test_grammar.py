from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import seed_pages

from filter.io.labelled import LabelledLine, LabelledPage
from filter.labels import ARTICLE, INJECTED
from filter.training import grammar
from filter.training.data import TrainingSet
from filter.training.grammar import (
    CHANGES,
    SEPARATORS,
    keyword_list,
    lists,
    rewrapped,
    rng_of,
    to_simplified,
    to_traditional,
    variant,
    variants,
    vocabulary,
    widened,
    wrapped,
)  # fmt: skip

EVERY = [change for _, changes in CHANGES for change in changes]
texts = st.text(st.characters(blacklist_characters="\n", blacklist_categories=("Cs",)), min_size=1, max_size=80)


def seeds() -> TrainingSet:
    pages = seed_pages()
    return TrainingSet([p for p in pages if p.name], [line for p in pages if not p.name for line in p.lines])


@pytest.mark.parametrize("change", EVERY, ids=lambda change: change.__name__)
@given(texts, st.integers(0, 99))
def test_a_change_gives_one_line_and_the_same_every_time(change, text, seed):
    changed = change(text, np.random.default_rng(seed))
    assert "\n" not in changed
    assert changed == change(text, np.random.default_rng(seed))


@given(texts)
def test_a_variant_depends_on_the_line_alone(text):
    assert variant(text, rng_of(text, 3)) == variant(text, rng_of(text, 3))


def test_simplified_and_traditional_are_each_others_way_back():
    assert to_traditional("网络会议", np.random.default_rng(0)) == "網絡會議"
    assert to_simplified("網絡會議，2024 ok", np.random.default_rng(0)) == "网络会议，2024 ok"


def test_junk_and_honest_lines_get_variants_equally_often():
    found = variants([LabelledLine(f"line {i} of text, with marks", label, "en", f"f{i}")
                      for i in range(4000) for label in ("spam_adult", ARTICLE)], 0, most=100_000)  # fmt: skip
    counts = Counter(line.label for line in found)
    # The same line is drawn alike under either label, so the counts agree exactly.
    assert counts["spam_adult"] == counts[ARTICLE] > 1000


def test_every_change_comes_to_honest_lines_as_often(monkeypatch):
    """Marks that teach nothing: the share of lines with each change differs by chance alone."""
    used: dict[str, Counter[str]] = {"spam": Counter(), "honest": Counter()}
    lines = [*seeds().loose, *(line for page in seeds().pages for line in page.lines)]
    for line in lines:
        kind = "spam" if line.label in INJECTED else "honest" if line.label == ARTICLE else ""
        if kind and line.clean is None:
            rng = rng_of(line.text, 0)
            rng.random()
            for share, changes in CHANGES:
                if rng.random() < share:
                    used[kind][changes[int(rng.integers(len(changes)))].__name__] += 1
                    break
    total = {kind: sum(counts.values()) for kind, counts in used.items()}
    for change in used["honest"]:
        shares = [used[kind][change] / total[kind] for kind in used]
        assert abs(shares[0] - shares[1]) < 0.05, change


def test_lists_hold_words_of_their_family_only():
    line = LabelledLine("red wine|white wine|cider|mead|perry|sloe gin", "spam_other", "en", "drinks")
    (made,) = lists([line], 0, share=1.0)
    assert (made.label, made.family, made.language) == ("spam_other", "drinks", "en")
    left = made.text
    for word in sorted(vocabulary([line.text]), key=len, reverse=True):
        left = left.replace(word, "")
    assert set(left) <= set("".join(SEPARATORS))


def test_prose_has_no_vocabulary():
    assert vocabulary(["The mill was built by two brothers who had come over the hills."]) == []


@given(st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=30, unique=True), st.integers(0, 50))
def test_a_list_is_a_line_of_some_of_the_words(words, seed):
    made = keyword_list(words, np.random.default_rng(seed))
    assert "\n" not in made
    assert any(word in made for word in words)


@given(st.text(st.characters(blacklist_categories=("Z", "C", "M")) | st.just(" "), max_size=300), st.integers(4, 90))
def test_wrapping_loses_nothing_but_spaces(text, columns):
    parts = wrapped(text, columns)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(len(part) <= columns for part in parts)


@given(st.integers(0, 40))
def test_rewrapped_pages_hold_the_same_text(seed):
    page = next(p for p in seed_pages() if p.name and sum(line.label == ARTICLE for line in p.lines) > 6)
    made = rewrapped(page, np.random.default_rng(seed))

    def squashed(one: LabelledPage, kept: bool) -> str:
        return "".join("".join(line.text for line in one.lines if (line.label == ARTICLE) == kept).split())

    assert made.name == page.name
    assert squashed(made, True) == squashed(page, True)
    assert squashed(made, False) == squashed(page, False)


def test_widening_adds_and_takes_nothing_away():
    data = seeds()
    wide = widened(data, 0)
    assert list(wide.loose[: len(data.loose)]) == list(data.loose)
    assert list(wide.pages[: len(data.pages)]) == list(data.pages)
    assert len(wide.loose) > 1.3 * len(data.loose)
    names = [page.name for page in wide.pages]
    assert len(names) == len(set(names))
    families = {line.family for line in data.loose} | {line.family for page in data.pages for line in page.lines}
    assert {line.family for line in wide.loose} <= families
    assert widened(data, 0).loose == wide.loose
    assert widened(data, 1).loose != wide.loose


def test_what_is_taken_from_the_set_leaves_no_trace():
    """Variants are made of what is given: a family held out is held out in all its variants."""
    data = seeds()
    gone = {line.family for line in data.loose if line.label in INJECTED}
    rest = TrainingSet([], [line for line in data.loose if line.family not in gone])
    assert not gone & {line.family for line in widened(rest, 0).loose}
    assert grammar.MOST_VARIANTS > 0


def test_formulas_are_put_together_of_parts_of_other_lines():
    texts = [f"{who} opened {what} at {when}" for who, what, when in zip(
        ("The mayor", "My aunt", "A baker", "Our cat", "The nurse", "A clerk"),
        ("the old bridge", "her garden", "a shop", "the door", "the ward", "a letter"),
        ("noon", "dawn", "seven", "night", "four", "once"), strict=True)]  # fmt: skip
    pages = grammar.formulaic([LabelledLine(text, ARTICLE, "en", "chronicle") for text in texts], 0, most=1)
    made = [line.text for line in pages[0].lines]
    assert len(made) > 5
    assert set(made) - set(texts)
    assert all(any(text.startswith(line[:8]) for text in texts) for line in made)
    assert all(any(text.endswith(line[-4:]) for text in texts) for line in made)
