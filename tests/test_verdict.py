"""What a page is as a whole."""

from __future__ import annotations

import pickle

import numpy as np
from cli_support import shipped_model

from filter import PageFilter
from filter.labels import FURNITURE, INJECTED
from filter.model import Model
from filter.pipeline import PageFilter as Filter
from filter.policy import NEVER, Policy
from filter.verdict import CLEAN, EMPTY, INJECTED_INTO, SPAM, spam_scores, verdicts


def judged(injected: list[float], gone: list[bool], was_injected: list[bool], threshold: float = 0.5) -> str:
    chances, page = np.array(injected, np.float32), np.zeros(len(injected), np.int64)
    mass = np.full(len(injected), 10.0)
    scores = spam_scores(chances, chances, mass, page, 1)
    return verdicts(scores, threshold, mass, np.array(gone, bool), np.array(was_injected, bool), page)[0][0]


def test_the_four_verdicts() -> None:
    assert judged([], [], []) == EMPTY
    assert judged([0.1, 0.1], [False, True], [False, False]) == CLEAN
    assert judged([0.9, 0.0], [True, False], [True, False], 0.8) == INJECTED_INTO
    assert judged([0.9, 0.1], [True, True], [True, False], 0.99) == SPAM, "nothing is left"
    assert judged([0.6, 0.6], [False, False], [False, False]) == SPAM, "no line is certain, the page is"


def test_furniture_does_not_make_a_spam_page_clean() -> None:
    injected, junk = np.array([0.9, 0.0], np.float32), np.array([0.95, 0.99], np.float32)
    score = spam_scores(injected, junk, np.array([100.0, 1000.0]), np.zeros(2, np.int64), 1)
    assert score[0] > 0.8


def test_every_page_of_a_batch_has_its_own(tiny_model: Model) -> None:
    policy = Policy("balanced", 0.3, NEVER, NEVER, 0.3, frozenset(FURNITURE + INJECTED), NEVER)
    pages = list(
        Filter(tiny_model, policy).clean_many(["", "  \n", "The council met on Tuesday to discuss the bridge."])
    )
    assert [page.verdict for page in pages] == [EMPTY, EMPTY, CLEAN]
    assert [page.junk_share for page in pages] == [0.0, 0.0, 0.0]


def test_it_survives_pickling(tiny_model: Model) -> None:
    page = Filter(tiny_model, Policy("x", 0.0, 0.0, 0.0, 0.0, frozenset(FURNITURE + INJECTED), 0.0)).clean(
        "Hot odds here"
    )
    again = pickle.loads(pickle.dumps(page))
    assert (again.verdict, again.junk_share) == (page.verdict, page.junk_share) == (SPAM, page.junk_share)


@shipped_model
def test_a_doorway_page_is_spam_and_an_article_is_not() -> None:
    page_filter = PageFilter.load()
    doorway = "\n".join((
        "欧美性爱视频在线_国产av无码_久久精品免费看", "Best online casino bonus 2026, no deposit free spins, slots real money jackpot",
        "buy viagra cialis online without prescription cheap pills overnight", "澳门百家乐 真人荷官 注册送彩金 棋牌 捕鱼",
        "토토사이트 카지노 바카라 먹튀검증 안전놀이터 추천",
    ))  # fmt: skip
    article = "The ferry to the island runs twice a day in winter.\nTickets are sold on board, and dogs travel free."
    assert [page.verdict for page in page_filter.clean_many([doorway, article])] == [SPAM, CLEAN]
