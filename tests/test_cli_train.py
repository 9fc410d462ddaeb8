"""`pagefilter train` and `pagefilter evaluate`: what they are given, and what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cli_support import Cli, FakeFilter

from filter.io.labelled import LabelledPage

LABELLED = "text,label\nThe library opens at nine.,article\nHome > News,navigation\nA > B,navigation\n"


@dataclass
class FakeModel:
    """Is saved as one file."""

    lines: int

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "card.json").write_text(str(self.lines))


@dataclass
class Calls:
    seen: list[dict[str, Any]] = field(default_factory=list)

    def train(self, pages: Sequence[LabelledPage], *, scratch: bool = False, seed: int = 0) -> FakeModel:
        self.seen.append({"pages": pages, "scratch": scratch})
        return FakeModel(sum(len(page.lines) for page in pages))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Calls:
    calls = Calls()
    monkeypatch.setitem(__import__("sys").modules, "filter.training", SimpleNamespace(train=calls.train))
    monkeypatch.setattr("filter.PageFilter", FakeFilter)
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text(LABELLED)
    return calls


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Cli:
    return Cli(monkeypatch, capfdbinary)


@pytest.mark.parametrize(("options", "scratch"), [([], False), (["--scratch"], True)])
def test_train_says_what_it_learned(cli: Cli, calls: Calls, options: list[str], scratch: bool) -> None:
    result = cli("train", "mine.csv", "--out", "models/mine", *options)
    assert (result.code, result.out) == (0, "")
    assert re.fullmatch(
        r"pagefilter: 3 lines \(2 navigation, 1 article\) learned in [\d.]+ s; the model is in models/mine\n",
        result.err,
    )
    assert calls.seen[0]["scratch"] is scratch
    assert Path("models/mine/card.json").read_text() == "3"


def test_a_model_is_replaced(cli: Cli, calls: Calls) -> None:
    for _ in range(2):
        assert cli("train", "mine.csv", "--out", "mine").code == 0


def test_whole_pages_are_counted(cli: Cli, calls: Calls) -> None:
    rows = [{"text": text, "label": label, "page": "p"} for text, label in [("One.", "article"), ("Two", "advert")]]
    Path("pages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "(1 article, 1 advert; whole pages: 1)" in cli("train", "pages.jsonl", "--out", "mine").err


def test_evaluate_prints_a_table(cli: Cli, calls: Calls) -> None:
    result = cli("evaluate", "mine.csv", "--policy", "balanced")
    assert (result.code, result.err) == (0, "")
    assert "3 lines, 3 pages, policy balanced" in result.out
    assert "genuine lines lost   0 of 1" in result.out


def test_evaluate_prints_json(cli: Cli, calls: Calls) -> None:
    assert json.loads(cli("evaluate", "mine.csv", "--json").out)["lines"] == 3
