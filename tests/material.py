"""Lines and pages to test with: from the seeds, and odd ones no page should break on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from filter.io.labelled import LabelledPage, read_labelled

ROOT = Path(__file__).resolve().parents[1]
TINY_FILES = ("fr.jsonl", "it.jsonl")
ODD = (
    "", " ", "\t", "\u3000", "\u200b", "\u200b\u200b", "\r", "a\r", "\x00", "\x1c", "\x85", "\u2028", "a\u2028b",
    "\ud800", "x\udfffy", "\ufeff", "a\u200bb", "ＡＢＣ", "網(wǎng)站發(fā)布",
    "力量?!?/p>", "他說：“有力量?!?/p>", "?", "<tbody id=1>", "🎰🎰🎰",
    "\U0010ffff", "\u202eabc", "字" * 300, "word " * 200, "-", "|", "....", "0", "(", "\u0301",
    "한국어", "ไทย", "עברית", "हिन्दी",
)  # fmt: skip


@cache
def seed_pages() -> list[LabelledPage]:
    """All seed pages and loose lines."""
    return read_labelled([ROOT / "seeds"])


@cache
def tiny_pages() -> list[LabelledPage]:
    """Some pages and loose lines of two languages: enough of every kind to train on in seconds."""
    found = [read_labelled([ROOT / "seeds" / name]) for name in TINY_FILES]
    whole = [page for pages_of_file in found for page in [p for p in pages_of_file if p.name][:5]]
    loose = [page for pages_of_file in found for page in [p for p in pages_of_file if not p.name][:60]]
    return [*whole, *loose]


@cache
def seed_lines() -> list[str]:
    """Every fifteenth seed line."""
    return [line.text for page in seed_pages() for line in page.lines if line.text.strip()][::15]


def text_of(page: LabelledPage) -> str:
    """A labelled page as it was scraped."""
    return "\n".join(line.text for line in page.lines)


any_text = st.text(st.characters(codec=None), max_size=60)
"""Any code points, lone surrogates and line feeds among them."""
lines = st.one_of(
    st.sampled_from(seed_lines()),
    st.sampled_from(ODD),
    st.text(st.characters(blacklist_characters="\n"), max_size=30),
)
"""A line as it might be found, or should not be."""
pages = st.one_of(
    st.builds(
        lambda ls, ending: "\n".join(ls) + ending,
        st.lists(lines, max_size=14),
        st.sampled_from(("", "\n", "\n\n", "\r\n")),
    ),
    any_text,
    st.sampled_from([text_of(page) for page in seed_pages() if page.name][::9]),
)
"""A page: of seed lines and odd ones, of anything, or a seed page."""
