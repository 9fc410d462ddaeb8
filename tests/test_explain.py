from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from material import pages, seed_lines, seed_pages, text_of

from filter.classify import lexical_context
from filter.context import LineOrder, surroundings
from filter.explain import N_REASONS, _causes, _ngram_terms, _page_terms, _window_places, explain_page
from filter.labels import GENUINE, INJECTED
from filter.ngrams import line_buckets, score_lines, window_counts
from filter.page import apply_spans
from filter.page_model import SURROUNDINGS
from filter.pipeline import PageFilter
from filter.repairs import find_repairs
from filter.segment import fold, segment
from filter.site import Evidence

WHOLE = [text_of(page) for page in seed_pages() if page.name][::12]


@given(pages)
def test_every_line_of_any_page_is_explained(eager: PageFilter, text):
    found = eager.explain(text)
    assert [explanation.line for explanation in found] == eager.clean(text).lines
    for explanation in found:
        assert len(explanation.reasons) <= N_REASONS
        if explanation.line.label == "blank":
            assert explanation.reasons == ()


@pytest.mark.parametrize("text", WHOLE)
def test_reasons_speak_for_the_verdict_strongest_first(eager: PageFilter, text):
    for explanation in eager.explain(text):
        weights = [reason.weight for reason in explanation.reasons]
        sign = -1 if explanation.line.label in GENUINE else 1
        assert all(weight * sign > 0 for weight in weights)
        assert weights == sorted(weights, key=lambda weight: -weight * sign)


@pytest.mark.parametrize("text", WHOLE)
def test_named_ngrams_stand_in_the_line(eager: PageFilter, text):
    mended = apply_spans(text, find_repairs(text)).split("\n")
    for explanation in eager.explain(text):
        for reason in explanation.reasons:
            assert reason.kind in ("n-gram", "page")
            assert reason.name.strip()
            if reason.kind == "n-gram":
                assert reason.name in mended[explanation.line.number]


@pytest.mark.parametrize("text", [*seed_lines()[::15], "a", "ab", "ＡＢ", "a\u200bb"])
@pytest.mark.parametrize("column", [0, 1])
def test_ngram_terms_add_up_to_the_lexical_score(tiny_model, text, column):
    folded = fold(segment([text]))
    scale = tiny_model.lexicon.pair_scale[column] / np.sqrt(max(int(window_counts(folded)[0]), 1))
    expected = score_lines(folded, tiny_model.packed)[0, column] * scale
    terms = _ngram_terms(text, tiny_model.lexicon, column)
    unnamed = sum(
        float(tiny_model.lexicon.pair[bucket, column]) * scale
        for (start, length), bucket in zip(_window_places(len(folded.codes)), line_buckets(folded)[0], strict=True)
        if not "".join(map(chr, folded.codes[max(start, 1) : start + length])).strip("\n ")
    )
    assert sum(term.weight for term in terms) + unnamed == pytest.approx(expected, abs=0.0006 * len(terms) + 1e-3)


def test_reasons_are_those_of_the_mended_line(eager: PageFilter):
    damaged = "我們的網(wǎng)站發(fā)布了新的產(chǎn)品目錄，請大家在開(kāi)會(huì)前看一看。"
    mended = "我們的網站發布了新的產品目錄，請大家在開會前看一看。"
    assert eager.explain(damaged)[0].reasons == eager.explain(mended)[0].reasons


def test_no_reason_is_told_twice(eager: PageFilter):
    for text in WHOLE:
        for explanation in eager.explain(text):
            names = [reason.name for reason in explanation.reasons]
            assert len(set(names)) == len(names)


def test_without_a_named_ngram_the_lexical_score_falls(tiny_model, eager: PageFilter):
    asked = fell = 0
    for text in WHOLE:
        mended = apply_spans(text, find_repairs(text)).split("\n")
        for explanation in eager.explain(text):
            column = 0 if explanation.line.label in INJECTED else 1
            if explanation.line.label in GENUINE:
                continue
            line = mended[explanation.line.number]
            for reason in explanation.reasons:
                if reason.kind == "n-gram" and len(line) > 3 * len(reason.name):
                    before, after = (
                        float(score_lines(fold(segment([one])), tiny_model.packed)[0, column])
                        for one in (line, line.replace(reason.name, " "))
                    )
                    asked, fell = asked + 1, fell + (after < before)
    assert asked > 20
    # What stands there instead makes other n-grams with its neighbours, which may weigh more now and then.
    assert fell >= 0.9 * asked


def test_without_a_named_cause_on_the_page_the_odds_fall(tiny_model):
    seen = lexical_context(batch := segment([WHOLE[0]]), fold(batch), tiny_model)
    rows = np.arange(len(seen.lines))
    model = tiny_model.page_model
    around = surroundings(seen.order, model.first_odds(seen.values))
    whole = model.second_odds(seen.values, around)
    words, (columns, looks) = next(iter(_causes(seen.names).items()))
    values, without = seen.values.copy(), around.copy()
    values[:, columns] = model.first.mean[columns]
    without[:, looks] = 0
    own = [i for i, name in enumerate(SURROUNDINGS) if name.endswith("_look")]
    without[:, own] = surroundings(LineOrder.of(rows), model.first_odds(values))[:, own]
    fallen = (whole - model.second_odds(values, without)) * [model.injected.slope, model.furniture.slope]
    for row, both in enumerate(_page_terms(seen, model, rows, [""] * len(rows))):
        for verdict, terms in enumerate(both):
            told = {term.name: term.weight for term in terms}
            assert told.get(words, 0.0) == pytest.approx(fallen[row, verdict], abs=0.011)


def test_the_site_is_told_in_numbers(tiny_model, eager: PageFilter):
    text = "Menu of the harbour news\n\nThe mill was rebuilt in 1911 by two brothers from the next village."
    evidence = Evidence(*(np.array(values, np.float32) for values in ([0.5, 0, 0], [0.5, 0, 0], [82, 82, 82])))
    found = explain_page(eager.clean(text).lines, text, tiny_model, eager.settings, evidence, count=99)
    names = {reason.name for explanation in found for reason in explanation.reasons}
    assert names & {
        "the same line on 41 of 82 other pages of this site",
        "the same line on 0 of 82 other pages of this site",
    }
