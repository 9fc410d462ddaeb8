"""Bad input: one clear sentence on standard error, exit 1, no traceback, and nothing half-written."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_support import FAKE, ROOT, Cli, FakeFilter, Result, environment, run_fake, run_real, shipped_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filter.cli.messages import printable
from filter.errors import OutputError
from filter.io.sinks import whole_file

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Cli:
    """The command with the real filter."""
    return Cli(monkeypatch, capfdbinary)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def files_below(folder: str) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def is_one_sentence(result: Result, *words: str, code: int = 1) -> bool:
    assert result.code == code
    assert result.out == ""
    assert result.err.startswith("pagefilter: ")
    assert result.err.count("\n") == 1
    for word in words:
        assert word in result.err
    return True


# What is read


def test_a_missing_file_stops_everything_before_it_begins(cli: Cli, here: Path) -> None:
    write({"a.txt": "Words."})
    assert is_one_sentence(cli("clean", "a.txt", "missing.txt", "--out", "out"), "missing.txt: no such file")
    assert not Path("out").exists()


def test_an_empty_name(cli: Cli, here: Path) -> None:
    assert is_one_sentence(cli("clean", "a\0b"), "a\\x00b")


@pytest.mark.parametrize("content", [{}, {"in/.hidden": "x"}, {"in/deep/.git/x": "x"}])
def test_a_folder_without_readable_files(cli: Cli, here: Path, content: dict[str, str]) -> None:
    Path("in").mkdir()
    write(content)
    assert is_one_sentence(cli("clean", "in"), "in: the folder holds no readable files")


def test_a_folder_without_json_lines(cli: Cli, here: Path) -> None:
    write({"in/a.txt": "x"})
    assert is_one_sentence(cli("clean", "--jsonl", "in"), ".jsonl")


def test_binary_files_are_skipped_by_name(cli: Cli, here: Path) -> None:
    write({"in/a.txt": "Words.", "in/logo.png": PNG})
    result = cli("clean", "in", "--out", "out")
    assert (result.code, result.err) == (0, "pagefilter: in/logo.png: skipped, it is a binary file\n")
    assert files_below("out") == ["a.txt"]


def test_binary_files_alone_are_nothing_to_clean(cli: Cli, here: Path) -> None:
    write({"in/logo.png": PNG})
    result = cli("clean", "in", "--out", "out")
    assert result.code == 1
    assert "in/logo.png: skipped" in result.err
    assert not Path("out").exists()


def test_a_binary_file_is_no_json_lines(cli: Cli, here: Path) -> None:
    write({"a.jsonl": PNG, "b.jsonl": '{"text": "NAV x\\nTwo."}'})
    result = cli("clean", "--jsonl", "a.jsonl", "b.jsonl", "--out", "out")
    assert (result.code, result.err) == (
        1,
        "pagefilter: a.jsonl: skipped, it is a binary file, not JSON lines\n",
    )
    assert files_below("out") == ["b.jsonl"]


def test_a_file_that_cannot_be_read_is_told_and_the_others_go_on(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"a.txt": "One.", "b.txt": "Two.", "c.txt": "Three."})
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "b.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    result = cli("clean", "a.txt", "b.txt", "c.txt")
    assert (result.code, result.out) == (1, "One.\nThree.")
    assert "pagefilter: b.txt: cannot be read: permission denied\n" in result.err


def test_an_empty_file_stays_empty(cli: Cli, here: Path) -> None:
    write({"a.txt": "", "b.txt": "Words.\n"})
    assert cli("clean", "a.txt", "--out", "out").code == 0
    assert Path("out/a.txt").read_bytes() == b""
    assert cli("clean", "b.txt", "a.txt", "b.txt").out == "Words.\n"
    for command in ("clean", "label", "check", "explain"):
        assert cli(command).code == 0
    assert cli("clean", "--jsonl").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="names of files are bytes elsewhere only")
def test_a_name_that_is_no_text_can_be_told(here: Path) -> None:
    name = os.fsdecode(b"caf\xe9 \x1b[31m.txt")
    write({name: "NAV x\nWords.\nSPAM x"})
    checked = run_fake("check", name, cwd=here, env={**environment(), "LC_ALL": "C", "PYTHONUTF8": "0"})
    assert (checked.code, checked.out) == (1, "caf\\udce9 \\x1b[31m.txt:3: spam_adult 0.99 SPAM x\n")
    cleaned = run_fake("clean", name, "--out", "out", "--receipts", "r.jsonl", cwd=here)
    assert (cleaned.code, cleaned.err) == (0, "")
    assert Path("out", name).read_text() == "Words."
    assert json.loads(Path("r.jsonl").read_text().split("\n")[0])["source"] == name
    assert is_one_sentence(run_fake("clean", name + "x", cwd=here), "caf\\udce9 \\x1b[31m.txtx: no such file")


@given(st.text(st.characters(exclude_categories=[])))
def test_whatever_is_told_stays_on_its_line(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
    shown.encode()


def test_control_characters_and_lone_surrogates_pass(cli: Cli) -> None:
    odd = "A\x00\x07\x1b[1m\u2028b\u202e line.\nNAV x\n"
    assert cli("clean", "--text", stdin=odd.encode()).raw == odd.replace("NAV x\n", "").encode()
    row = b'{"text": "NAV x\\nlone \\ud800 half \\u0000", "other": "\\udfff"}\n'
    result = cli("clean", "--jsonl", stdin=row)
    assert result.code == 0
    assert json.loads(result.out) == {"text": "lone \ud800 half \0", "other": "\udfff"}
    for options in (["label", "--jsonl"], ["label"], ["check"], ["explain"], ["explain", "--json"]):
        assert cli(*options, stdin=row).err == ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_taken_without_a_traceback(cli: Cli, data: bytes) -> None:
    for command in (["clean"], ["clean", "--jsonl"], ["label"], ["check"], ["explain"], ["clean", "--html"]):
        result = cli(*command, stdin=data)
        assert result.code in (0, 1)
        assert all(line.startswith("pagefilter: ") for line in result.err.split("\n")[:-1])


def test_a_line_and_a_row_of_100_mb(here: Path) -> None:
    line = "word " * 20_000_000
    Path("big.txt").write_text("NAV x\n" + line, encoding="ascii")
    assert run_fake("clean", "big.txt", "--out", "out", cwd=here).code == 0
    assert Path("out/big.txt").stat().st_size == len(line)
    Path("big.jsonl").write_text(json.dumps({"text": "NAV x\n" + line}) + '\n{"text": "Next."}\n', encoding="ascii")
    assert run_fake("clean", "--jsonl", "big.jsonl", "--out", "out", cwd=here).code == 0
    with Path("out/big.jsonl").open() as rows:
        assert [len(json.loads(row)["text"]) for row in rows] == [len(line), 5]


@shipped_model
def test_a_line_of_100_mb_with_the_shipped_model(here: Path) -> None:
    line = "字" * 33_000_000 + "\n"
    Path("big.txt").write_text(line, encoding="utf8")
    result = run_real("clean", "big.txt", "--out", "out", cwd=here)
    assert (result.code, result.err) == (0, "")
    assert Path("out/big.txt").is_file()


# JSON lines


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (b'{"text": "a"', "malformed JSON"),
        (b"\xff\xfe{}", "malformed JSON: byte 1 is not UTF-8"),
        (b"[" * 100_000, "malformed JSON"),
        (b'{"text": ' + b"9" * 10_000 + b"}", ""),
        (b'["text"]', "a list, not a JSON object"),
        (b"null", "null, not a JSON object"),
        (b'{"body": "a"}', "no field 'text'"),
        (b'{"text": null}', "the field 'text' is null, not a string"),
        (b'{"text": 5}', "the field 'text' is a number, not a string"),
        (b'{"text": true}', "the field 'text' is a truth value, not a string"),
    ],
)
@pytest.mark.parametrize("command", ["clean", "label"])
def test_a_bad_row_is_told_and_left_out(cli: Cli, command: str, row: bytes, words: str) -> None:
    result = cli(command, "--jsonl", stdin=b'{"text": "One."}\n' + row + b'\n{"text": "Three."}\n')
    assert result.code == 1
    assert [json.loads(line)["text"] for line in result.out.split("\n") if line] == ["One.", "Three."]
    told = [line for line in result.err.split("\n") if "lines dropped" not in line and line]
    assert len(told) == 1
    assert told[0].startswith("pagefilter: -:2: ")
    assert words in told[0]


def test_bad_rows_are_told_by_file(cli: Cli, here: Path) -> None:
    write({"a.jsonl": '{"text": "One."}\n', "b.jsonl": '\n\n{"text": "Two."\n{"text": "NAV x\\nThree."}\n'})
    result = cli("clean", "--jsonl", "a.jsonl", "b.jsonl", "--out", "out")
    assert result.code == 1
    assert result.err.startswith("pagefilter: b.jsonl:3: malformed JSON: Expecting ',' delimiter (column ")
    assert Path("out/b.jsonl").read_text() == '{"text": "Three."}\n'


# What is written


@pytest.mark.parametrize(
    ("files", "arguments", "pair"),
    [
        (["x/a.txt", "y/a.txt"], ["x/a.txt", "y/a.txt"], ("x/a.txt", "y/a.txt")),
        (["x/a.txt", "y/a.txt"], ["x", "y"], ("x/a.txt", "y/a.txt")),
        (["in/a.html", "in/a.txt"], ["in"], ("in/a.html", "in/a.txt")),
        (["in/a.html", "in/a.htm"], ["in"], ("in/a.htm", "in/a.html")),
        (["in/B.txt", "in/b.txt"], ["in"], ("in/B.txt", "in/b.txt")),
    ],
)
def test_two_inputs_of_one_output_are_named(
    cli: Cli, here: Path, files: list[str], arguments: list[str], pair: tuple[str, str]
) -> None:
    write({**dict.fromkeys(files, "Words."), "out/a.txt": "Before."})
    assert is_one_sentence(cli("clean", *arguments, "--out", "out"), f"{pair[0]} and {pair[1]} would both")
    assert files_below("out") == ["a.txt"]
    assert Path("out/a.txt").read_text() == "Before."


@pytest.mark.parametrize(
    "arguments",
    [
        ["a.txt", "--out", "."],
        ["a.txt", "b.txt", "--receipts", "b.txt"],
        ["a.txt", "--out", "out", "--receipts", "out/a.txt"],
        ["a.txt", "--receipts", "folder"],
        ["a.txt", "--out", "b.txt"],
    ],
)
def test_nothing_is_written_over_an_input_or_another_output(cli: Cli, here: Path, arguments: list[str]) -> None:
    write({"a.txt": "NAV x\nOne.", "b.txt": "NAV x\nTwo.", "folder/c.txt": "x"})
    before = files_below(".")
    assert is_one_sentence(cli("clean", *arguments))
    assert files_below(".") == before
    assert Path("a.txt").read_text() == "NAV x\nOne."
    assert Path("b.txt").read_text() == "NAV x\nTwo."


def test_a_folder_is_not_cleaned_into_itself(cli: Cli, here: Path) -> None:
    write({"in/a.txt": "NAV x\nOne."})
    assert is_one_sentence(cli("clean", "in", "--out", "in"))
    assert Path("in/a.txt").read_text() == "NAV x\nOne."


def test_a_file_appears_whole_or_not_at_all(here: Path) -> None:
    write({"out/a.txt": "Before."})

    def stop_halfway() -> None:
        with whole_file(Path("out/a.txt")) as stream:
            stream.write(b"half")
            stream.flush()
            assert Path("out/a.txt").read_text() == "Before."
            raise KeyError

    with pytest.raises(KeyError):
        stop_halfway()
    assert files_below("out") == ["a.txt"]
    assert Path("out/a.txt").read_text() == "Before."


def test_a_full_disk_is_told(here: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"a\.txt: cannot be written: no space left"),
        whole_file(Path("a.txt")),
    ):
        raise OSError(28, "No space left on device")
    assert files_below(".") == []


def test_an_output_folder_that_cannot_be_made(cli: Cli, here: Path) -> None:
    write({"a.txt": "One.", "file": ""})
    assert is_one_sentence(cli("clean", "a.txt", "--out", "file/out"), "file/out")


def test_receipts_are_whole_or_absent(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"a.txt": "NAV x\nOne."})

    def stop(self: FakeFilter, texts: object, sites: object = None) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeFilter, "clean_many", stop)
    result = cli("clean", "a.txt", "--receipts", "r.jsonl")
    assert (result.code, result.out, result.err) == (130, "", "")
    assert files_below(".") == ["a.txt"]


def test_a_character_that_the_encoding_lacks_is_told_by_file(cli: Cli, here: Path) -> None:
    page = '<meta charset="windows-1252"><p>caf\xe9 &#x7db2;</p>'.encode("cp1252")
    write({"a.html": page, "b.txt": "Words."})
    result = cli("clean", "a.html", "b.txt", "--out", "out", "--output-encoding", "same")
    assert result.code == 1
    assert result.err.startswith("pagefilter: a.html: cp1252 has no character '網'")
    assert files_below("out") == ["b.txt"]


# Labels, models, labelled lines


@pytest.mark.parametrize("option", ["--keep", "--drop", "--only"])
def test_an_unknown_label(cli: Cli, option: str) -> None:
    assert is_one_sentence(cli("clean", option, "spam", stdin=b"x"), "unknown label 'spam'", "spam_adult")


def test_a_model_that_is_no_model(real: Cli, here: Path) -> None:
    write({"bad/readme": "x", "a.txt": "One."})
    for command in ("clean", "label", "check", "explain"):
        assert is_one_sentence(real(command, "a.txt", "--model", "bad"), "bad")
        assert is_one_sentence(real(command, "a.txt", "--model", "missing"), "missing")


@shipped_model
def test_a_model_that_is_damaged(real: Cli, here: Path) -> None:
    write({"a.txt": "One."})
    names = [path.name for path in (ROOT / "models" / "default").iterdir()]
    for name in names:
        for damage in ("gone", "empty", "cut", "noise"):
            shutil.rmtree("mine", ignore_errors=True)
            shutil.copytree(ROOT / "models" / "default", "mine")
            path = Path("mine", name)
            data = path.read_bytes()
            path.unlink()
            if damage != "gone":
                noise = bytes(byte ^ 0x5A for byte in data)
                path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "noise": noise}[damage])
            assert is_one_sentence(real("clean", "a.txt", "--model", "mine", "--out", "out"), "mine")
    assert not Path("out").exists()


@shipped_model
def test_a_model_of_another_version(real: Cli, here: Path) -> None:
    write({"a.txt": "One."})
    shutil.copytree(ROOT / "models" / "default", "mine")
    card = json.loads(Path("mine/card.json").read_text("utf8"))
    Path("mine/card.json").write_text(json.dumps({**card, "format": 999}), "utf8")
    assert is_one_sentence(real("clean", "a.txt", "--model", "mine"), "mine")


GOOD = "text,label\nThe library opens at nine.,article\nHome > News,navigation\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "line,kind\nx,article\n", "a.csv:1: no column text and no column label"),
        ("a.csv", "text\nx\n", "a.csv:1: no column label"),
        ("a.csv", "", "a.csv:1: no column text"),
        ("a.csv", "text,label\nOne.,article\nTwo.,article\n", "all lines are article"),
        ("a.csv", GOOD + "x,spam\n", "a.csv:4: unknown label 'spam'"),
        ("a.jsonl", '{"text": "One.", "label": "article"}\n{"text"\n', "a.jsonl:2: malformed JSON"),
        ("a.jsonl", '{"text": "One."}\n', "a.jsonl:1: no field label"),
        ("missing.csv", None, "missing.csv: no such file"),
    ],
)
@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_labelled_lines_that_teach_nothing(
    real: Cli, here: Path, command: str, name: str, content: str | None, words: str
) -> None:
    if content is not None:
        write({name: content})
    options = ["--out", "mine"] if command == "train" else []
    assert is_one_sentence(real(command, name, *options), words)
    assert not Path("mine").exists()


@pytest.mark.parametrize("target", ["a.csv", "folder"])
def test_a_model_is_not_written_over_something_else(real: Cli, here: Path, target: str) -> None:
    write({"a.csv": GOOD, "folder/notes.txt": "mine"})
    assert is_one_sentence(real("train", "a.csv", "--out", target), target)
    assert files_below(".") == ["a.csv", "folder/notes.txt"]


# Wrong usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["clean", "--no-such-option"],
        ["clean", "--policy", "reckless"],
        ["clean", "--out"],
        ["clean", "--out", "out"],
        ["clean", "-", "--out", "out"],
        ["clean", "--field", "body"],
        ["clean", "--output-encoding", "latin-1"],
        ["clean", "--jsonl", "--output-encoding", "same"],
        ["label", "--field", "body"],
        ["explain", "a", "b"],
        ["train", "a.csv"],
        ["train", "--out", "mine"],
        ["evaluate"],
        ["no-such-command"],
        ["--no-such-option"],
    ],
)
def test_wrong_usage_exits_2(cli: Cli, here: Path, arguments: list[str]) -> None:
    assert is_one_sentence(cli(*arguments), code=2)
    assert files_below(".") == []


@pytest.mark.parametrize("command", ["", "clean", "label", "check", "explain", "train", "evaluate"])
def test_help_has_an_example(cli: Cli, command: str) -> None:
    result = cli(*filter(None, [command]), "--help")
    assert (result.code, result.err) == (0, "")
    assert "Example: pagefilter" in result.out


def test_the_version(cli: Cli) -> None:
    from filter import __version__

    assert cli("--version").out == f"pagefilter {__version__}\n"


# Readers that go away, and interrupts


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
@pytest.mark.parametrize(
    ("arguments", "row", "code"),
    [
        (["clean"], b"Words.\n", 0),
        (["label"], b"Words.\n", 0),
        (["explain"], b"Words.\n", 0),
        (["clean", "--jsonl"], b'{"text": "Words."}\n', 0),
        (["check"], b"SPAM x\n", 1),
        (["--help"], b"", 1),
    ],
)
@pytest.mark.parametrize("size", [1, 50_000])
def test_a_broken_pipe_ends_quietly(arguments: list[str], row: bytes, code: int, size: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", FAKE, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(row * size)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), err) == (code, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")
def test_an_interrupt_ends_quietly(here: Path) -> None:
    write({"a.txt": "NAV x\nOne."})
    process = subprocess.Popen(
        [sys.executable, "-c", FAKE, "clean", "a.txt", "-", "--receipts", "r.jsonl"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        # A job in the background of a shell starts with interrupts ignored, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 60
    while not any(name.endswith(".part") for name in files_below(".")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")
    assert files_below(".") == ["a.txt"]


def test_a_closed_standard_error_is_no_error(here: Path) -> None:
    command = f"exec 2>&-; exec {sys.executable} -c {FAKE!r} clean missing.txt"
    assert subprocess.run(["sh", "-c", command], env=environment(), check=False, timeout=60).returncode == 1
