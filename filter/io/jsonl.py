"""JSON lines: rows read one at a time, and written with one field changed or added."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from filter.io.records import to_json
from filter.io.sources import Report

_UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """A row with a text in it.

    Attributes
    ----------
    source : str
        Name of the file, for messages and receipts.
    number : int
        Line of the file, counted from 1.
    raw : bytes
        The row as it came, without its line ending.
    fields : dict
        What it holds, in order.
    text : str
        The field that is a page.
    """

    source: str
    number: int
    raw: bytes
    fields: dict[str, Any]
    text: str


def read_rows(stream: Iterable[bytes], source: str, field: str, on_error: Report) -> Iterator[Row]:
    r"""Read rows one at a time; blank lines are passed by.

    Parameters
    ----------
    stream : iterable of bytes
        Lines of a file.
    source : str
        Its name.
    field : str
        The field that holds the text.
    on_error : callable
        Called with a message for every row that is malformed or holds no text; the row is left out.

    Yields
    ------
    Row

    Examples
    --------
    >>> rows = read_rows([b'{"id": 1, "text": "One."}\n', b'{"id": 2\n'], "rows.jsonl", "text", print)
    >>> [row.text for row in rows]
    rows.jsonl:2: malformed JSON: Expecting ',' delimiter (column 9)
    ['One.']
    """
    for number, line in enumerate(stream, start=1):
        raw = line.rstrip(b"\r\n")
        if number == 1:
            raw = raw.removeprefix(_UTF8_BOM)
        if not raw.strip():
            continue
        try:
            fields = parse_object(raw)
            text = _text_of(fields, field)
        except ValueError as error:
            on_error(f"{source}:{number}: {error}")
            continue
        yield Row(source, number, raw, fields, text)


def parse_object(raw: bytes) -> dict[str, Any]:
    """Parse a row that must be a JSON object.

    Parameters
    ----------
    raw : bytes

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        With a message that says what is wrong.

    Examples
    --------
    >>> parse_object(b'[1]')
    Traceback (most recent call last):
    ValueError: the row is a list, not a JSON object
    """
    try:
        value = json.loads(raw.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"malformed JSON: byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"malformed JSON: {error.msg} (column {error.pos + 1})") from None
    except RecursionError:
        raise ValueError("malformed JSON: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"malformed JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"the row is {_KINDS[type(value)]}, not a JSON object")
    return value


_KINDS: dict[type, str] = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
    dict: "an object",
}


def _text_of(fields: dict[str, Any], field: str) -> str:
    if field not in fields:
        raise ValueError(f"the row has no field {field!r}; name the one that holds the text with --field")
    text = fields[field]
    if not isinstance(text, str):
        raise ValueError(f"the field {field!r} is {_KINDS[type(text)]}, not a string")
    return text


def with_text(row: Row, field: str, text: str) -> bytes:
    r"""Write a row with another text.

    Parameters
    ----------
    row : Row
    field : str
        The field that holds the text.
    text : str

    Returns
    -------
    bytes
        Without a line ending; byte for byte as it came where the text is the same.

    Examples
    --------
    >>> row = Row("f", 1, b'{"id":1.50,"text":"a\\nb"}', {"id": 1.5, "text": "a\nb"}, "a\nb")
    >>> with_text(row, "text", "a\nb")
    b'{"id":1.50,"text":"a\\nb"}'
    >>> with_text(row, "text", "b")
    b'{"id": 1.5, "text": "b"}'
    """
    if text == row.text:
        return row.raw
    return to_json({**row.fields, field: text})


def with_field(row: Row, field: str, value: Any) -> bytes:
    r"""Write a row with a field more, the others byte for byte as they came.

    Parameters
    ----------
    row : Row
    field : str
        A name that the row does not have.
    value : object

    Returns
    -------
    bytes
        Without a line ending.

    Raises
    ------
    ValueError
        Where the row has that field.

    Examples
    --------
    >>> with_field(Row("f", 1, b'{"text": "a"}', {"text": "a"}, "a"), "lines", [])
    b'{"text": "a", "lines": []}'
    """
    if field in row.fields:
        raise ValueError(f"the row has a field {field!r} already; choose another name with --as")
    return row.raw.rstrip()[:-1].rstrip() + b", " + to_json(field) + b": " + to_json(value) + b"}"
