"""What cleaning takes comes back, byte for byte, and nothing comes back from receipts that do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from cli_support import Cli, FakeFilter
from hypothesis import assume, given
from hypothesis import strategies as st
from material import pages

from filter.decode import decode, encode
from filter.errors import PagefilterError, ReceiptError
from filter.io.receipts import VERSION, Origin, Written, page_receipts
from filter.io.records import to_json
from filter.labels import LABELS
from filter.pipeline import PageFilter
from filter.policy import Policy
from filter.restore import read_receipts, restore, restore_some

SCHEMA = json.loads((Path(__file__).parents[1] / "filter/io/receipts.schema.json").read_text("utf8"))
MODEL = {"model": "d1ce", "policy": "careful", "thresholds": {"junk": 0.5}}
CJK = "世界上的圖書館早上九點開門,我們一起去看書。\n\nSPAM 澳門賭場\n  \n圖書館的網(wǎng)站。\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def receipts_of(page_filter, data: bytes, same: bool):
    decoded = decode(data)
    page = page_filter.clean(decoded.text)
    written = Written(page.text.encode("utf-8", "surrogatepass"), "a.txt")
    try:
        if same:
            written = Written(encode(page.text, decoded.encoding, decoded.bom), "a.txt", decoded.encoding, decoded.bom)
        else:
            written = Written(encode(page.text, "utf-8"), "a.txt")
    except PagefilterError:
        pass
    origin = Origin({"source": "a.txt"}, "a.txt", decoded.text, decoded.encoding, decoded.bom, data)
    records = list(page_receipts(page, origin, written, MODEL, page_filter.reasons))
    for record in records:
        jsonschema.validate(json.loads(to_json(record)), SCHEMA)
    (receipt,) = read_receipts([to_json(record) for record in records], "r.jsonl")
    return receipt, written.data, page


encodings = st.sampled_from(("utf-8", "utf-16", "utf-16-le", "cp932", "big5hkscs", "gb18030", "cp949", "cp1251"))
some_bytes = st.one_of(
    st.binary(max_size=200), st.builds(lambda page, codec: page.encode(codec, "ignore"), pages, encodings)
)


@given(some_bytes, st.booleans())
def test_any_bytes_come_back(eager: PageFilter, data: bytes, same: bool) -> None:
    receipt, clean, _ = receipts_of(eager, data, same)
    assert restore(receipt, clean) == data


def test_an_odd_byte_in_a_line_that_went_comes_back(eager: PageFilter) -> None:
    data = b"\x00\x01\x00\x01\x00\x00\x00\x00\x00\x01\x00\x01\x00\x01\x00\x01\x80"
    everything_goes = PageFilter(eager.model, Policy("balanced", 0.0, 0.0, 0.0, 0.0, frozenset(LABELS)))
    receipt, clean, page = receipts_of(everything_goes, data, same=False)
    assert any(not line.kept for line in page.lines)
    assert restore(receipt, clean) == data


@given(pages)
def test_with_nothing_asked_for_the_clean_text_comes_back_and_with_everything_the_lines(
    eager: PageFilter, text: str
) -> None:
    data = encode(text, "utf-8")
    assume(decode(data).encoding == "utf-8")
    receipt, clean, page = receipts_of(eager, data, same=False)
    assert restore_some(receipt, clean, lambda number, label: False) == clean
    everything = restore_some(receipt, clean, lambda number, label: True)
    wanted = [encode(line.text, "utf-8") for line in page.lines if line.text.strip()]
    assert [line for line in everything.split(b"\n") if line.decode("utf-8", "replace").strip()] == wanted


# Codes that Python's codecs write another way than they read them, and line ends of all kinds.
TWO_CODES = {
    "cp932": b"\x87\x40 \xfa\x54 \x81\xca \xee\xf9\r\nSPAM \x81\xca\r\n" + "日本語の図書館です。\r\n".encode("cp932") * 9,
    "big5": b"\xa1\xc3 \xa1\xc5 \xa2\xcc\nSPAM \xa1\xc3\n\n\n" + "圖書館早上九點開門。\n".encode("big5") * 9,
    "damaged": "圖書館早上\n".encode() * 5 + b"\xff\xfe\nSPAM \xe5\x9c\n",
    "marked": b"\xef\xbb\xbfSPAM x\r\n\r\nWords.\r",
    "odd": "SPAM x\nWords.".encode("utf-16") + b"\x41",
}  # fmt: skip


@pytest.mark.parametrize("name", TWO_CODES)
@pytest.mark.parametrize("options", [(), ("--output-encoding", "same")])
def test_bytes_that_do_not_round_trip_come_back(cli: Cli, here: Path, name: str, options: tuple[str, ...]) -> None:
    Path("in").mkdir()
    Path("in/a.txt").write_bytes(TWO_CODES[name])
    Path("in/b.html").write_text("<nav>NAV x</nav><p>Words.<p>SPAM y", "utf8")
    assert cli("clean", "in", "--out", "out", "--receipts", "r.jsonl", *options).code == 0
    assert "SPAM" not in Path("out/a.txt").read_text("latin-1").replace("\0", "")
    result = cli("restore", "out", "--receipts", "r.jsonl", "--out", "back")
    assert (result.code, result.out, result.err) == (0, "", "")
    for file in ("a.txt", "b.html"):
        assert Path("back", file).read_bytes() == Path("in", file).read_bytes()


def test_rows_come_back_whether_they_were_changed_left_out_or_neither(cli: Cli, here: Path) -> None:
    rows = [b'{"id":1.50, "text":"NAV x\\nOne.", "z": null}', b'{"text": "Two."}', b'{"text":"SPAM x"}']
    Path("rows.jsonl").write_bytes(b"\n".join(rows) + b"\n")
    done = cli(
        "clean", "--jsonl", "rows.jsonl", "--out", "out", "--receipts", "r.jsonl", "--drop-pages", "spam", "--drop-rows"
    )
    assert done.code == 0
    assert Path("out/rows.jsonl").read_bytes().count(b"\n") == 2
    assert cli("restore", "out", "--receipts", "r.jsonl", "--out", "back").code == 0
    assert Path("back/rows.jsonl").read_bytes() == b"\n".join(rows) + b"\n"
    assert cli("restore", "out/rows.jsonl", "--receipts", "r.jsonl", "--line", "1").raw.split(b"\n")[0] == (
        b'{"id": 1.5, "text": "NAV x\\nOne.", "z": null}'
    )


def test_a_piped_page_comes_back_to_standard_output(cli: Cli, here: Path) -> None:
    data = CJK.encode("big5", "ignore")
    Path("clean.txt").write_bytes(cli("clean", "--receipts", "r.jsonl", stdin=data).raw)
    assert cli("restore", "clean.txt", "--receipts", "r.jsonl").raw == data


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--line", "1"], "NAV Home\n\nOne.\n\nTwo (wǎng).\n".replace("(wǎng)", "")),
        (["--line", "5"], "One.\n\nSPAM x\nTwo .\n"),
        (["--label", "spam_adult"], "One.\n\nSPAM x\nTwo .\n"),
        (["--label", "navigation,article"], "NAV Home\n\nOne.\n\nTwo (wǎng).\n"),
        (["--line", "1", "--label", "spam_adult"], "One.\n\nTwo .\n"),
    ],
)
def test_some_lines_come_back(cli: Cli, here: Path, options: list[str], text: str) -> None:
    Path("a.txt").write_text("NAV Home\n\nOne.\n\nSPAM x\nTwo (wǎng).\n", "utf8")
    assert cli("clean", "a.txt", "--out", "out", "--receipts", "r.jsonl").code == 0
    assert cli("restore", "out/a.txt", "--receipts", "r.jsonl", *options).out == text


def damaged(what: str) -> None:
    rows = Path("r.jsonl").read_text("utf8").splitlines(keepends=True)
    first = json.loads(rows[0])
    if what == "version":
        rows[0] = json.dumps({**first, "version": VERSION + 1}) + "\n"
    elif what == "edited":
        Path("out/b.txt").write_text("Another.", "utf8")
    elif what == "missing":
        Path("out/b.txt").unlink()
    elif what == "cut":
        rows = rows[1:]
    elif what == "garbage":
        rows = ["not json\n"]
    elif what == "foreign":
        rows[1] = json.dumps({**json.loads(rows[1]), "text": "SPAM other"}) + "\n"
    elif what == "number":
        rows[1] = json.dumps({**json.loads(rows[1]), "number": 99}) + "\n"
    elif what == "empty":
        rows = []
    elif what == "outside":
        rows = [row.replace('"place": "a.txt"', '"place": "../a.txt"', 1) for row in rows]
    Path("r.jsonl").write_text("".join(rows), "utf8")


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("version", f"r.jsonl:1: receipts of version {VERSION + 1}, this pagefilter reads version {VERSION}; clean again with it"),
        ("edited", "in/b.txt: the clean text is not the one that was written; clean it again"),
        ("missing", "out/b.txt: no such file, and nothing was restored; give what `clean` wrote"),
        ("cut", "r.jsonl:1: the receipt of a line without that of its page before it; lines are missing"),
        ("garbage", "r.jsonl:1: not a receipt; give a file that `pagefilter clean --receipts` wrote"),
        ("foreign", "in/a.txt: the receipt does not fit its page, it was changed; clean it again"),
        ("number", "in/a.txt: the receipt does not fit its page, it was changed; clean it again"),
        ("empty", "r.jsonl: holds no receipts"),
        ("outside", "../a.txt: the receipts name a place outside of the output folder; they were changed"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_nothing_is_written(cli: Cli, here: Path, what: str, says: str) -> None:
    Path("in").mkdir()
    Path("in/a.txt").write_text("SPAM x\nWords.", "utf8")
    Path("in/b.txt").write_text("NAV x\nWords.", "utf8")
    assert cli("clean", "in", "--out", "out", "--receipts", "r.jsonl").code == 0
    damaged(what)
    result = cli("restore", "out", "--receipts", "r.jsonl", "--out", "back")
    assert (result.code, result.out, result.err) == (1, "", f"pagefilter: {says}\n")
    assert not Path("back").exists()


def test_wrong_usage(cli: Cli, here: Path) -> None:
    Path("in").mkdir()
    for name in ("a.txt", "b.txt"):
        Path("in", name).write_text("SPAM x\nWords.", "utf8")
    cli("clean", "in", "--out", "out", "--receipts", "r.jsonl")
    assert cli("restore", "out", "--receipts", "r.jsonl").err == (
        "pagefilter: the receipts are of 2 files; name a folder with --out\n"
    )
    for options, code, says in (
        (("--line", "0"), 2, "lines are counted from 1, not 0"),
        (("--label", "spam"), 1, "unknown label 'spam'"),
        (("--out", "out"), 1, "out: holds the clean files"),
        (("--out", "r.jsonl"), 1, "r.jsonl: the output folder is a file"),
    ):
        result = cli("restore", "out", "--receipts", "r.jsonl", *options)
        assert (result.code, says in result.err) == (code, True)


def test_receipts_that_cannot_be_written_stop_the_run_before_anything_is_cleaned(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.txt").write_text("SPAM x\nWords.", "utf8")
    Path("file").write_text("", "utf8")
    monkeypatch.setattr(FakeFilter, "clean_many", lambda *arguments: pytest.fail("something was cleaned"))
    result = cli("clean", "a.txt", "--out", "out", "--receipts", "file/r.jsonl")
    assert (result.code, "file/r.jsonl: cannot be written" in result.err) == (1, True)
    assert not Path("out").exists()


def test_a_receipt_for_another_page_is_refused(eager: PageFilter) -> None:
    receipt, _, _ = receipts_of(eager, b"Words that stay.", same=False)
    with pytest.raises(ReceiptError, match="not the one that was written"):
        restore(receipt, b"Other words.")
