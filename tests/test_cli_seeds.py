"""`pagefilter seeds check`: what is told of a labelled file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli

GOOD = {"text": "The mayor opened the hall.", "label": "article", "language": "en", "family": "en-news"}


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(monkeypatch, capfdbinary)


def write(folder: Path, *rows: dict[str, str]) -> None:
    (folder / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")


def test_a_good_file_is_counted(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    result = cli("seeds", "check", "mine.jsonl")
    assert result.code == 0
    assert result.out == ""
    assert result.err == "pagefilter: 1 lines, 1 families: 1 article; no problems\n"


def test_problems_are_told_by_row(cli: Cli, tmp_path: Path) -> None:
    write(
        tmp_path,
        GOOD,
        {**GOOD, "label": "spam"},
        {**GOOD, "text": "Visit www.lucky-cat.com"},
        {**GOOD, "label": "advert"},
    )
    result = cli("seeds", "check", "mine.jsonl")
    assert result.code == 1
    told = result.out.split("\n")[:-1]
    assert [line.split(": ")[0] for line in told] == ["mine.jsonl:2", "mine.jsonl:2", "mine.jsonl:4", "mine.jsonl:3"]
    assert "unknown label" in told[0]
    assert "decide for one" in told[1]
    assert "lucky-cat" in told[3]


def test_a_missing_file_is_one_sentence(cli: Cli) -> None:
    result = cli("seeds", "check", "none.jsonl")
    assert (result.code, result.out) == (1, "")
    assert result.err == "pagefilter: none.jsonl: no such file or folder\n"


def test_an_empty_file_is_one_sentence(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text("", encoding="utf8")
    assert "no labelled line" in cli("seeds", "check", "mine.jsonl").err


def test_wrong_usage(cli: Cli) -> None:
    assert cli("seeds", "check").code == 2
    assert cli("seeds", "nothing").code == 2
