"""Pages whose line breaks say nothing: one line, and lines cut at a fixed width."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import pages, seed_pages, text_of
from test_pipeline import check_contract
from test_restore import receipts_of

from filter import reflow
from filter.labels import RESIDUE
from filter.page import Span, apply_spans
from filter.pipeline import PageFilter, as_judged, judged
from filter.restore import restore, restore_some

HONEST = [
    "The library opens at nine on weekdays and closes when the last reader has found his umbrella.",
    "A new shelf for maps stands beside the window, where the light is best in the morning.",
    "Mrs Aldous reads to the children on Wednesdays, and brings her own chair.",
    "Books that were borrowed before the flood may be returned without a fine.",
    "In the back room the parish registers are kept in tin boxes, with a pair of cotton gloves on top.",
    "Whoever wants to see them asks at the desk and signs the yellow book.",
    "The heating was mended in October; it knocks, but it warms.",
    "Between two and four the reading room belongs to the school, and nobody expects silence.",
    "A ladder leads to the gallery, where the bound newspapers begin with the year of the great frost.",
    "Please leave wet coats in the porch.",
    "Last winter a reader found a pressed gentian in a volume of sermons and gave it to the museum.",
    "The museum put it under glass, next to the key of the old lock-up.",
    "On the first Saturday of the month damaged covers are sewn and glued in the cellar by volunteers.",
    "They have mended four hundred books since the spring and lost one pair of spectacles.",
    "The garden behind the building has a bench that was carved from the elm which fell on the roof.",
    "It is the best place for long novels, except when the bees are swarming.",
    "Suggestions for new books go into the box by the stairs, and every one of them is answered.",
    "The catalogue is still on cards, and Mr Penhale, who wrote most of them, likes to be asked.",
    "He retired twelve years ago and comes in every day.",
    "When the lamp over the door is lit, there is somebody in.",
]
JUNK = "亚洲精品一区二区三区在线观看 国产成人免费视频 久久久精品。"
WHOLE = [text_of(page) for page in seed_pages() if page.name][::7]


def one_line(text: str) -> str:
    return " ".join(line.strip() for line in text.split("\n") if line.strip())


def wrapped(text: str) -> str:
    return "\n".join("\n".join(textwrap.wrap(line, 72)) for line in text.split("\n"))


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short lines are whole pages, so that any page may be one."""
    monkeypatch.setattr(reflow, "ONE_LINE", 20)
    monkeypatch.setattr(reflow, "FEWEST_LINES", 3)
    monkeypatch.setattr(reflow, "NARROWEST", 5)


def test_a_page_on_one_line_is_judged_by_its_sentences():
    text, flow = as_judged(" ".join(HONEST))
    assert flow is not None
    assert text.split("\n") == HONEST


def test_wrapped_lines_are_judged_by_their_paragraphs():
    paragraphs = [" ".join(HONEST[:4]), "A heading", " ".join(HONEST[4:9]), " ".join(HONEST[9:])]
    text, flow = as_judged(wrapped("\n\n".join(paragraphs)))
    assert flow is not None
    assert text == "\n\n".join(paragraphs)


LINES_OF_AN_AUTHOR = {
    "no blanks, one line of another script": [
        "村图书室恢复开放",
        "各位居民：",
        "屋顶维修已经完工，图书室自五月六日起恢复开放。",
        "Find the finest roulette tables of the whole coast at casino.example tonight.",
        "开放时间为周二至周日上午九点到下午五点，周一闭馆整理。",
        "新到儿童绘本一百二十册，可凭借书证外借两周。",
        "请大家爱护图书，不要在书上涂画，也不要折角。",
    ],
    "phrases without blanks": [
        "ห้องสมุดประจำหมู่บ้านเปิดให้บริการอีกครั้งแล้ว",
        "เปิดวันอังคารถึงวันอาทิตย์เก้าโมงเช้าถึงห้าโมงเย็นหยุดวันจันทร์",
        "ขอเชิญพี่น้องมาอ่านหนังสือพิมพ์และดื่มน้ำชาด้วยกัน",
        "เด็กยืมหนังสือนิทานกลับบ้านได้คนละสองเล่มต่อสัปดาห์",
        "กรุณาอย่าพับมุมหนังสือและอย่าเขียนอะไรลงในหนังสือ",
        "ขอบคุณทุกท่านที่ช่วยกันซ่อมหลังคาเมื่อเดือนที่แล้ว",
    ],
    "a table of one width": [
        "Single flue, open hearth ............ 62 €",
        "Insert or wood stove ................ 74 €",
        "Pellet stove, tee taken off ......... 98 €",
        "Second flue on the same day ......... 35 €",
        "Mechanical removal of tar ..... on request",
        "Certificate for the insurance .. included",
    ],
    "a sentence a line, all about as long": [
        "The slates on the north side had been slipping since autumn.",
        "Three roofers came to look, and only one went up the ladder.",
        "He found a nest of jackdaws and a hymn book from the spire.",
        "Work began on a Monday in June and took nine days in all.",
        "The fund paid for half of it, and the jumble sale for more.",
        "Thanks to everybody who carried slates, or brought some tea.",
    ],
}


@pytest.mark.parametrize("lines", LINES_OF_AN_AUTHOR.values(), ids=LINES_OF_AN_AUTHOR.keys())
def test_lines_that_fill_the_width_by_chance_are_an_authors(lines: list[str]) -> None:
    assert as_judged("\n".join(lines))[1] is None


def test_wrapped_text_without_blanks_is_judged_by_its_paragraphs():
    paragraph = "人心不会熄灭，但它可能蒙上灰烬而不再燃烧。" * 30
    text, flow = as_judged(wrapped("标题\n\n" + paragraph))
    assert flow is not None
    assert len(text.split("\n")) < 8


@pytest.mark.parametrize("text", WHOLE[:40])
def test_pages_of_lines_are_judged_by_their_lines(text: str):
    assert as_judged(text)[1] is None or max(map(len, text.split("\n"))) >= reflow.ONE_LINE


def test_junk_goes_from_a_page_on_one_line_and_the_rest_joins_as_it_was():
    page_filter = PageFilter.load()
    page = page_filter.clean(" ".join([*HONEST[:9], JUNK, *HONEST[9:]]))
    assert page.text == " ".join(HONEST)
    (line,) = page.lines
    assert line.kept
    assert apply_spans(line.text, line.spans) == page.text
    assert [span.label.split("_")[0] for span in line.spans] == ["spam"]
    assert page.verdict == "injected"


def test_a_paragraph_goes_with_all_its_lines(eager: PageFilter):
    kept = {}
    for text in map(wrapped, WHOLE):
        flow = as_judged(judged(text))[1]
        if flow is None:
            continue
        page = eager.clean(text)
        of_line = {int(start): line.kept for start, line in zip(flow.line_starts, page.lines, strict=True)}
        for start, end in zip(flow.starts.tolist(), flow.ends.tolist(), strict=True):
            own = {verdict for place, verdict in of_line.items() if start <= place <= end}
            assert len(own) == 1
            kept[own.pop()] = True
    assert set(kept) == {True, False}, "paragraphs that go and paragraphs that stay are needed to show anything"


@given(pages, st.booleans())
@pytest.mark.usefixtures("short_pages")
def test_the_contract_holds(eager: PageFilter, text: str, joined: bool):
    page = one_line(text) if joined else wrapped(text)
    check_contract(page, eager.clean(page))


@given(pages)
@pytest.mark.usefixtures("short_pages")
def test_text_is_the_same_whether_lines_are_asked_for_or_not(eager: PageFilter, text: str):
    (page,) = eager.clean_many([one_line(text)])
    assert page.text == eager.clean(one_line(text)).text
    check_contract(one_line(text), page)


def test_glosses_beside_what_is_cut_are_mended(eager: PageFilter, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reflow, "ONE_LINE", 20)
    text = (
        "網(wǎng)站發(fā)布了新的產(chǎn)品目錄。" * 3
        + "澳门娱乐城送彩金。"
        + "請到門衛(wèi)室登記，電(diàn)話在牆上。" * 3
    )
    page = eager.clean(text)
    check_contract(text, page)
    for line in page.lines:
        assert all(span.replacement == "" for span in line.spans)


@given(st.lists(st.tuples(st.text("ab", max_size=4), st.text("xy", max_size=3)), min_size=1, max_size=6))
def test_places_of_mended_text_are_found_again(parts):
    came, spans, mended, places = "", [], "", []
    for honest, damage in parts:
        places.append((len(mended), len(came)))
        came, mended = came + honest, mended + honest
        if damage:
            spans.append(Span(len(came), len(came) + len(damage), RESIDUE))
        came += damage
    for place in range(len(mended)):
        at = reflow.before_repairs(place, spans, is_end=False)
        assert came[at] == mended[place]
    for place in range(1, len(mended) + 1):
        assert came[reflow.before_repairs(place, spans, is_end=True) - 1] == mended[place - 1]


def test_what_was_cut_comes_back():
    page_filter = PageFilter.load()
    text = " ".join([*HONEST[:9], JUNK, *HONEST[9:]])
    receipt, clean, _ = receipts_of(page_filter, text.encode(), same=False)
    assert clean.decode() == " ".join(HONEST)
    assert restore(receipt, clean).decode() == text
    assert restore_some(receipt, clean, lambda number, label: label == "navigation") == clean
    assert restore_some(receipt, clean, lambda number, label: label.startswith("spam")).decode() == text


def test_a_page_on_one_line_is_explained():
    page_filter = PageFilter.load()
    (explanation,) = page_filter.explain(" ".join([*HONEST[:9], JUNK, *HONEST[9:]]))
    assert explanation.line.spans
    assert explanation.reasons
