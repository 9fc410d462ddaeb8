from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import ROOT, any_text, pages, seed_pages, text_of

from filter.classify import classify
from filter.emit import joined, runs_of
from filter.errors import PagefilterError
from filter.labels import FURNITURE, INJECTED, LABELS
from filter.model import load_model, shipped
from filter.page import Page, apply_spans
from filter.pipeline import PageFilter, line_bounds
from filter.policy import Policy
from filter.repairs import find_repairs

WHOLE = [text_of(page) for page in seed_pages() if page.name]


def lines_of(text: str) -> list[str]:
    found = text.split("\n")
    return found[:-1] if found[-1] == "" else found


def check_contract(text: str, page: Page) -> None:
    """What holds for every page, whatever the model thinks of it."""
    assert [line.text for line in page.lines] == lines_of(text)
    assert [line.number for line in page.lines] == list(range(len(page.lines)))
    for line in page.lines:
        assert (line.label == "blank") == (not line.text.strip())
        assert line.label == "blank" or line.label in LABELS
        assert 0 <= line.probability <= 1
        assert line.kept or line.label != "blank"
        if line.label == "blank":
            assert line.probability == 0
        assert (line.output is None) == (not line.kept)
        assert all(0 <= span.start < span.end <= len(line.text) for span in line.spans)
        assert all(a.end <= b.start for a, b in zip(line.spans, line.spans[1:], strict=False))
        if line.kept:
            assert line.output == apply_spans(line.text, line.spans)
    kept = [line.output for line in page.lines if line.kept and line.label != "blank"]
    assert [line for line in lines_of(page.text) if line.strip()] == [line for line in kept if line.strip()]


@given(st.lists(pages, max_size=5))
def test_clean_many_is_clean_page_by_page(eager: PageFilter, texts):
    together = list(eager.clean_many(texts))
    alone = [eager.clean(text) for text in texts]
    assert [page.text for page in together] == [page.text for page in alone]
    assert [page.lines for page in together] == [page.lines for page in alone]


def test_real_pages_in_one_batch_are_as_if_alone(eager: PageFilter):
    for page, text in zip(eager.clean_many(WHOLE), WHOLE, strict=True):
        alone = eager.clean(text)
        assert page.text == alone.text
        assert page.lines == alone.lines


@pytest.mark.parametrize("size", [1, 500, 20_000])
def test_any_size_of_batch_gives_the_same_bits(eager: PageFilter, monkeypatch, size):
    from filter import pipeline, segment

    expected = [page.lines for page in eager.clean_many(WHOLE[:60])]
    monkeypatch.setattr(pipeline, "batches", lambda texts: segment.batches(texts, size))
    assert [page.lines for page in eager.clean_many(WHOLE[:60])] == expected


def test_verdicts_of_a_page_do_not_depend_on_its_batch(eager: PageFilter):
    batch, together = classify(WHOLE, eager.model)
    for number, text in enumerate(WHOLE):
        lines = slice(batch.first_line[number], batch.first_line[number + 1])
        _, alone = classify([text], eager.model)
        for name in ("label", "kind", "injected", "furniture"):
            assert np.array_equal(getattr(together, name)[lines], getattr(alone, name)), (number, name)


@given(pages)
def test_the_contract_holds_for_any_page(eager: PageFilter, text):
    check_contract(text, eager.clean(text))


def test_the_contract_holds_for_the_seed_pages(eager: PageFilter):
    dropped = 0
    for text in WHOLE:
        page = eager.clean(text)
        check_contract(text, page)
        dropped += sum(not line.kept for line in page.lines)
    assert dropped > len(WHOLE), "a filter that drops nothing shows nothing"


@given(st.one_of(pages, any_text))
def test_nothing_flagged_leaves_the_text_as_it_was(lenient: PageFilter, text):
    page = lenient.clean(text)
    assert all(line.kept for line in page.lines)
    if not find_repairs(text):
        assert page.text == text
    else:
        assert page.text.count("\n") == text.count("\n")


@given(st.one_of(pages, any_text))
def test_a_page_from_which_nothing_went_is_unchanged(eager: PageFilter, text):
    page = eager.clean(text)
    if all(line.kept and not line.spans for line in page.lines):
        assert page.text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n\n",
        " ",
        "\r\n",
        "\r\n\r\n",
        "one\r\ntwo\r\n",
        "a\u2028b",
        "\u200b",
        "\x00",
        "\ud800",
        "a\udfffb\n",
        "\ufeffone\n",
        "\x85",
        "x\x0by\x0cz\n",
    ],
)
def test_odd_text_passes_unchanged(lenient: PageFilter, text):
    assert lenient.clean(text).text == text
    assert [page.text for page in lenient.clean_many([text, "one", text])] == [text, "one", text]


def dropping_from(texts: list[str], junk: str = "JUNK") -> list[str]:
    """What is emitted of some pages if exactly the lines that say `junk` go; their damage is repaired."""
    found = [lines_of(text) for text in texts]
    kept = np.array([line.strip("\r") != junk for lines in found for line in lines], bool)
    blank = np.array([not line.strip() for lines in found for line in lines], bool)
    first_line = np.cumsum([0, *map(len, found)])
    runs = runs_of(kept, blank, first_line)
    output = []
    for index, text in enumerate(texts):
        starts, ends = line_bounds(text)
        run = slice(runs.bounds[index], runs.bounds[index + 1])
        first, last = runs.first[run] - first_line[index], runs.last[run] - first_line[index]
        output.append(joined(text, starts[first].tolist(), ends[last].tolist(), find_repairs(text)))
    return output


def dropping(text: str) -> str:
    return dropping_from([text])[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nJUNK\nb", "a\nb"),
        ("a\n\nJUNK\n\nb", "a\n\nb"),
        ("a\n\n\nJUNK\nb", "a\n\nb"),
        ("a\nJUNK\n\n\n\nb", "a\n\nb"),
        ("a\n\nJUNK\n\nJUNK\n\nb\n", "a\n\nb\n"),
        ("JUNK\n\na", "a"),
        ("\n\nJUNK\n\n\na\n", "a\n"),
        ("JUNK\na\n\n\nb", "a\n\n\nb"),
        ("a\n\nJUNK", "a"),
        ("a\n\nJUNK\n", "a\n"),
        ("a\n\nJUNK\n\n\n", "a\n"),
        ("JUNK", ""),
        ("JUNK\n", ""),
        ("\nJUNK\n\n", ""),
        ("a\n\n\n\nb\nJUNK\nc", "a\n\n\n\nb\nc"),
        ("a\n \t\nJUNK\n\u3000\nb", "a\n \t\nb"),
        ("a\r\n\r\nJUNK\r\n\r\nb", "a\r\n\r\nb"),
        ("a\nb\nJUNK\n", "a\nb\n"),
    ],
)
def test_blank_lines_around_dropped_ones_become_one(text, expected):
    assert dropping(text) == expected


@given(st.lists(st.sampled_from(["", " ", "JUNK", "a", "b"]), max_size=12), st.booleans())
def test_blank_lines_by_the_rule(found, ending):
    text = "\n".join(found) + ("\n" if ending and found else "")
    found = lines_of(text)
    output = dropping(text)
    if "JUNK" not in found:
        assert output == text
        return
    expected, gap, went = [], [], False
    for line in found:
        if line == "JUNK":
            went = True
        elif not line.strip():
            gap.append(line)
        else:
            expected += gap if not went else gap[:1] if expected and any(e.strip() for e in expected) else []
            expected.append(line)
            gap, went = [], False
    expected += gap if not went else []
    if not any(line.strip() for line in expected):
        assert output == ""
    else:
        assert output == "\n".join(expected) + ("\n" if text.endswith("\n") else "")


@given(st.lists(st.lists(st.sampled_from(["", " ", "JUNK", "a", "b"]), max_size=6), max_size=5))
def test_what_is_emitted_of_a_page_does_not_depend_on_the_pages_beside_it(pages_of_lines):
    texts = ["\n".join(lines) for lines in pages_of_lines]
    assert dropping_from(texts) == [dropping(text) for text in texts]


def test_repairs_are_made_where_lines_were_dropped_too():
    assert dropping("JUNK\n網(wǎng)站發(fā)布\n\nJUNK\n\n他說力量?!?/p>") == "網站發布\n\n他說力量。"


@given(pages)
def test_line_bounds_are_those_of_the_lines(text):
    starts, ends = line_bounds(text)
    assert [text[start:end] for start, end in zip(starts, ends, strict=True)] == lines_of(text)


@given(st.lists(pages, max_size=3))
def test_lines_judged_in_part_keep_the_contract(eager: PageFilter, texts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("filter.pipeline.LONGEST_LINE", 8)
        for text, page in zip(texts, eager.clean_many(texts), strict=True):
            check_contract(text, page)


def test_an_iterator_is_read_as_it_is_cleaned(eager: PageFilter):
    taken = []

    def source():
        for number in range(50):
            taken.append(number)
            yield "A line of some length that fills the batch. " * 1000

    next(eager.clean_many(source()))
    assert len(taken) < 12


def test_lines_are_made_when_asked_for(eager: PageFilter):
    page = eager.clean(WHOLE[0])
    assert page._lines is None
    assert page.lines is page.lines


@given(st.lists(pages, max_size=4))
def test_text_is_the_same_whether_lines_are_asked_for_or_not(tiny_model, texts):
    for dropped in (frozenset(FURNITURE + INJECTED), frozenset(INJECTED), frozenset()):
        policy = Policy("balanced", 0.3, 0.2, 0.2, 0.3, dropped)
        text_only, asks = PageFilter(tiny_model, policy), PageFilter(tiny_model, policy)
        assert asks.clean("One line.").lines
        pages_of_asks = list(asks.clean_many(texts))
        pages_of_text_only = list(text_only.clean_many(texts))
        assert [page.text for page in pages_of_text_only] == [page.text for page in pages_of_asks]
        assert [page.lines for page in pages_of_text_only] == [page.lines for page in pages_of_asks]


def test_a_page_travels_light(eager: PageFilter):
    page = PageFilter(eager.model, eager.settings).clean(WHOLE[0])
    packed = pickle.dumps(page)
    assert len(packed) < 100_000
    assert pickle.loads(packed).text == page.text
    assert pickle.loads(packed).lines == page.lines


def test_policies_drop_less_and_less():
    from filter.policy import make_policy

    # A tiny model is sure of nothing.
    model = load_model(shipped("models") / "default")
    gone = {}
    for name in ("balanced", "careful", "spam-only"):
        page_filter = PageFilter(model, make_policy(name, model.card))
        gone[name] = sum(not line.kept for page in page_filter.clean_many(WHOLE) for line in page.lines)
    assert gone["balanced"] >= gone["careful"] >= gone["spam-only"]
    assert gone["spam-only"] > 0


def test_only_article_keeps_nothing_else_that_is_certain(tiny_model):
    everything = PageFilter(tiny_model, Policy("balanced", 0.0, 0.0, 0.0, 0.0, frozenset(LABELS) - {"article"}))
    page = everything.clean(WHOLE[0])
    assert not any(line.kept for line in page.lines if line.label not in ("article", "blank"))


def test_kept_labels_stay(tiny_model):
    keeps = PageFilter(
        tiny_model, Policy("balanced", 0.3, 0.2, 0.2, 0.3, frozenset(INJECTED) | frozenset(FURNITURE) - {"navigation"})
    )
    labels = {line.label for page in keeps.clean_many(WHOLE) for line in page.lines if line.kept}
    assert "navigation" in labels


def test_unknown_names_are_refused():
    with pytest.raises(PagefilterError):
        PageFilter.load(policy="bold")
    with pytest.raises(PagefilterError):
        PageFilter.load(drop=["spam"])


def test_html_is_laid_out_and_then_cleaned(eager: PageFilter):
    html = "<html><body><p>The library opens at nine.</p><script>x()</script><p>It closes at six.</p></body></html>"
    from filter.html import layout

    assert eager.clean_html(html).text == eager.clean(layout(html, None)).text


LONG_LINE = """
import sys
from filter import PageFilter
page_filter = PageFilter.load()
piece = "Some words of a very long line, which goes on and on without an end. "
text = "Before.\\n" + piece * (int(sys.argv[1]) // len(piece)) + "\\nAfter."
page = page_filter.clean(text)
assert [line.text == part for line, part in zip(page.lines, text.split("\\n"))] == [True] * 3
assert page.text == "\\n".join(line.text for line in page.lines if line.kept)
# Not ru_maxrss: that counts what the parent had when this process was forked.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) // 1024)
"""


@pytest.mark.skipif(
    not (ROOT / "models" / "default" / "card.json").is_file(), reason="the shipped model has not been built"
)
@pytest.mark.skipif(sys.platform != "linux", reason="measures as Linux does")
def test_a_line_of_100_mb_is_cleaned_in_bounded_memory(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", LONG_LINE, "100000000"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stdout) < 1000
