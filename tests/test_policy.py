from __future__ import annotations

import pytest

from filter.errors import ModelError, PagefilterError
from filter.labels import FURNITURE, GENUINE, INJECTED, LABELS
from filter.policy import POLICIES, make_policy

OTHERS = {
    "points": [
        {"loss": 0.001, "injected": 0.9, "furniture": 0.8, "junk": 0.97, "alone": 0.95},
        {"loss": 0.01, "injected": 0.5, "furniture": 0.6, "junk": 0.7, "alone": 0.55},
    ],
    "spam_page": 0.4,
}
CARD = {
    "thresholds": {
        "careful": {"injected": 0.9, "furniture": 0.8, "junk": 0.97, "alone": 0.95},
        "balanced": {"injected": 0.6, "furniture": 0.5, "junk": 0.97, "alone": 0.95},
        "spam-only": {"injected": 0.9, "furniture": 2.0, "junk": 2.0, "alone": 0.95},
    },
    **OTHERS,
}


@pytest.mark.parametrize("name", POLICIES)
def test_thresholds_come_from_the_card(name):
    policy = make_policy(name, CARD)
    assert policy.name == name
    for kind, threshold in CARD["thresholds"][name].items():
        assert getattr(policy, kind) == threshold
    assert policy.spam_page == 0.4


@pytest.mark.parametrize(("asked", "injected"), [(0.001, 0.9), (0.009, 0.9), (0.01, 0.5), (0.5, 0.5)])
def test_another_loss_takes_the_next_smaller_point(asked, injected):
    assert make_policy("careful", CARD, max_loss=asked).injected == injected


def test_another_loss_never_drops_what_the_policy_keeps():
    policy = make_policy("spam-only", CARD, max_loss=0.01)
    assert (policy.injected, policy.furniture, policy.junk) == (0.5, 2.0, 2.0)


@pytest.mark.parametrize("asked", [0.0, 0.0009, 1.0, -1, float("nan")])
def test_a_loss_out_of_reach_is_named(asked):
    with pytest.raises(PagefilterError, match=r"choose one from 0\.001 to below 1"):
        make_policy("careful", CARD, max_loss=asked)


def test_a_second_opinion_has_thresholds_of_its_own():
    card = {
        **CARD,
        "second_opinion": {**OTHERS, "thresholds": {"careful": {**CARD["thresholds"]["careful"], "injected": 0.7}}},
    }
    assert make_policy("careful", card, second_opinion=True).injected == 0.7
    with pytest.raises(ModelError):
        make_policy("careful", CARD, second_opinion=True)


def test_article_and_metadata_stay_by_default():
    for name in ("careful", "balanced"):
        assert make_policy(name, CARD).dropped == {*FURNITURE, *INJECTED}
    assert make_policy("spam-only", CARD).dropped == set(INJECTED)


def test_only_keeps_nothing_else():
    assert make_policy("careful", CARD, only=["article"]).dropped == set(LABELS) - {"article"}


def test_keep_and_drop_change_the_default():
    policy = make_policy("careful", CARD, keep=["navigation"], drop=["metadata"])
    assert policy.dropped == ({*FURNITURE, *INJECTED} - {"navigation"}) | {"metadata"}
    assert make_policy("careful", CARD, only=["article"], keep=["metadata"]).dropped == set(LABELS) - set(GENUINE)
    assert "navigation" in make_policy("spam-only", CARD, drop=["navigation"]).dropped


@pytest.mark.parametrize("names", [{"only": ["spam"]}, {"keep": ["Article"]}, {"drop": [""]}, {"keep": ["blank"]}])
def test_an_unknown_label_is_named(names):
    with pytest.raises(PagefilterError, match="unknown label"):
        make_policy("careful", CARD, **names)


def test_an_unknown_policy_is_named():
    with pytest.raises(PagefilterError, match="unknown policy 'bold'; the policies are careful, balanced, spam-only"):
        make_policy("bold", CARD)


@pytest.mark.parametrize("names", [{"keep": ["advert"], "drop": ["advert"]}, {"only": ["advert"], "drop": ["advert"]}])
def test_a_label_cannot_be_kept_and_dropped(names):
    with pytest.raises(PagefilterError, match="both kept and dropped"):
        make_policy("careful", CARD, **names)


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"thresholds": {}},
        {"thresholds": None},
        {"thresholds": {"careful": {"injected": 0.9}}},
        {"thresholds": {"careful": {"injected": "x", "furniture": 1}}},
        {"thresholds": CARD["thresholds"]},
    ],
)
def test_a_card_without_thresholds_is_a_model_error(card):
    with pytest.raises(ModelError, match="thresholds"):
        make_policy("careful", card)
