"""Labelled lines: what is read from JSON lines and CSV, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filter.errors import InputError, LabelledDataError
from filter.io.labelled import LabelledLine, LabelledPage, read_labelled
from filter.labels import LABELS

ARTICLE, NAVIGATION = LabelledLine("The library opens.", "article"), LabelledLine("Home > News", "navigation")
TWO = [{"text": ARTICLE.text, "label": "article"}, {"text": NAVIGATION.text, "label": "navigation"}]


def jsonl(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")
    return path


def test_loose_lines_are_pages_of_one_line(tmp_path: Path) -> None:
    pages = read_labelled([jsonl(tmp_path / "a.jsonl", [*TWO, {"text": " ", "label": "article"}])])
    assert pages == [LabelledPage("", (ARTICLE,)), LabelledPage("", (NAVIGATION,))]


def test_rows_of_a_page_stay_together_in_order_with_blank_lines(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": "Home > News", "label": "navigation", "page": "p"},
        {"text": "loose", "label": "advert", "page": None},
        {"text": "", "label": "blank", "page": "p"},
        {"text": "The library opens.", "label": "article", "page": "p", "language": "en", "family": 7},
        {"text": "other", "label": "article", "page": 2, "note": "n", "clean": "othr"},
    ]
    assert read_labelled([jsonl(tmp_path / "a.jsonl", rows)]) == [
        LabelledPage(
            "p",
            (
                NAVIGATION,
                LabelledLine("", "blank"),
                LabelledLine("The library opens.", "article", language="en", family="7"),
            ),
        ),
        LabelledPage("", (LabelledLine("loose", "advert"),)),
        LabelledPage("2", (LabelledLine("other", "article", note="n", clean="othr"),)),
    ]


def test_equal_names_in_two_files_are_two_pages(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{**row, "page": "p"} for row in TWO]
    pages = read_labelled([jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", rows)])
    assert [len(page.lines) for page in pages] == [2, 2]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_csv_as_spreadsheets_write_it(tmp_path: Path, delimiter: str, encoding: str, ending: str) -> None:
    path = tmp_path / "a.CSV"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator=ending)
        writer.writerows([["label", " text", "page"], ["article", 'Words, "quoted"; more', ""], ["advert", "网站", ""]])
    assert [page.lines[0].text for page in read_labelled([path])] == ['Words, "quoted"; more', "网站"]


def test_folders_are_searched(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    jsonl(tmp_path / "deep" / "a.jsonl", TWO)
    (tmp_path / "deep" / "b.csv").write_text("text,label\nBuy now,advert\n")
    (tmp_path / "README.md").write_text("text")
    assert [page.lines[0].label for page in read_labelled([tmp_path])] == ["article", "navigation", "advert"]


def test_a_carriage_return_belongs_to_the_line_ending(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"".join(json.dumps(row).encode() + b"\r\n" for row in TWO))
    assert [page.lines for page in read_labelled([tmp_path / "a.jsonl"])] == [(ARTICLE,), (NAVIGATION,)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"text": "x", "label": "spam"}], r"a\.jsonl:1: unknown label 'spam'; the labels are article, "),
        ([{"text": "x"}], r"a\.jsonl:1: no field label"),
        ([{"label": "article"}], r"a\.jsonl:1: no field text"),
        ([{"text": 5, "label": "article"}], r"a\.jsonl:1: the field text is not a string"),
        ([{"text": "a\nb", "label": "article"}], r"a\.jsonl:1: the text holds a line break"),
        ([{"text": "x", "label": "blank"}], "unknown label 'blank'"),
        ([], "there is no labelled line in it"),
        ([{"text": "", "label": "blank"}], "there is no labelled line in it"),
        ([TWO[0]], "all lines are article"),
        ([TWO[1], {"text": "x", "label": "advert"}], "no line is genuine"),
        (
            [*TWO, {"text": "Home > News ", "label": "advert"}],
            r"a\.jsonl:3: this text is advert here and navigation at .*a\.jsonl:2",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_by_row(tmp_path: Path, rows: list[dict[str, object]], message: str) -> None:
    with pytest.raises(LabelledDataError, match=message):
        read_labelled([jsonl(tmp_path / "a.jsonl", rows)])


def test_on_pages_a_text_may_be_two_things(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"text": "x", "label": label, "page": "p"} for label in ("article", "duplicate")]
    assert len(read_labelled([jsonl(tmp_path / "a.jsonl", rows)])) == 1


def test_contradictions_are_found_across_files(tmp_path: Path) -> None:
    first = jsonl(tmp_path / "a.jsonl", TWO)
    second = jsonl(tmp_path / "b.jsonl", [{"text": "Home > News", "label": "article"}])
    with pytest.raises(LabelledDataError, match=r"b\.jsonl:1: .*a\.jsonl:2"):
        read_labelled([first, second])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text,label\nx\n", r"a\.csv:2: no field label"),
        (b"text,label\n\nx,article\ny,nope\n", r"a\.csv:4: unknown label"),
        (b'text,label\n"a\nb",article\n', r"a\.csv:2: the text holds a line break"),
        (b'text,label\n"a\n', r"a\.csv:2"),
        (b"text,label\na\0b\n", r"a\.csv:2"),
    ],
)
def test_bad_csv_is_refused_by_row(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(LabelledDataError, match=message):
        read_labelled([tmp_path / "a.csv"])


def test_a_large_cell_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"text,label\n{'x' * 300_000},article\ny,advert\n")
    assert len(read_labelled([tmp_path / "a.csv"])[0].lines[0].text) == 300_000


def test_files_and_folders_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_labelled([tmp_path / "missing.csv"])
    with pytest.raises(InputError, match=r"no \.jsonl or \.csv"):
        read_labelled([tmp_path])


_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1).filter(str.strip)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(_text.map(str.strip), st.sampled_from(LABELS), max_size=8))
def test_json_lines_and_csv_say_the_same(tmp_path: Path, lines: dict[str, str]) -> None:
    rows = [{"text": ARTICLE.text, "label": "article"}, {"text": NAVIGATION.text, "label": "navigation"}]
    rows += [{"text": text, "label": label} for text, label in lines.items()]
    with (tmp_path / "a.csv").open("w", encoding="utf8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "label"])
        writer.writeheader()
        writer.writerows(rows)
    from_csv = read_labelled([tmp_path / "a.csv"])
    assert from_csv == read_labelled([jsonl(tmp_path / "a.jsonl", rows)])
    assert [(page.lines[0].text, page.lines[0].label) for page in from_csv] == [
        (row["text"], row["label"]) for row in rows
    ]
