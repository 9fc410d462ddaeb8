"""`pagefilter check`: a linter for injected lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import Cli

from filter.cli.findings import line_findings
from filter.page import Line, Span


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("good.txt").write_text("NAV Home\nWords.\n")
    Path("bad.txt").write_text("Words.\nSPAM " + "pills " * 20 + "\nBET \x1b[31mcasino\n")
    Path("bad.html").write_text("<div>Words.</div><div>BET casino</div>")
    return tmp_path


def test_what_is_injected_is_listed_by_line(cli: Cli, pages: Path) -> None:
    result = cli("check", "good.txt", "bad.txt", "bad.html")
    assert result.code == 1
    excerpt = ("SPAM " + "pills " * 20)[:60]
    assert result.out.split("\n") == [
        f"bad.txt:2: spam_adult 0.99 {excerpt}",
        "bad.txt:3: spam_gambling 0.99 BET \\x1b[31mcasino",
        "bad.html:2: spam_gambling 0.99 BET casino",
        "",
    ]
    assert result.err == ""


def test_a_clean_page_passes(cli: Cli, pages: Path) -> None:
    result = cli("check", "good.txt")
    assert (result.code, result.out, result.err) == (0, "", "")


def test_furniture_is_listed_on_demand_and_does_not_count(cli: Cli, pages: Path) -> None:
    result = cli("check", "--all", "good.txt")
    assert (result.code, result.out) == (0, "good.txt:1: navigation 0.99 NAV Home\n")


def test_standard_input_is_checked(cli: Cli) -> None:
    result = cli("check", stdin=b"SPAM x")
    assert (result.code, result.out) == (1, "-:1: spam_adult 0.99 SPAM x\n")


def test_an_error_is_told_beside_the_findings(cli: Cli, pages: Path) -> None:
    result = cli("check", "good.txt", "missing.txt")
    assert (result.code, result.out) == (1, "")
    assert result.err == "pagefilter: missing.txt: no such file or folder\n"


def test_spans_inside_a_line_are_found() -> None:
    spans = (Span(0, 2, "residue"), Span(8, 14, "spam_gambling"), Span(20, 22, "residue"))
    line = Line(0, "?!Words casino words?!", "article", 0.2, True, "Words  words", spans)
    assert list(line_findings(line)) == [("residue", "?! ?!"), ("spam_gambling", "casino")]
