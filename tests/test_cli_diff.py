"""`pagefilter diff`: what would go, in its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import Cli


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = ["NAV Home", "網(wǎng)站。", *(f"Line {n}." for n in range(9)), "SPAM \x1b[31m pills", "End."]
    Path("a.txt").write_text("\n".join(lines), "utf8")
    Path("b.txt").write_text("Words.", "utf8")
    return Path("a.txt")


def test_what_goes_stands_in_brackets_with_lines_around_it(cli: Cli, page: Path) -> None:
    result = cli("diff", "a.txt", "b.txt")
    assert result.out.splitlines() == [
        "--- a.txt",
        "@@ 1-4 @@",
        "[-NAV Home-] navigation 0.99",
        "網[-(wǎng)-]站。",
        "Line 0.",
        "Line 1.",
        "@@ 10-13 @@",
        "Line 7.",
        "Line 8.",
        "[-SPAM \\x1b[31m pills-] spam_adult 0.99",
        "End.",
    ]
    assert (result.code, result.err) == (0, "")


def test_colour_on_request(cli: Cli, page: Path) -> None:
    shown = cli("diff", "--color", "a.txt").out
    assert "\x1b[31mNAV Home\x1b[0m" in shown
    assert "網\x1b[31m(wǎng)\x1b[0m站。" in shown
    assert "\x1b" not in cli("diff", "a.txt").out


def test_a_page_from_which_nothing_goes_shows_nothing(cli: Cli, page: Path) -> None:
    assert cli("diff", "b.txt").out == ""
    assert cli("diff", "missing.txt").err == "pagefilter: missing.txt: no such file or folder\n"
