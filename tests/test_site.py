"""Counts of what comes back on the pages of a site."""

from __future__ import annotations

import numpy as np
import pytest
from cli_support import shipped_model
from hypothesis import given, settings
from hypothesis import strategies as st

from filter import PageFilter
from filter.errors import PagefilterError
from filter.segment import fold, segment
from filter.site import FEWEST_PAGES, MOST_PAGES, Evidence, SiteCounts
from filter.training.sites import drawn_evidence

MENU = "Home | Fishing | Tides"
STORIES = (
    "The red boat came in before the storm, with ice up to the gunwales.", "Nobody has repaired the slipway since the frost of 1986.",
    "A seal slept on the ferry pontoon all Sunday, and was fined nothing.", "Mussel prices fell again; the growers blame the warm autumn.",
    "The harbour master retires in May after thirty-one winters.", "Two students are counting eider ducks from the old signal station.",
    "Dredging begins at the northern mole as soon as the herring have gone.", "The chandlery has moved across the road, bell and cat included.",
    "Fog closed the port for nine hours on Thursday.", "Volunteers tarred the museum's smack and lost one brush to the sea.",
)  # fmt: skip
PAGES = [f"{MENU}\n{story}\n{other}" for story, other in zip(STORIES, (*STORIES[3:], *STORIES[:3]), strict=True)]
TEMPLATED = [f"{MENU}\nThe {word} boat came in before the storm.\nIce was loaded at the {word} quay." for word in
             ["red", "blue", "green", "white", "black", "grey", "brown", "long", "short", "old"]]  # fmt: skip


def evidence_of(texts: list[str], sites: list[str | None], counts: SiteCounts | None = None) -> list[Evidence]:
    """Evidence of each page, once all were counted."""
    counts = counts or SiteCounts()
    batch = segment(texts)
    counts.add(batch, fold(batch), sites)
    found = counts.evidence(batch, fold(batch), sites)
    return [found.of(slice(batch.first_line[i], batch.first_line[i + 1])) for i in range(len(texts))]


def test_a_line_of_every_page_is_told_from_one_of_its_own() -> None:
    for page in evidence_of(TEMPLATED, ["a"] * len(PAGES)):
        assert page.line.tolist() == [1, 0, 0]
        assert page.shingles[0] == 1
        assert page.shingles[1:].max() > 0, "turns of phrase come back, the lines do not"
        assert (page.pages == len(PAGES) - 1).all()


def test_pages_without_a_site_and_other_sites_say_nothing() -> None:
    sites = ["a", None] * 3 + ["b", "c", None, None]
    assert all(not page.line[1:].any() for page in evidence_of(PAGES, sites))
    lone = evidence_of(PAGES, [f"site {i}" for i in range(len(PAGES))])
    assert all(not page.pages.any() and not page.line.any() for page in lone)


@pytest.mark.parametrize("n_pages", range(1, FEWEST_PAGES))
def test_too_few_pages_say_nothing(n_pages: int) -> None:
    for page in evidence_of([PAGES[0]] * n_pages, ["a"] * n_pages):
        assert not page.pages.any()
        assert not page.line.any()


def test_pages_of_which_nothing_comes_back_say_nothing() -> None:
    texts = [f"Tale {number} of {'abcdefghij'[number]}" for number in range(10)]
    assert all(not page.pages.any() for page in evidence_of(texts, ["a"] * 10))


def test_the_order_of_pages_changes_nothing() -> None:
    forward = evidence_of(PAGES, ["a"] * len(PAGES))
    backward = evidence_of(PAGES[::-1], ["a"] * len(PAGES))[::-1]
    for one, other in zip(forward, backward, strict=True):
        np.testing.assert_array_equal(one.line, other.line)
        np.testing.assert_array_equal(one.shingles, other.shingles)


def test_a_page_counts_once_however_often_it_says_something() -> None:
    texts = [
        "Chorus\n" * 5 + "Verse one of the song",
        "Verse two of the song",
        "Verse three of the song",
        "Chorus\nend",
    ]
    first = evidence_of(texts, ["a"] * 4)[0]
    assert first.line[0] == pytest.approx(1 / 3)


def test_counting_stops_at_so_many_pages_of_a_site() -> None:
    counts = SiteCounts()
    for start in range(0, 2 * MOST_PAGES, 50):
        evidence_of([f"{MENU}\nPage {start + i} of the log book" for i in range(50)], ["a"] * 50, counts)
    last = evidence_of([f"{MENU}\nA last page"], ["a"], counts)[0]
    assert last.line.tolist() == [1, 0]
    assert last.pages[0] < MOST_PAGES + 50


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=60), st.sampled_from(["a", "b", None])), max_size=12))
def test_shares_are_shares_for_any_text(pages: list[tuple[str, str | None]]) -> None:
    texts, sites = [text for text, _ in pages], [site for _, site in pages]
    for page in evidence_of(texts, sites) if texts else []:
        for share in (page.line, page.shingles):
            assert ((share >= 0) & (share <= 1)).all()


def test_drawn_evidence_knows_menus_from_articles() -> None:
    rng = np.random.default_rng(0)
    label = np.tile([0, 2], 3000)
    found = drawn_evidence(label, np.repeat(np.arange(300), 20), np.full(6000, 80), 300, rng)
    known = found.pages > 0
    assert 0.2 < known.mean() < 0.4
    assert found.line[known & (label == 2)].mean() > 0.5 > 0.1 > found.line[known & (label == 0)].mean()


@shipped_model
def test_what_comes_back_makes_junk_of_a_menu_and_not_of_a_motto() -> None:
    page_filter = PageFilter.load()
    alone = [page.lines for page in page_filter.clean_many(PAGES)]
    on_site = [page.lines for page in page_filter.clean_many(PAGES, ["a"] * len(PAGES))]
    assert np.mean([lines[0].probability for lines in on_site]) > np.mean([lines[0].probability for lines in alone])
    for pages in (PAGES, TEMPLATED):
        assert all(
            page.lines[1].kept and page.lines[2].kept for page in page_filter.clean_many(pages, ["a"] * len(pages))
        )
    motto = [page.replace(MENU, "May the sea give back what it takes.") for page in PAGES]
    assert all(page.lines[0].kept for page in page_filter.clean_many(motto, ["a"] * len(PAGES)))


@shipped_model
def test_a_site_of_one_page_and_none_at_all_change_nothing() -> None:
    page_filter = PageFilter.load()
    alone = [page.text for page in page_filter.clean_many(PAGES)]
    assert [page.text for page in page_filter.clean_many(PAGES, [None] * len(PAGES))] == alone
    assert [page.text for page in page_filter.clean_many(PAGES, map(str, range(len(PAGES))))] == alone


@shipped_model
def test_a_site_whose_every_page_is_the_same_keeps_its_text() -> None:
    page = "The library opens at nine on weekdays and at ten on Saturdays, but not in August.\nBring a card, or a friend with one."
    assert {cleaned.text for cleaned in PageFilter.load().clean_many([page] * 40, ["a"] * 40)} == {page}


@shipped_model
@pytest.mark.parametrize("n_sites", [9, 11])
def test_texts_and_sites_must_go_together(n_sites: int) -> None:
    with pytest.raises(PagefilterError, match="every text needs a site"):
        list(PageFilter.load().clean_many(PAGES, ["a"] * n_sites))


@shipped_model
def test_lines_asked_for_later_know_the_site_too() -> None:
    page_filter = PageFilter.load()
    pages = list(page_filter.clean_many(PAGES, ["a"] * len(PAGES)))
    later = pages[0].lines[0].probability
    assert later == next(page_filter.clean_many(PAGES, ["a"] * len(PAGES))).lines[0].probability
