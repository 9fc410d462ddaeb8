"""The evaluation as a page: complete, self-contained, and safe to open whatever the lines hold."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cli_support import Cli, FakeFilter
from hypothesis import given
from hypothesis import strategies as st

from filter.evaluation import Outcomes, summarise
from filter.labels import LABELS
from filter.report import html_report

CARD = {
    "promises": {"genuine lines": {"loss": 0.0004, "bound": "no bound", "pages": 12}},
    "sources": [{"name": "seeds", "rows": 3}],
}


def page_of(rows: list[tuple[str, str, str, float, bool]]) -> str:
    text, label, said, chance, kept = ([row[i] for row in rows] for i in range(5))
    found = Outcomes(text, label, said, chance, kept, ["en"] * len(rows), ["en-menu-line"] * len(rows))  # type: ignore[arg-type]
    return html_report(found, summarise(found, "careful", 1), CARD)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name in ("src", "href") or name.startswith("on") for name, _ in attrs)
        if tag not in ("meta", "rect", "polyline", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag


def test_it_holds_what_a_reader_looks_for() -> None:
    page = page_of([("Home | News", "navigation", "navigation", 0.97, False), ("We sailed.", "article", "spam_other", 0.9, False),
                    ("win now", "spam_gambling", "article", 0.1, True)])  # fmt: skip
    for words in ("Model card", "no bound", "In short", "Confusion", "By language", "By topic", "By family", "Worst mistakes",
                  "We sailed.", "win now", "en-menu-line", "precision", "50.0%"):  # fmt: skip
        assert words in page, words
    assert len(re.findall("<svg", page)) == 2


@given(
    st.lists(
        st.tuples(
            st.text(max_size=30), st.sampled_from(LABELS), st.sampled_from(LABELS), st.floats(0, 1), st.booleans()
        ),
        max_size=20,
    )
)
def test_it_is_well_formed_and_fetches_nothing(rows: list[tuple[str, str, str, float, bool]]) -> None:
    tags = Tags()
    tags.feed(page_of(rows))
    assert tags.seen <= {
        "html",
        "meta",
        "title",
        "style",
        "h1",
        "h2",
        "h3",
        "p",
        "table",
        "tr",
        "td",
        "th",
        "svg",
        "rect",
        "text",
        "polyline",
        "circle",
    }


def test_a_line_cannot_break_out_of_the_page() -> None:
    assert "<script>" not in page_of([("<script>alert(1)</script>", "article", "residue", 0.9, False)])


def test_the_command_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("filter.PageFilter", FakeFilter)
    Path("a.jsonl").write_text(
        '{"text": "NAV Home", "label": "navigation"}\n{"text": "We sail.", "label": "article"}\n', "utf8"
    )
    cli = Cli(monkeypatch, capfdbinary)
    assert cli("evaluate", "a.jsonl", "--report", "out/report.html").code == 0
    assert "macro F1" in Path("out/report.html").read_text("utf8")
    refused = cli("evaluate", "a.jsonl", "--report", "a.jsonl")
    assert refused.code == 1
    assert "would replace the input a.jsonl" in refused.err
