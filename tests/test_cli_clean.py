"""`pagefilter clean`: what goes in and what comes out. What goes wrong is in `test_cli_errors`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import scraped
from cli_support import Cli, FakeFilter, run_fake, run_program, run_real, shipped_model
from hypothesis import given
from hypothesis import strategies as st

from filter.cli.progress import Progress, bar
from filter.io.jsonl import Row, with_field, with_text
from filter.io.records import to_json

PAGE = "NAV Home\n\nThe library opens at nine.\n網(wǎng)站\nSPAM pills\n"
CLEAN = "\nThe library opens at nine.\n網站\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.txt").write_text(PAGE, encoding="utf8")
    (tmp_path / "in" / "deep" / "b.txt").write_text("Plain.", encoding="utf8")
    (tmp_path / "in" / "deep" / "c.html").write_text("<div>NAV menu</div><div>Words.</div>", encoding="utf8")
    return tmp_path


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(row) for row in text.split("\n") if row]


def test_standard_input_to_standard_output(cli: Cli) -> None:
    result = cli("clean", stdin=PAGE.encode())
    assert (result.code, result.out, result.err) == (0, CLEAN, "")


def test_a_dash_is_standard_input(cli: Cli) -> None:
    assert cli("clean", "-", stdin=PAGE.encode()).out == CLEAN


def test_files_come_one_after_the_other_each_on_its_own_line(cli: Cli, folder: Path) -> None:
    result = cli("clean", "in/deep/b.txt", "in/deep/c.html", "in/a.txt")
    assert result.out == "Plain.\nWords.\n" + CLEAN
    assert result.err == "pagefilter: 3 pages, 3 lines dropped: 2 furniture, 1 injected\n"


def test_a_folder_is_mirrored(cli: Cli, folder: Path) -> None:
    result = cli("clean", "in", "--out", "out")
    assert (result.code, result.out) == (0, "")
    written = {path.relative_to("out").as_posix(): path.read_text("utf8") for path in Path("out").rglob("*.*")}
    assert written == {"a.txt": CLEAN, "deep/b.txt": "Plain.", "deep/c.txt": "Words."}


def test_outputs_are_replaced_by_a_second_run_even_inside_the_input(cli: Cli, folder: Path) -> None:
    for _ in range(2):
        assert cli("clean", ".", "--out", "clean", "--receipts", "receipts.jsonl").code == 0
    assert sorted(path.as_posix() for path in Path("clean").rglob("*.txt")) == [
        "clean/in/a.txt",
        "clean/in/deep/b.txt",
        "clean/in/deep/c.txt",
    ]


def test_hidden_files_are_passed_by_in_folders_only(cli: Cli, folder: Path) -> None:
    (folder / "in" / ".hidden").write_text("Hidden.")
    (folder / "in" / ".git").mkdir()
    (folder / "in" / ".git" / "config").write_text("Config.")
    assert "idden" not in cli("clean", "in").out
    assert cli("clean", "in/.hidden").out == "Hidden."


def test_a_file_named_twice_is_cleaned_once(cli: Cli, folder: Path) -> None:
    assert cli("clean", "in/deep/b.txt", "./in/deep/b.txt").out == "Plain."


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_to_files_are_followed_and_links_to_folders_are_not(cli: Cli, folder: Path) -> None:
    (folder / "in" / "link.txt").symlink_to("a.txt")
    (folder / "in" / "around").symlink_to("..")
    assert cli("clean", "in", "--out", "out").code == 0
    assert Path("out/link.txt").read_text("utf8") == CLEAN
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.txt", "deep", "link.txt"]


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="there is no /dev/fd")
def test_a_pipe_may_be_named_as_a_file() -> None:
    result = run_fake("clean", "/dev/fd/0", stdin=PAGE.encode())
    assert (result.code, result.out) == (0, CLEAN)


def test_an_output_has_the_permissions_of_a_new_file(cli: Cli, folder: Path) -> None:
    cli("clean", "in", "--out", "out")
    (folder / "new").touch()
    assert (folder / "out" / "a.txt").stat().st_mode == (folder / "new").stat().st_mode


def test_receipts_hold_what_was_dropped_or_changed(cli: Cli, folder: Path) -> None:
    result = cli("clean", "in", "--out", "out", "--receipts", "receipts.jsonl")
    assert result.code == 0
    receipts = rows(Path("receipts.jsonl").read_text("utf8"))
    assert (receipts[0]["kind"], receipts[0]["source"], receipts[0]["thresholds"]["junk"]) == ("page", "in/a.txt", 0.7)
    assert receipts[1] == {
        "kind": "line",
        "source": "in/a.txt",
        "number": 0,
        "offset": {"bytes": 0, "characters": 0},
        "label": "navigation",
        "probability": 0.991235,
        "text": "NAV Home",
        "output": None,
        "spans": [],
        "reasons": [
            {"kind": "n-gram", "name": "自拍", "weight": 3.125},
            {"kind": "page", "name": "its length", "weight": -1.0},
        ],
        "model": "d1ce",
    }
    lines = [row for row in receipts if row["kind"] == "line"]
    assert [(row["source"], row["number"], row["output"]) for row in lines] == [
        ("in/a.txt", 0, None),
        ("in/a.txt", 3, "網站"),
        ("in/a.txt", 4, None),
        ("in/deep/c.html", 0, None),
    ]
    text = Path("in/a.txt").read_bytes()
    assert all(
        text[row["offset"]["bytes"] :].decode().startswith(row["text"]) and
        text.decode()[row["offset"]["characters"] :].startswith(row["text"])
        for row in lines if row["source"] == "in/a.txt"
    )  # fmt: skip
    assert lines[1]["spans"] == [{"start": 1, "end": 7, "label": "residue", "replacement": ""}]


def test_why_is_told_on_standard_error(cli: Cli, folder: Path) -> None:
    result = cli("clean", "--why", "in/a.txt")
    assert result.out == CLEAN
    assert result.err.split("\n") == [
        "in/a.txt:1: navigation 0.99 NAV Home",
        "in/a.txt:4: residue 0.06 (wǎng)",
        "in/a.txt:5: spam_adult 0.99 SPAM pills",
        "",
    ]
    result = cli("clean", "--why", "--jsonl", stdin=b'{"text": "One."}\n{"text": "NAV x"}\n')
    assert result.err.split("\n")[0] == "-:2:1: navigation 0.99 NAV x"


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--keep", "navigation"], "NAV x\nwords\n"),
        (["--drop", "article"], ""),
        (["--only", "metadata,spam_adult"], "SPAM x\n"),
        (["--only", "metadata", "--only", "spam_adult"], "SPAM x\n"),
    ],
)
def test_labels_decide_what_stays(cli: Cli, options: list[str], left: str) -> None:
    assert cli("clean", *options, stdin=b"NAV x\nwords\nSPAM x\n").out == left


@pytest.mark.parametrize(
    ("name", "content", "options", "out"),
    [
        ("page.HTM", "Words.<br>NAV x", [], "Words."),
        ("page", "<!doctype html><div>Words.<div>NAV x", [], "Words."),
        ("page.txt", "<!doctype html><p>Words.", [], "<!doctype html><p>Words."),
        ("page.txt", "<!doctype html><p>Words.", ["--html"], "Words."),
        ("page.html", "<p>Words.</p>", ["--text"], "<p>Words.</p>"),
    ],
)
def test_html_is_known_by_name_then_by_content(
    cli: Cli, tmp_path: Path, name: str, content: str, options: list[str], out: str
) -> None:
    (tmp_path / name).write_text(content)
    assert cli("clean", tmp_path / name, *options).out == out


def test_output_is_utf8_unless_asked(cli: Cli, tmp_path: Path) -> None:
    text = "世界上的圖書館早上九點開門,我們一起去看書。\nNAV x\n" * 3
    (tmp_path / "big5.txt").write_bytes(text.encode("big5"))
    clean = text.replace("NAV x\n", "")
    assert cli("clean", tmp_path / "big5.txt").raw == clean.encode()
    assert cli("clean", tmp_path / "big5.txt", "--output-encoding", "same").raw == clean.encode("big5")


def test_a_mark_and_undecodable_bytes_survive(cli: Cli) -> None:
    marked = "\ufeffNAV x\nWords.\n".encode("utf-16-le")
    assert cli("clean", "--output-encoding", "same", stdin=marked).raw == "\ufeffWords.\n".encode("utf-16-le")
    assert cli("clean", stdin=marked).raw == b"Words.\n"
    broken = "圖書館".encode() * 20 + b" \xff\n"
    assert cli("clean", stdin=broken).raw == broken


def test_json_lines_keep_their_other_fields(cli: Cli) -> None:
    body = [{"id": 1.5, "body": PAGE, "z": None, "a": "網"}, {"body": "Plain.", "id": 2}]
    result = cli("clean", "--jsonl", "--field", "body", stdin=b"".join(to_json(row) + b"\n" for row in body))
    assert result.code == 0
    assert rows(result.out) == [{**body[0], "body": CLEAN}, body[1]]
    assert [list(row) for row in rows(result.out)] == [list(row) for row in body]
    assert "網" in result.out


def test_an_untouched_row_is_the_same_byte_for_byte(cli: Cli) -> None:
    row = b'{"n":1.50,"big":123456789012345678901234567890, "text":"\\u7db2 \\ud800","e":1e400}\n'
    assert cli("clean", "--jsonl", stdin=row).raw == row


def test_json_lines_from_a_folder_into_a_folder(cli: Cli, folder: Path) -> None:
    (folder / "in" / "rows.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "NAV x\\nOne."}\r\n\n{"text": "Two."}')
    result = cli("clean", "--jsonl", "in", "--out", "out", "--receipts", "receipts.jsonl")
    assert result.code == 0
    assert [path.name for path in Path("out").iterdir()] == ["rows.jsonl"]
    assert Path("out/rows.jsonl").read_text() == '{"text": "One."}\n{"text": "Two."}\n'
    (receipt,) = (row for row in rows(Path("receipts.jsonl").read_text()) if row["kind"] == "line")
    assert (receipt["source"], receipt["row"], receipt["number"]) == ("in/rows.jsonl", 1, 0)


def test_rows_of_html(cli: Cli) -> None:
    result = cli("clean", "--jsonl", "--html", stdin=b'{"text": "<div>NAV x<div>One."}\n')
    assert rows(result.out) == [{"text": "One."}]


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()), st.text(), st.text())
def test_a_row_changes_in_one_field_only(fields: dict[str, object], text: str, new: str) -> None:
    fields["text"] = text
    raw = to_json(fields)
    row = Row("f", 1, raw, json.loads(raw), text)
    assert list(json.loads(with_text(row, "text", new)).items()) == list({**fields, "text": new}.items())
    fields.pop("lines", None)
    row = Row("f", 1, to_json(fields), fields, text)
    assert list(json.loads(with_field(row, "lines", [new])).items()) == [*fields.items(), ("lines", [new])]


@given(st.text(st.characters(exclude_categories=[])))
def test_any_string_is_written_as_json(text: str) -> None:
    written = to_json({"text": text})
    assert b"\n" not in written
    # Two adjacent halves of a pair come back as the character they make.
    want = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert json.loads(written)["text"].encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") == want


class Terminal:
    """A standard error that is a terminal."""

    def __init__(self) -> None:
        self.written = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self.written += text

    def flush(self) -> None:
        pass


def test_progress_shows_on_a_terminal_after_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, now = Terminal(), [100.0]
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress = Progress(10)
    now[0] += 1.9
    progress.advance(1, 1)
    assert terminal.written == ""
    now[0] += 0.2
    progress.advance(1, 1)
    assert bar(2, 2, 10) in terminal.written
    progress.clear()
    assert terminal.written.endswith("\r\x1b[K")


def test_no_progress_without_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(10)
    monkeypatch.setattr("time.monotonic", lambda: 1e12)
    progress.advance(1, 1)
    assert capsys.readouterr().err == ""


def test_cleaning_loads_no_more_than_it_needs() -> None:
    heavy = ("sklearn", "scipy", "pandas", "joblib", "rich", "selectolax", "lxml")
    probe = (
        "import sys; from filter.cli.app import run; run(['clean']); "
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    result = run_program("import cli_support; cli_support.install(); " + probe, stdin=b"x")
    assert (result.out, result.err.strip()) == ("x", "[]")


def test_the_real_command_in_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(PAGE, encoding="utf8")
    result = run_fake("clean", "in", "--out", "out", cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    assert (tmp_path / "out" / "a.txt").read_text("utf8") == CLEAN


@shipped_model
def test_the_shipped_model_cleans_a_page() -> None:
    result = run_real("clean", stdin=scraped.text_with_spam("library").encode())
    assert (result.code, result.err) == (0, "")
    assert scraped.only_the_story_is_left("library", result.out)


@pytest.mark.parametrize(
    ("options", "without"),
    [
        ([], ()),
        (["--no-repair"], ("gloss", "markup", "entities", "icons", "mojibake", "repeated")),
        (["--no-repair", "gloss"], ("gloss",)),
        (["--no-repair", "gloss,icons", "--no-repair", "markup"], ("gloss", "icons", "markup")),
    ],
)
def test_repairs_are_switched_off_by_name_or_all(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], without: tuple[str, ...]
) -> None:
    asked: list[Any] = []
    load = FakeFilter.load

    def noting(model: Any = None, *, without_repairs: Any = (), **rest: Any) -> FakeFilter:
        asked.append(without_repairs)
        return load(model, **rest)

    monkeypatch.setattr(FakeFilter, "load", noting)
    assert cli("clean", *options, "in/a.txt").code == 0
    assert asked == [without]


def test_an_unknown_repair_is_wrong_usage(cli: Cli, folder: Path) -> None:
    result = cli("clean", "--no-repair=glosses", "in/a.txt")
    assert (result.code, result.err) == (
        2, "pagefilter: there is no repair 'glosses'; choose among gloss, markup, entities, icons, mojibake, repeated\n"
    )  # fmt: skip
