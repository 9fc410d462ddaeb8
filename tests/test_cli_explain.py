"""`pagefilter explain`: reasons for the eye, and for programs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from cli_support import FAKE, ROOT, Cli, environment

PAGE = "NAV Home\n\n網(wǎng)站\nSPAM \x1b[31mred\n"


def test_every_line_with_its_reasons(cli: Cli) -> None:
    result = cli("explain", stdin=PAGE.encode())
    assert (result.code, result.err) == (0, "")
    assert result.out.split("\n") == [
        "    1 drop navigation       0.99  NAV Home",
        '      because: "自拍" +3.12; its length -1.00 (goes from 0.50)',
        "    2",
        "    3 keep article          0.06  網(wǎng)站",
        "      comes out as: 網站",
        '      because: "自拍" +3.12; its length -1.00 (goes from 0.50)',
        "    4 drop spam_adult       0.99  SPAM \\x1b[31mred",
        '      because: "自拍" +3.12; its length -1.00 (goes from 0.50)',
        "",
    ]


def test_colour_on_demand(cli: Cli) -> None:
    result = cli("explain", "--color", stdin=b"SPAM x")
    assert "\x1b[31mdrop spam_adult" in result.out
    assert "\x1b" not in cli("explain", stdin=b"SPAM x").out


def test_as_json(cli: Cli) -> None:
    result = cli("explain", "--json", stdin=b"NAV Home")
    assert json.loads(result.out) == {
        "number": 0,
        "label": "navigation",
        "probability": 0.991235,
        "kept": False,
        "spans": [],
        "threshold": 0.5,
        "text": "NAV Home",
        "reasons": [
            {"kind": "n-gram", "name": "自拍", "weight": 3.125},
            {"kind": "page", "name": "its length", "weight": -1.0},
        ],
    }


def test_html_is_laid_out(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>NAV Home</p><script>no()</script><p>Words.</p>")
    result = cli("explain", tmp_path / "page.html")
    assert "Words." in result.out
    assert "no()" not in result.out


def test_a_missing_file_and_a_binary_one(cli: Cli, tmp_path: Path) -> None:
    assert cli("explain", "missing.txt").err == "pagefilter: missing.txt: no such file or folder\n"
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    result = cli("explain", tmp_path / "a.png")
    assert (result.code, result.out) == (1, "")
    assert "binary" in result.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_on_a_terminal(no_color: str, coloured: bool) -> None:
    import pty
    import subprocess

    master, slave = pty.openpty()
    env = {**environment(), "TERM": "xterm", "NO_COLOR": no_color}
    command = [sys.executable, "-c", FAKE, "explain"]
    subprocess.run(command, input=b"SPAM x", stdout=slave, env=env, cwd=ROOT, check=True, timeout=60)
    os.close(slave)
    shown = os.read(master, 10_000)
    os.close(master)
    assert (b"\x1b[31m" in shown) is coloured
