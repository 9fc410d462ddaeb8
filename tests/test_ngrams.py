from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from material import ODD, pages, seed_lines

from filter.codepoints import fold_table
from filter.ngrams import N_BUCKETS, ORDERS, line_buckets, pack_pair, score_labels, score_lines, window_counts
from filter.segment import fold, segment, select, spelled_out

MASK = 0xFFFFFFFF
MULTIPLIERS = (0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F, 0x165667B1)
PAIR = np.random.default_rng(7).integers(-127, 128, (N_BUCKETS, 2)).astype(np.int8)
PAIR[::5] = PAIR[::5] // 127 * 127  # the largest sums a window can have
WEIGHTS = pack_pair(PAIR)
LABEL_WEIGHTS = np.random.default_rng(8).integers(-127, 128, (N_BUCKETS, 3)).astype(np.int8)


def reference_buckets(line: str) -> list[int]:
    """Buckets of a line, one window after the other: the definition, in plain Python."""
    codes = [int(fold_table()[ord(c)]) for c in line]
    word = [32, *(c for c in codes if c), 32]
    if len(word) == 2:
        return []
    found = []
    for size in range(1, ORDERS + 1):
        inner = word[1:-1] if size == 1 else word
        for start in range(len(inner) - size + 1):
            rolled = 0
            for code, odd in zip(inner[start : start + size], MULTIPLIERS, strict=False):
                rolled = (rolled + code) * odd & MASK
            found.append(rolled >> 14)
    return found


def reference_score(line: str) -> list[int]:
    buckets = reference_buckets(line)
    return [sum(int(PAIR[bucket, column]) for bucket in buckets) for column in range(2)]


def lines_of(texts: list[str]) -> list[str]:
    return [line for text in texts if text for line in (text[:-1] if text.endswith("\n") else text).split("\n")]


@given(st.lists(pages, max_size=5))
def test_sums_are_those_of_the_plain_reference(texts):
    batch = segment(texts)
    codes = fold_table().take(batch.codes)
    # The reference takes letters as they stand; what puts spelled-out words together has tests of its own.
    assume(not len(spelled_out(codes[codes != 0])))
    assert score_lines(fold(batch), WEIGHTS).tolist() == [reference_score(line) for line in lines_of(texts)]


@given(st.lists(pages, max_size=5), st.sampled_from((1, 2, 3, 4, 5, 7, 64, 1000)))
def test_any_chunk_size_gives_the_same_sums(texts, chunk):
    folded = fold(segment(texts))
    chunk = max(chunk, sum(map(len, texts)) // 200)
    assert score_lines(folded, WEIGHTS, chunk).tolist() == score_lines(folded, WEIGHTS).tolist()
    assert score_labels(folded, LABEL_WEIGHTS, chunk).tolist() == score_labels(folded, LABEL_WEIGHTS).tolist()


@given(st.lists(pages, min_size=1, max_size=5))
def test_pages_together_or_alone_score_the_same(texts):
    together = score_lines(fold(segment(texts)), WEIGHTS).tolist()
    alone = [score for text in texts for score in score_lines(fold(segment([text])), WEIGHTS).tolist()]
    assert together == alone


@given(st.lists(pages, max_size=4))
def test_label_scores_are_the_columns_one_by_one(texts):
    folded = fold(segment(texts))
    scores = score_labels(folded, LABEL_WEIGHTS)
    for column in range(LABEL_WEIGHTS.shape[1]):
        alone = pack_pair(LABEL_WEIGHTS[:, [column, column]])
        assert np.stack((scores[:, column],) * 2, axis=1).tolist() == score_lines(folded, alone).tolist()


@given(st.lists(pages, max_size=4))
def test_training_features_are_those_that_are_summed(texts):
    folded = fold(segment(texts))
    buckets, offsets = line_buckets(folded)
    expected = [sorted(reference_buckets(line)) for line in lines_of(texts)]
    assert [sorted(buckets[a:b].tolist()) for a, b in pairwise(offsets)] == expected
    assert np.diff(offsets).tolist() == window_counts(folded).tolist()


@given(st.lists(pages, max_size=4))
def test_selected_lines_score_as_in_the_batch(texts):
    folded = fold(segment(texts))
    chosen = np.arange(0, len(folded.starts), 2)
    assert score_lines(select(folded, chosen), WEIGHTS).tolist() == score_lines(folded, WEIGHTS)[chosen].tolist()


def score(line: str) -> list[int]:
    return score_lines(fold(segment([line])), WEIGHTS)[0].tolist()


@pytest.mark.parametrize("line", [line for line in seed_lines()[::20] if line])
def test_invisible_and_width_variants_score_the_same(line):
    hidden = "\u200b".join(line)
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in line)
    assert score(hidden) == score(wide) == score(line) == score(line + "\ufeff")


@given(st.text(st.characters(blacklist_characters="\n"), min_size=1, max_size=40))
def test_an_invisible_character_anywhere_changes_no_score(line):
    assert score(line) == score(f"\u200b{line}\u2060") == score("\u00ad".join(line))


def test_long_runs_over_many_chunks():
    line = "字a " * 60_000
    text = f"{line}\n\n{line}x\nend"
    assert score_lines(fold(segment([text])), WEIGHTS).tolist() == [
        reference_score(line), [0, 0], reference_score(line + "x"), reference_score("end"),
    ]  # fmt: skip


def test_nothing_gives_nothing():
    for texts in ([], [""], ["", ""], ["\n"], ["\n\n\n"]):
        folded = fold(segment(texts))
        assert not score_lines(folded, WEIGHTS).any()
        assert not score_labels(folded, LABEL_WEIGHTS).any()
        assert len(line_buckets(folded)[0]) == 0


def test_odd_lines_score_as_the_reference_says():
    odd = [line for line in ODD if "\n" not in line]
    text = "\n".join([*odd, "."])
    assert score_lines(fold(segment([text])), WEIGHTS).tolist() == [reference_score(line) for line in [*odd, "."]]
