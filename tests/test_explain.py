from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from material import pages, seed_lines, seed_pages, text_of

from filter.explain import N_REASONS, _ngram_terms, _window_places
from filter.labels import GENUINE
from filter.ngrams import line_buckets, score_lines, window_counts
from filter.page import apply_spans
from filter.pipeline import PageFilter
from filter.repairs import find_repairs
from filter.segment import fold, segment

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
