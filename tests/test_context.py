from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from material import pages, seed_pages, text_of

from filter.context import Context, LineOrder, context, surroundings
from filter.ngrams import N_BUCKETS, pack_pair, score_lines
from filter.segment import fold, segment

WEIGHTS = pack_pair(np.random.default_rng(5).integers(-40, 41, (N_BUCKETS, 2)).astype(np.int8))
SCALE, BIAS = np.array([0.037, 0.029], np.float32), np.array([-0.3, 0.1], np.float32)


def seen(texts: list[str]) -> Context:
    batch = segment(texts)
    folded = fold(batch)
    return context(batch, folded, score_lines(folded, WEIGHTS), SCALE, BIAS)


def features(text: str) -> list[dict[str, float]]:
    found = seen([text])
    return [dict(zip(found.names, row.tolist(), strict=True)) for row in found.values]


@given(st.lists(pages, min_size=1, max_size=6))
def test_a_page_gets_the_same_bits_in_any_batch(texts):
    together = [row.tobytes() for row in seen(texts).values]
    alone = [row.tobytes() for text in texts for row in seen([text]).values]
    assert together == alone


@given(st.lists(pages, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_pages_changes_nothing(texts, random):
    shuffled = random.sample(texts, len(texts))
    assert sorted(row.tobytes() for row in seen(texts).values) == sorted(row.tobytes() for row in seen(shuffled).values)


def test_real_pages_in_one_batch_are_as_if_alone():
    texts = [text_of(page) for page in seed_pages() if page.name][:60]
    together = seen(texts).values
    alone = np.concatenate([seen([text]).values for text in texts])
    assert np.array_equal(together, alone)


@given(st.lists(pages, max_size=4))
def test_rows_are_the_lines_that_are_not_blank(texts):
    batch = segment(texts)
    lines = [line for text in texts if text for line in (text[:-1] if text.endswith("\n") else text).split("\n")]
    assert len(lines) == len(batch.starts)
    assert seen(texts).lines.tolist() == [number for number, line in enumerate(lines) if line.strip()]


@given(st.lists(pages, max_size=4))
def test_all_numbers_are_finite(texts):
    found = seen(texts)
    assert np.isfinite(found.values).all()
    assert found.values.dtype == np.float32


def test_of_equal_lines_the_one_in_the_running_text_stays():
    body = [
        "The mill was built in 1820 by two brothers who had come over the hills with nothing but their tools.",
        "For sixty years it ground the corn of the whole valley, until the railway made it needless.",
        "Today a family of potters lives there, and the wheel turns again on Sundays for the visitors.",
    ]
    batch = segment(["\n".join([body[1], "Home", "News", "Imprint", *body])])
    like_junk = np.where(batch.ends - batch.starts > 40, -300, 300)
    found = context(batch, fold(batch), np.stack((like_junk, like_junk), axis=1), SCALE, BIAS)
    assert found.column("contained")[0] == 1
    assert found.column("contained")[4:].max() < 0.2
    assert (found.column("log_twins") > 0).tolist() == [True, False, False, False, False, True, False]


def test_a_cut_teaser_is_contained_in_the_longer_line():
    whole = "A long report about the harbour wall, its stones, its builders, and what the storm of 1931 did to them."
    rows = features(f"{whole[:48]}\nSomething else entirely stands here.\n{whole}")
    # Chance can hide a window of a copy where two share a slot, but never invent one.
    assert rows[0]["contained"] > 0.9
    assert rows[2]["contained"] == 0


def test_a_line_in_another_script_stands_far_off():
    rows = features(
        "海边的旧灯塔今年重新开放了\n镇上的人都很高兴\nCheap pills and loans for everyone\n孩子们第一次登上塔顶"
    )
    assert rows[2]["script_distance"] == 1
    assert max(rows[i]["script_distance"] for i in (0, 1, 3)) < 0.9


def test_nothing_reaches_over_a_page():
    alone = features("one line\nanother line")
    batch = seen(["copy of it\nanother line", "one line\nanother line", "one line"])
    assert batch.values[2:4].tolist() == [list(row.values()) for row in alone]


ordered = st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=6), min_size=1, max_size=5)


@given(ordered, st.sampled_from((-3, -2, -1, 1, 2, 3)))
def test_shifting_takes_the_value_of_a_line_of_the_same_page(numbers, step):
    values = np.array([v for page in numbers for v in page], np.float32)
    order = LineOrder.of(np.repeat(np.arange(len(numbers)), [len(page) for page in numbers]))
    expected = [page[i + step] if 0 <= i + step < len(page) else 0 for page in numbers for i in range(len(page))]
    assert order.shift(values, step).tolist() == expected
    assert order.shift(np.stack((values, -values)), step)[1].tolist() == [-v for v in expected]


@given(ordered, st.sampled_from((1, 2, 5)))
def test_means_around_a_line_leave_the_line_out(numbers, radius):
    values = np.array([v for page in numbers for v in page], np.float32)
    order = LineOrder.of(np.repeat(np.arange(len(numbers)), [len(page) for page in numbers]))
    expected = []
    for page in numbers:
        for i in range(len(page)):
            others = page[max(0, i - radius) : i] + page[i + 1 : i + 1 + radius]
            expected.append(np.mean(others) if others else 0.0)
    assert np.allclose(order.around(values, radius), expected, atol=1e-3)


@given(ordered)
def test_surroundings_of_a_page_are_the_same_bits_in_any_batch(numbers):
    pages_of = [np.array([[v / 3, -v] for v in page], np.float32) for page in numbers]
    order = LineOrder.of(np.repeat(np.arange(len(numbers)), [len(page) for page in numbers]))
    together = surroundings(order, np.concatenate(pages_of))
    alone = [surroundings(LineOrder.of(np.zeros(len(page), int)), page) for page in pages_of]
    assert together.tobytes() == np.concatenate(alone).tobytes()
