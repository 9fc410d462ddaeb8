from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import ROOT, lines, tiny_pages

from filter.errors import LabelledDataError
from filter.io.labelled import LabelledLine, LabelledPage
from filter.labels import INJECTED, LABELS
from filter.model import Model, load_model
from filter.ngrams import N_BUCKETS, line_buckets
from filter.segment import fold, segment
from filter.training import as_training_set, lexicon, look, train
from filter.training.compose import BLANK_LINE, SetPage, compose
from filter.training.lexicon import design_matrix

TWICE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from material import tiny_pages
from filter.training import as_training_set, train
train(tiny_pages(), scratch=True, seed=int(sys.argv[3])).save(Path(sys.argv[1]))
"""


def trained(folder: Path, hash_seed: str, seed: int = 0) -> bytes:
    subprocess.run(
        [sys.executable, "-c", TWICE, str(folder), str(ROOT / "tests"), str(seed)],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
    )
    return (folder / "weights.npz").read_bytes() + (folder / "card.json").read_bytes()


def test_the_same_lines_give_the_same_bytes(tiny_model, tmp_path):
    tiny_model.save(tmp_path / "here")
    here = (tmp_path / "here" / "weights.npz").read_bytes() + (tmp_path / "here" / "card.json").read_bytes()
    assert trained(tmp_path / "one", "1") == trained(tmp_path / "two", "2") == here


def test_another_seed_gives_another_model(tiny_model, tmp_path):
    other = train(tiny_pages(), scratch=True, seed=1)
    assert other.card["seed"] == 1
    assert not np.array_equal(other.label_head.hidden, tiny_model.label_head.hidden)


@given(st.lists(lines, max_size=12))
def test_features_are_the_windows_of_each_line(texts):
    matrix = design_matrix(texts)
    assert matrix.shape == (len(texts), N_BUCKETS)
    for row, text in enumerate(texts):
        buckets, _ = line_buckets(fold(segment([text])))
        own = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
        assert sorted(own.tolist()) == sorted(buckets.tolist())
        values = matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]
        assert np.allclose(values, 1 / np.sqrt(max(len(buckets), 1)))


def one(text: str, label: str) -> LabelledPage:
    return LabelledPage("", (LabelledLine(text, label),))


@pytest.mark.parametrize("labels", [("article", "metadata"), ("spam_adult", "navigation"), ("article",), ()])
@pytest.mark.parametrize("scratch", [True, False])
def test_nothing_to_tell_apart_is_an_error(labels, scratch, monkeypatch, tiny_model):
    monkeypatch.setattr("filter.training.model.load_model", lambda folder: tiny_model)
    with pytest.raises(LabelledDataError, match="genuine"):
        train([one(f"line {label}", label) for label in labels], scratch=scratch)


def test_two_lines_are_enough_to_train_from_nothing():
    model = train([one("Buy zorblax now", "spam_other"), one("The mayor opened the hall.", "article")], scratch=True)
    assert model.card["lines"] == {"article": 1, "spam_other": 1}


def test_training_on_top_learns_what_is_new_and_leaves_the_rest(tiny_model: Model, monkeypatch):
    monkeypatch.setattr("filter.training.model.load_model", lambda folder: tiny_model)
    monkeypatch.setattr("filter.training.adapt.shipped_seeds", lambda: as_training_set(tiny_pages()))
    taught = train([one("zorblax qimwen vendilux", "spam_other"), one("The mayor opened the hall.", "article")])
    assert taught.lexicon.pair.dtype == np.int8
    assert not np.array_equal(taught.lexicon.pair[:, 0], tiny_model.lexicon.pair[:, 0])
    assert np.array_equal(taught.lexicon.pair[:, 1], tiny_model.lexicon.pair[:, 1]), "no line of furniture was given"
    assert taught.page_model.second is tiny_model.page_model.second
    assert taught.card["base_weights_sha256"] == tiny_model.digest
    assert taught.card["lines"] == {"article": 1, "spam_other": 1}


def test_a_trained_model_knows_what_it_was_taught(tiny_model: Model, tmp_path):
    from filter.pipeline import PageFilter
    from filter.policy import make_policy

    page_filter = PageFilter(tiny_model, make_policy("balanced", tiny_model.card))
    pages = [page for page in tiny_pages() if page.name]
    caught = kept = spam = genuine = 0
    for page in pages:
        verdicts = page_filter.clean("\n".join(line.text for line in page.lines)).lines
        for line, verdict in zip(page.lines, verdicts, strict=False):
            spam += line.label in INJECTED
            caught += line.label in INJECTED and not verdict.kept
            genuine += line.label == "article"
            kept += line.label == "article" and verdict.kept
    assert caught > 0.8 * spam
    assert kept > 0.9 * genuine


def composed(seed: int) -> tuple[list[SetPage], list[str], list[SetPage]]:
    labels = ["article"] * 30 + ["spam_adult"] * 10 + ["navigation", "metadata", "boilerplate", "advert"] * 5
    families = [f"f{i // 5}" for i in range(len(labels))]
    languages = ["en" if i % 2 else "zh" for i in range(len(labels))]
    pages = [SetPage("p", "en", (0, 1, BLANK_LINE, 2)), SetPage("q", "", (3, 30, 4))]
    loose = [i for i in range(len(labels)) if i not in {0, 1, 2, 3, 4, 30}]
    return compose(pages, loose, labels, families, languages, seed), labels, pages


def test_composing_is_the_same_for_the_same_seed():
    assert composed(3)[0] == composed(3)[0]
    assert composed(3)[0] != composed(4)[0]


def test_composed_pages_hold_the_given_ones_and_only_known_lines():
    found, labels, pages = composed(0)
    assert found[: len(pages)] == pages
    assert all(BLANK_LINE <= index < len(labels) for page in found for index in page.lines)
    assert all(page.lines for page in found)


def test_some_composed_pages_have_junk_and_some_have_none():
    found, labels, _ = composed(0)
    more = [page for page in found if page.name.endswith("+")]
    junk = [any(index >= 0 and labels[index] in INJECTED for index in page.lines) for page in more]
    assert any(junk)


def test_some_composed_pages_are_a_few_lines_in_a_row_of_an_author_and_what_was_set_in():
    found, labels, _ = composed(0)
    short = [page for page in found if page.inserted and 2 <= len(page.lines) - len(page.inserted) <= 8]
    own = [[index for index in page.lines if index >= 0 and index not in page.inserted] for page in short]
    bare = [lines for lines in own if lines and all(labels[index] in ("article", "metadata") for index in lines)]
    assert len(bare) > 100
    assert any(labels[i] in INJECTED for page in short for i in page.inserted)


def test_every_label_has_a_threshold_or_none(tiny_model: Model):
    for policy in tiny_model.card["thresholds"].values():
        assert 0.5 <= policy["injected"] <= 2
        assert 0.5 <= policy["furniture"] <= 2
    assert set(tiny_model.card["lines"]) <= set(LABELS) | {"blank"}


@pytest.mark.skipif(
    not (ROOT / "models" / "default" / "card.json").is_file(), reason="the shipped model has not been built"
)
def test_the_shipped_card_says_what_it_was_made_of():
    card = load_model(ROOT / "models" / "default").card
    assert {source["name"] for source in card["sources"]} >= {"seeds"}
    assert all(source["licence"] for source in card["sources"])
    assert {"python", "numpy", "scikit-learn"} <= set(card["versions"])
    assert card["metrics"]


def test_extracted_pages_come_back_with_lines_set_in():
    labels = ["article"] * 30 + ["furniture"] * 30 + ["spam_other"] * 6
    families = [f"f{i}" for i in range(len(labels))]
    languages = ["en"] * len(labels)
    pages = [SetPage("found", "en", tuple(range(60)), written=False), SetPage("own", "en", tuple(range(30)))]
    found = compose(pages, list(range(60, 66)), labels, families, languages, 0)
    again = [page for page in found if page.name == "found+"]
    assert len(again) > 300
    assert all(page.inserted and page.inserted <= set(page.lines) for page in again)


def test_lines_near_what_was_set_in_are_those_of_the_same_page():
    marked, page = np.zeros(60, bool), np.repeat([0, 1], 30)
    marked[[2, 31]] = True
    near = look._near(marked, page)
    assert near[:15].all()
    assert not near[15:30].any()
    assert near[30:44].all()
    assert not near[44:].any()


def test_both_looks_standardise_alike(tiny_model):
    first, second = tiny_model.page_model.first, tiny_model.page_model.second
    assert np.array_equal(first.mean, second.mean[: len(first.mean)])
    assert np.array_equal(first.step, second.step[: len(first.step)])


def test_labels_of_a_kind_are_told_from_each_other_alone():
    texts = ["win the jackpot", "spin and win", "hot girls tonight", "girls near you", "about us", "the mayor spoke"]
    labels = np.array(["spam_gambling"] * 2 + ["spam_adult"] * 2 + ["navigation", "article"])
    weights, bias = lexicon.fit_labels(design_matrix(texts), labels, np.ones(6), np.arange(6), 0)
    gambling, adult = (LABELS.index(f"spam_{kind}") for kind in ("gambling", "adult"))
    assert np.allclose(weights[:, gambling], -weights[:, adult])
    assert np.abs(weights[:, adult]).max() > 0
    assert not weights[:, LABELS.index("article")].any()
    assert bias[LABELS.index("residue")] < bias[LABELS.index("article")]


def test_written_pages_come_without_their_furniture_too():
    labels = ["navigation"] * 3 + ["article"] * 5 + ["boilerplate"] * 3
    pages = [SetPage(f"p{k}", "en", tuple(range(11))) for k in range(40)]
    found = compose(pages, [], labels, [f"f{i}" for i in range(11)], ["en"] * 11, 0)
    bare = [page for page in found if page.lines == tuple(range(3, 8))]
    assert 5 < len(bare) < 35
    assert all(page.name.endswith("+") for page in bare)
