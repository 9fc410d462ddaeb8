"""`pagefilter label`: every line tagged, nothing removed."""

from __future__ import annotations

import json
from pathlib import Path

from cli_support import Cli

PAGE = "NAV Home\n\n網(wǎng)站"


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(row) for row in text.split("\n") if row]


VERDICTS = [
    {"number": 0, "label": "navigation", "probability": 0.991235, "kept": False, "spans": []},
    {"number": 1, "label": "blank", "probability": 0.0, "kept": True, "spans": []},
    {
        "number": 2,
        "label": "article",
        "probability": 0.0625,
        "kept": True,
        "spans": [{"start": 1, "end": 7, "label": "residue", "replacement": ""}],
    },
]


def test_one_object_a_line(cli: Cli) -> None:
    result = cli("label", stdin=PAGE.encode())
    assert (result.code, result.err) == (0, "")
    texts = ["NAV Home", "", "網(wǎng)站"]
    assert rows(result.out) == [{**verdict, "text": text} for verdict, text in zip(VERDICTS, texts, strict=True)]


def test_files_are_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.")
    (tmp_path / "b.txt").write_text("Two.")
    result = cli("label", tmp_path)
    assert [(row["source"], row["text"]) for row in rows(result.out)] == [
        (str(tmp_path / "a.txt"), "One."),
        (str(tmp_path / "b.txt"), "Two."),
    ]


def test_rows_get_a_field(cli: Cli) -> None:
    raw = json.dumps({"id": 1.50, "body": PAGE}) + "\n"
    result = cli("label", "--jsonl", "--field", "body", stdin=raw.encode())
    assert rows(result.out) == [{"id": 1.5, "body": PAGE, "pagefilter": VERDICTS}]


def test_the_field_has_the_name_that_was_asked_for(cli: Cli) -> None:
    result = cli("label", "--jsonl", "--as", "lines", stdin=b'{"text": "One.", "n": 1e400}  \n')
    assert '"n": 1e400, "lines": [{' in result.out


def test_a_field_that_is_there_is_not_overwritten(cli: Cli) -> None:
    stdin = b'{"text": "One.", "pagefilter": 1}\n{"text": "Two."}\n'
    result = cli("label", "--jsonl", stdin=stdin)
    assert result.code == 1
    assert [row["text"] for row in rows(result.out)] == ["Two."]
    assert result.err == "pagefilter: -:1: the row has a field 'pagefilter' already; choose another name with --as\n"


def test_policies_and_labels_are_taken(cli: Cli) -> None:
    result = cli("label", "--keep", "navigation", stdin=b"NAV x")
    assert rows(result.out)[0]["kept"] is True


def test_as_without_rows_is_wrong_usage(cli: Cli) -> None:
    assert cli("label", "--as", "lines").code == 2
