from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from material import pages

from filter.codepoints import CLASSES, LETTER_CLASSES, NEWLINE, class_table, fold_table
from filter.segment import Batch, batches, class_counts, fold, segment, select


def lines_of(text: str) -> list[str]:
    """Lines by the definition: one ends at a line feed, the last may lack it; a page without a character has none."""
    found = text.split("\n")
    return found[:-1] if found[-1] == "" else found


def as_text(codes: np.ndarray) -> str:
    return "".join(map(chr, codes))


def cut(batch: Batch) -> list[tuple[int, str]]:
    spans = zip(batch.page_of.tolist(), batch.starts.tolist(), batch.ends.tolist(), strict=True)
    return [(page, as_text(batch.codes[start:end])) for page, start, end in spans]


@given(st.lists(pages, max_size=6))
def test_lines_are_those_between_line_feeds(texts):
    batch = segment(texts)
    assert cut(batch) == [(number, line) for number, text in enumerate(texts) for line in lines_of(text)]


@given(st.lists(pages, min_size=1, max_size=6))
def test_positions_lead_back_to_the_page(texts):
    batch = segment(texts)
    assert len(batch.first_line) == len(texts) + 1
    assert batch.first_line[-1] == len(batch.starts)
    for number, text in enumerate(texts):
        for line in range(batch.first_line[number], batch.first_line[number + 1]):
            assert batch.page_of[line] == number
            start, end = (
                batch.starts[line] - batch.page_start[number],
                batch.ends[line] - batch.page_start[number],
            )
            assert "\n" not in text[start:end]
            assert text[start:end] == as_text(batch.codes[batch.starts[line] : batch.ends[line]])


@given(st.lists(pages, max_size=6))
def test_every_line_has_a_boundary_on_both_sides(texts):
    batch = segment(texts)
    assert (batch.codes[batch.starts - 1] == NEWLINE).all()
    assert (batch.codes[batch.ends] == NEWLINE).all()
    folded = fold(batch)
    assert (folded.codes[folded.starts - 1] == NEWLINE).all()
    assert (folded.codes[folded.ends] == NEWLINE).all()


@given(st.lists(pages, max_size=6))
def test_folding_is_the_table_applied_line_by_line(texts):
    batch = segment(texts)
    folded = fold(batch)
    for (_, line), start, end in zip(cut(batch), folded.starts, folded.ends, strict=True):
        codes = [int(fold_table()[ord(c)]) for c in line]
        assert folded.codes[start:end].tolist() == put_together([c for c in codes if c])


def put_together(codes: list[int]) -> list[int]:
    """Without what stands between four letters or more that stand one by one; a plain loop, to compare with."""
    kinds = [CLASSES[class_table()[code]] for code in codes]
    gone: set[int] = set()
    place = 0
    while place < len(codes):
        end = place
        while (
            end + 2 < len(codes)
            and kinds[end] in LETTER_CLASSES
            and kinds[end + 1] in ("space", "sentence_end", "comma", "separator", "symbol")
            and codes[end + 1] == codes[place + 1]
            and kinds[end + 2] in LETTER_CLASSES
        ):
            end += 2
        before = place == 0 or kinds[place - 1] not in LETTER_CLASSES
        after = end + 1 == len(codes) or kinds[end + 1] not in LETTER_CLASSES
        if (end - place) // 2 >= 3 and before and after:
            gone |= set(range(place + 1, end, 2))
        place = max(end, place + 1)
    return [code for index, code in enumerate(codes) if index not in gone]


@given(st.lists(pages, max_size=4))
def test_origin_tells_where_a_folded_character_stood(texts):
    batch = segment(texts)
    folded = fold(batch)
    origin = np.arange(len(batch.codes)) if folded.origin is None else folded.origin
    assert np.array_equal(fold_table()[batch.codes[origin]], folded.codes)


@given(st.lists(pages, max_size=5), st.randoms(use_true_random=False))
def test_selected_lines_are_the_same_lines(texts, random):
    folded = fold(segment(texts))
    chosen = np.array([i for i in range(len(folded.starts)) if random.random() < 0.5], np.int64)
    part = select(folded, chosen)
    assert len(part.starts) == len(chosen)
    for line, start, end in zip(chosen, part.starts, part.ends, strict=True):
        assert np.array_equal(part.codes[start:end], folded.codes[folded.starts[line] : folded.ends[line]])
        assert part.codes[start - 1] == part.codes[end] == NEWLINE


@given(st.lists(pages, max_size=4))
def test_class_counts_count_characters(texts):
    batch = segment(texts)
    counts = class_counts(batch, len(CLASSES))
    for (_, line), row in zip(cut(batch), counts, strict=True):
        expected = np.bincount([class_table()[ord(c)] for c in line], minlength=len(CLASSES))
        assert row.tolist() == expected.tolist()


@given(st.lists(st.text(max_size=12)), st.integers(1, 30))
def test_groups_keep_order_and_size(texts, size):
    groups = list(batches(texts, size))
    assert [text for group in groups for text in group] == texts
    assert all(len(group) == 1 or sum(map(len, group)) <= size for group in groups)
    assert all(groups)


def test_pages_are_read_no_further_than_needed():
    taken = []

    def source():
        for number in range(100):
            taken.append(number)
            yield "x" * 10

    next(batches(source(), size=25))
    assert len(taken) == 3
