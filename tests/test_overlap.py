from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from material import seed_pages, text_of

from filter.overlap import CONTAINED_ORDER, FAMILIAR_ORDERS, Overlap, overlap
from filter.segment import Batch, fold, segment

words = st.sampled_from(
    ("rain", "fell", "on", "the", "harbour", "all night", "while", "雨在", "夜里", "落下", "a", "1", "2", "\r")
)
lines = st.lists(words, max_size=9).map(" ".join)
pages = st.lists(st.lists(lines, min_size=1, max_size=7).map("\n".join), min_size=1, max_size=4)


def looked_at(texts: list[str]) -> tuple[Batch, np.ndarray, Overlap]:
    batch = segment(texts)
    folded = fold(batch)
    chosen = np.array([i for i, (s, e) in enumerate(zip(batch.starts, batch.ends, strict=True))
                       if "".join(map(chr, batch.codes[s:e])).strip()], np.int64)  # fmt: skip
    if not len(chosen):
        none = np.zeros(0, np.float32)
        return batch, chosen, Overlap(dict.fromkeys(FAMILIAR_ORDERS, none), none, none, none, none)
    length = (batch.ends - batch.starts)[chosen].astype(np.float32)
    return batch, chosen, overlap(folded, chosen, batch.page_of[chosen], np.zeros(len(chosen), np.float32), length)


def grams(text: str, order: int) -> list[str]:
    return [text[i : i + order] for i in range(len(text) - order + 1)]


def folded_lines(texts: list[str]) -> list[str]:
    batch = segment(texts)
    folded = fold(batch)
    return ["".join(map(chr, folded.codes[s:e])) for s, e in zip(folded.starts, folded.ends, strict=True)]


@given(pages)
def test_familiar_is_the_share_of_windows_of_other_lines(texts):
    batch, chosen, found = looked_at(texts)
    own = folded_lines(texts)
    for order in FAMILIAR_ORDERS:
        for row, line in enumerate(chosen):
            others = {g for other in chosen if other != line and batch.page_of[other] == batch.page_of[line]
                      for g in grams(own[other], order)}  # fmt: skip
            mine = grams(own[line], order)
            share = sum(g in others for g in mine) / max(len(mine), 1)
            # A slot shared by chance can hide a window, never invent one.
            assert found.familiar[order][row] <= share + 1e-6


@given(pages)
def test_what_stands_nowhere_else_is_not_contained(texts):
    batch, chosen, found = looked_at(texts)
    own = folded_lines(texts)
    for row, line in enumerate(chosen):
        others = [o for o in chosen if o != line and batch.page_of[o] == batch.page_of[line]]
        if not any(
            set(grams(own[line], CONTAINED_ORDER)) & set(grams(own[o], CONTAINED_ORDER)) or own[o] == own[line]
            for o in others
        ):
            assert found.contained[row] == 0


@given(pages)
def test_twins_are_equal_lines_and_one_of_them_stays(texts):
    batch, chosen, found = looked_at(texts)
    own = folded_lines(texts)
    for row, line in enumerate(chosen):
        equal = [r for r, o in enumerate(chosen) if own[o] == own[line] and batch.page_of[o] == batch.page_of[line]]
        assert found.twins[row] == len(equal) - 1
        if len(equal) > 1 and len(own[line]) < CONTAINED_ORDER:
            assert sum(found.contained[r] == 0 for r in equal) == 1


@given(pages)
def test_a_page_gets_the_same_numbers_in_any_batch(texts):
    together = looked_at(texts)[2]
    apart = [looked_at([text])[2] for text in texts]
    for order in FAMILIAR_ORDERS:
        assert np.array_equal(together.familiar[order], np.concatenate([one.familiar[order] for one in apart]))
    for name in ("contained", "away", "spread", "twins"):
        assert np.array_equal(getattr(together, name), np.concatenate([getattr(one, name) for one in apart]))


def test_more_lines_than_half_an_entry_can_name():
    """From 65,536 lines on, entries are wider."""
    texts = ["\n".join(["The same sentence twice."] * 2 + [f"{i:x} line" for i in range(1 << 16)])]
    found = looked_at(texts)[2]
    assert found.twins[:2].tolist() == [1.0, 1.0]
    assert found.contained[:2].tolist() in ([0.0, 1.0], [1.0, 0.0])


def test_parts_of_several_lines_are_told_from_a_copy_of_one():
    text = "\n".join([
        "The baker opened the harbour wall in the evening of that long day.",
        "Our teacher painted a small library in the spring of that short year.",
        "The baker opened a small library",
        "Our teacher painted a small library",
    ])  # fmt: skip
    found = looked_at([text])[2]
    assert found.contained[3] > 0.8
    assert found.spread[3] == 0
    assert found.contained[2] > 0.5
    assert found.spread[2] > 0.3


def test_few_windows_are_hidden_by_chance():
    texts = [text_of(page) for page in seed_pages() if page.name]
    batch, chosen, found = looked_at(texts)
    own = folded_lines(texts)
    seen = whole = 0.0
    for row, line in enumerate(chosen[:600]):
        others = [
            o for o in chosen[max(0, row - 80) : row + 80] if o != line and batch.page_of[o] == batch.page_of[line]
        ]
        longer = {g for o in others for g in grams(own[o], 4)}
        whole += sum(g in longer for g in grams(own[line], 4)) / max(len(grams(own[line], 4)), 1)
        seen += found.familiar[4][row]
    assert seen > 0.93 * whole
