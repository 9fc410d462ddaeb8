from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from material import seed_pages, text_of

from filter.errors import ModelError, OutputError
from filter.labels import FURNITURE, INJECTED
from filter.model import CARD, WEIGHTS, Model, load_model, shipped
from filter.pipeline import PageFilter
from filter.policy import Policy

EAGER = Policy("balanced", 0.3, 0.2, 0.2, 0.3, frozenset(FURNITURE + INJECTED))


@pytest.fixture
def saved(tiny_model: Model, tmp_path: Path) -> Path:
    tiny_model.save(tmp_path / "model")
    return tmp_path / "model"


def one_sentence(error: pytest.ExceptionInfo[BaseException], *words: str) -> None:
    message = str(error.value)
    assert "\n" not in message
    assert 10 < len(message) < 400
    assert not message.endswith(".")
    for word in words:
        assert word in message


def test_a_model_comes_back_as_it_was(tiny_model, saved):
    loaded = load_model(saved)
    texts = [text_of(page) for page in seed_pages() if page.name][:40]
    before, after = (list(PageFilter(model, EAGER).clean_many(texts)) for model in (tiny_model, loaded))
    assert [page.lines for page in before] == [page.lines for page in after]
    assert loaded.card["thresholds"] == tiny_model.card["thresholds"]


def test_scores_of_a_line_are_the_same_bits_in_any_batch(tiny_model):
    rng = np.random.default_rng(0)
    for part in (tiny_model.label_head, tiny_model.page_model.first, tiny_model.page_model.second):
        judge, rows = part.outputs, rng.normal(size=(700, len(part.mean)), scale=3).astype(np.float32)
        together = judge(rows)
        for size in (1, 2, 7, 64, 513):
            parts = [judge(rows[begin : begin + size]) for begin in range(0, len(rows), size)]
            assert np.array_equal(together, np.concatenate(parts))


def test_saving_twice_gives_the_same_bytes(tiny_model, saved, tmp_path):
    load_model(saved).save(tmp_path / "again")
    tiny_model.save(tmp_path / "once-more")
    for name in (WEIGHTS, CARD):
        assert (saved / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
        assert (saved / name).read_bytes() == (tmp_path / "once-more" / name).read_bytes()


def test_the_card_is_readable_and_holds_the_hash(saved):
    card = json.loads((saved / CARD).read_text(encoding="utf8"))
    assert (
        card["weights_sha256"] == hashlib.sha256((saved / WEIGHTS).read_bytes()).hexdigest() == load_model(saved).digest
    )
    assert {"versions", "seed", "thresholds", "sources", "format", "labels"} <= set(card)


def test_weights_hold_no_pickles(saved):
    with np.load(saved / WEIGHTS, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "iufU" for name in arrays.files)


def test_saving_replaces_a_model_and_leaves_nothing_else(tiny_model, saved):
    tiny_model.save(saved)
    assert sorted(path.name for path in saved.iterdir()) == sorted((CARD, WEIGHTS))
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_saving_refuses_a_folder_of_something_else(tiny_model, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mother.txt").write_text("Dear mother", encoding="utf8")
    with pytest.raises(OutputError) as error:
        tiny_model.save(tmp_path / "letters")
    one_sentence(error, "letters")
    assert (tmp_path / "letters" / "mother.txt").read_text(encoding="utf8") == "Dear mother"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything is writable here")
def test_saving_where_nothing_may_be_written_is_one_sentence(tiny_model, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError) as error:
        tiny_model.save(tmp_path / "model")
    one_sentence(error, "model")


def test_a_file_in_the_place_of_the_folder_is_one_sentence(tiny_model, tmp_path):
    (tmp_path / "model").write_text("", encoding="utf8")
    with pytest.raises(OutputError) as error:
        tiny_model.save(tmp_path / "model")
    one_sentence(error, "model")


def change_card(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    card = json.loads((folder / CARD).read_text(encoding="utf8"))
    change(card)
    (folder / CARD).write_text(json.dumps(card), encoding="utf8")


def put_weights(folder: Path, data: bytes) -> None:
    """Other weights, with a card that vouches for them."""
    (folder / WEIGHTS).write_bytes(data)
    change_card(folder, lambda card: card.update(weights_sha256=hashlib.sha256(data).hexdigest()))


def arrays_of(folder: Path) -> dict[str, Any]:
    with np.load(folder / WEIGHTS) as stored:
        return {name: stored[name] for name in stored.files}


def packed(arrays: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def cut_in_half(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


def drop_an_array(folder: Path) -> None:
    arrays = arrays_of(folder)
    del arrays["second.hidden"]
    put_weights(folder, packed(arrays))


def shrink_an_array(folder: Path) -> None:
    arrays = arrays_of(folder)
    arrays["lexicon.pair"] = arrays["lexicon.pair"][:100]
    put_weights(folder, packed(arrays))


def pickle_an_array(folder: Path) -> None:
    put_weights(folder, packed(arrays_of(folder) | {"lexicon.pair": np.array([{"a": 1}], dtype=object)}))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "weights missing": lambda folder: (folder / WEIGHTS).unlink(),
    "card missing": lambda folder: (folder / CARD).unlink(),
    "both missing": lambda folder: [path.unlink() for path in folder.iterdir()],
    "weights cut": cut_in_half,
    "weights empty": lambda folder: (folder / WEIGHTS).write_bytes(b""),
    "weights changed": lambda folder: (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-1] + b"x"),
    "card empty": lambda folder: (folder / CARD).write_text("", encoding="utf8"),
    "card cut": lambda folder: (folder / CARD).write_bytes((folder / CARD).read_bytes()[:90]),
    "card not UTF-8": lambda folder: (folder / CARD).write_bytes(b"\xff\xfe{}"),
    "card a list": lambda folder: (folder / CARD).write_text("[]", encoding="utf8"),
    "card of nothing": lambda folder: (folder / CARD).write_text("{}", encoding="utf8"),
    "another format": lambda folder: change_card(folder, lambda card: card.update(format=99)),
    "other labels": lambda folder: change_card(folder, lambda card: card.update(labels=["ham", "spam"])),
    "no hash": lambda folder: change_card(folder, lambda card: card.pop("weights_sha256")),
    "no archive": lambda folder: put_weights(folder, b"something else"),
    "archive cut": lambda folder: put_weights(folder, (folder / WEIGHTS).read_bytes()[:5000]),
    "an array missing": drop_an_array,
    "an array too short": shrink_an_array,
    "a pickle inside": pickle_an_array,
    "no folder": lambda folder: folder.rename(folder.with_name("elsewhere")),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_model_is_one_sentence(saved, damage):
    DAMAGE[damage](saved)
    with pytest.raises(ModelError) as error:
        PageFilter.load(saved)
    one_sentence(error, str(saved))


def test_a_file_instead_of_a_folder_is_one_sentence(tmp_path):
    (tmp_path / "model").write_text("", encoding="utf8")
    with pytest.raises(ModelError) as error:
        load_model(tmp_path / "model")
    one_sentence(error, "model")


def test_other_numbers_give_another_hash(tiny_model, saved, tmp_path):
    pair = tiny_model.lexicon.pair.copy()
    pair[0] ^= 1
    replace(tiny_model, lexicon=replace(tiny_model.lexicon, pair=pair)).save(tmp_path / "other")
    assert load_model(tmp_path / "other").digest != load_model(saved).digest


def test_shipped_folders_are_found():
    assert (shipped("seeds")).is_dir()


@pytest.mark.skipif(not (shipped("models") / "default" / CARD).is_file(), reason="the shipped model has not been built")
def test_the_shipped_model_is_small():
    folder = shipped("models") / "default"
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 4_000_000
