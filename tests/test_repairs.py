from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from material import ROOT, any_text, pages

from filter.labels import DUPLICATE, RESIDUE
from filter.page import Span, apply_spans
from filter.pipeline import PageFilter
from filter.repairs import REPAIRS, find_repairs
from filter.repairs.repeated import repeated
from filter.repairs.traces import MISREAD, PRIVATE, traces

CASES = [
    json.loads(row)
    for name in ("repairs.jsonl", "honest_brackets.jsonl")
    for row in (ROOT / "tests" / "cases" / name).read_text(encoding="utf8").splitlines()
]
damaged_text = st.lists(
    st.sampled_from(
        [
            "網(wǎng)",
            "發(fā)",
            "產(chǎn)",
            "大(dà)",
            "字",
            "。",
            "“",
            "”",
            "?!?/p>",
            "?/p>",
            "?",
            "(",
            ")",
            "\n",
            "\r\n",
            " ",
            "a",
            "網",
            "(wǎng)",
            "\ud800",
        ]
    ),
    max_size=25,
).map("".join)


def repaired(text: str) -> str:
    return apply_spans(text, [Span(r.start, r.end, r.label, r.replacement) for r in find_repairs(text)])


def case(row: dict[str, str]):
    why = row.get("known_failure")
    return pytest.param(
        row["text"],
        row["output"],
        id=row["note"],
        marks=[pytest.mark.xfail(reason=why, strict=True)] if why else [],
    )


@pytest.mark.parametrize(("text", "output"), [case(row) for row in CASES])
def test_cases(text, output):
    assert repaired(text) == output


def test_there_are_honest_look_alikes_by_the_hundred():
    honest = sum(row["text"] == row["output"] for row in CASES)
    assert honest >= 300
    assert len(CASES) - honest >= 40


@given(st.one_of(damaged_text, pages, any_text))
def test_repairs_lie_in_order_inside_one_line_each(text):
    repairs = find_repairs(text)
    assert all(a.end <= b.start for a, b in pairwise(repairs))
    for repair in repairs:
        assert 0 <= repair.start < repair.end <= len(text)
        assert repair.label in (RESIDUE, DUPLICATE)
        assert not set("\r\n") & set(text[repair.start : repair.end] + repair.replacement)
        assert text[repair.start : repair.end] != repair.replacement


@given(damaged_text)
def test_repairing_keeps_the_lines(text):
    assert repaired(text).count("\n") == text.count("\n")
    assert len(repaired(text)) <= len(text)


@given(st.text(st.characters(blacklist_characters="(（?"), max_size=80))
def test_text_without_brackets_and_question_marks_is_left_alone(text):
    # What bytes became in the wrong encoding, and icons, need neither.
    assume(not traces(text) & (MISREAD | PRIVATE) and not repeated(text))
    assert find_repairs(text) == []


def test_glosses_are_found_on_a_long_page_in_time():
    text = "網(wǎng)站發(fā)布了新的產(chǎn)品目錄，請大家到門衛(wèi)室登記。\n" * 20_000
    assert len(find_repairs(text)) == 80_000


@pytest.mark.parametrize(
    "text", ["(" * 200_000, "網(" * 100_000, "網(wǎ" * 50_000, "?!" * 100_000, "(ā" + "a" * 200_000]
)
def test_no_text_takes_long(text):
    assert isinstance(find_repairs(text), list)


@pytest.mark.parametrize("name", REPAIRS)
def test_each_repair_can_be_switched_off(name):
    text = "網(wǎng)站發(fā)布，文章結尾的一句話在這裡寫完了。</p>\nTom &amp; Sue\n\ue80c Hours\nThe cafÃ© isnâ€™t open.\nHarbour walksHarbour walks"
    assert {s.start for s in find_repairs(text)} - {s.start for s in find_repairs(text, [name])} == {
        s.start for s in REPAIRS[name](text)
    }
    assert find_repairs(text, REPAIRS) == []


def test_what_stays_unmended_is_judged_as_if_it_were(eager: PageFilter):
    text = "我們的網(wǎng)站發(fā)布了新的產(chǎn)品目錄，請大家在開會前看一看。\nCasino bonus &amp; free spins now"
    plain = PageFilter(eager.model, eager.settings, without_repairs=["gloss"])
    assert [line.probability for line in plain.clean(text).lines] == [
        line.probability for line in eager.clean(text).lines
    ]
    for page_filter in (plain, eager):
        for line in page_filter.clean(text).lines:
            if line.kept:
                assert line.output == apply_spans(line.text, line.spans)
    kept = plain.clean(text).lines[0]
    assert not kept.kept or "(wǎng)" in kept.output
    nothing = PageFilter(eager.model, eager.settings, without_repairs=REPAIRS)
    assert all(not line.spans for line in nothing.clean(text).lines)
