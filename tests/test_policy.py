from __future__ import annotations

import pytest

from filter.errors import ModelError, PagefilterError
from filter.labels import FURNITURE, GENUINE, INJECTED, LABELS
from filter.policy import POLICIES, make_policy

CARD = {
    "thresholds": {
        "careful": {"injected": 0.9, "furniture": 0.8, "junk": 0.97},
        "balanced": {"injected": 0.6, "furniture": 0.5, "junk": 0.97},
        "spam-only": {"injected": 0.9, "furniture": 2.0, "junk": 0.97},
    }
}


@pytest.mark.parametrize("name", POLICIES)
def test_thresholds_come_from_the_card(name):
    policy = make_policy(name, CARD)
    assert policy.name == name
    assert {"injected": policy.injected, "furniture": policy.furniture, "junk": policy.junk} == CARD["thresholds"][name]


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
    ],
)
def test_a_card_without_thresholds_is_a_model_error(card):
    with pytest.raises(ModelError, match="thresholds"):
        make_policy("careful", card)
