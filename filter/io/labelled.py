"""Labelled lines and pages, to train on and to measure with: JSON lines or CSV.

Fields: ``text`` and ``label``; where they are given ``language``, ``family`` (the kind of junk or the source,
so that a whole family can be held out), ``note``, ``clean`` (the line as it should come out) and ``page``.
Rows of one file with the same ``page`` are the lines of one page, in order, blank ones included; a row
without is a loose line.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filter.errors import InputError, LabelledDataError
from filter.io.jsonl import parse_object
from filter.io.sources import reason
from filter.labels import BLANK, GENUINE, LABELS

SUFFIXES = (".jsonl", ".csv")
_REQUIRED = ("text", "label")
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class LabelledLine:
    """A line and what it is.

    Attributes
    ----------
    text : str
    label : str
        One of `filter.labels.LABELS`, or ``blank``.
    language, family, note : str
        Empty where nothing is said.
    clean : str or None
        The line as it should come out, where that differs from `text`.
    """

    text: str
    label: str
    language: str = ""
    family: str = ""
    note: str = ""
    clean: str | None = None


@dataclass(frozen=True, slots=True)
class LabelledPage:
    """A page of labelled lines.

    Attributes
    ----------
    name : str
        Empty for a loose line, which is a page of its own.
    lines : tuple of LabelledLine
        In order, blank ones included.
    """

    name: str
    lines: tuple[LabelledLine, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A labelled line and where it stands."""

    place: str
    page: str
    line: LabelledLine


def read_labelled(paths: Sequence[Path]) -> list[LabelledPage]:
    r"""Read labelled lines and pages.

    Parameters
    ----------
    paths : sequence of Path
        JSON lines or CSV files, and folders, which are searched for both.

    Returns
    -------
    list of LabelledPage
        Pages where they begin, and loose lines as pages of one line; loose blank lines are left out.

    Raises
    ------
    InputError
        Where a file cannot be read, or a folder holds none.
    LabelledDataError
        Where a row cannot be used, two loose lines contradict each other, or all of it together teaches
        nothing: one label only, or no genuine line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "lines.csv")
    ...     _ = file.write_text("text,label\nThe library opens at nine.,article\nHome > News,navigation\n")
    ...     [page.lines[0].label for page in read_labelled([file])]
    ['article', 'navigation']
    """
    pages: list[LabelledPage] = []
    loose: dict[str, _Row] = {}
    for file in _files(paths):
        rows = list(_read_file(file))
        _refuse_contradictions(rows, loose)
        pages += _pages(rows)
    _refuse_useless(pages, paths)
    return pages


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(
            Path(root, name)
            for root, _, names in os.walk(path)
            for name in names
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        )
        if not found:
            raise InputError(f"{path}: the folder holds no .jsonl or .csv file")
        yield from found


def _read_file(file: Path) -> Iterator[_Row]:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{file}: no such file or folder") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read: {reason(error)}") from None
    cells = _csv_rows(data, file) if file.suffix.lower() == ".csv" else _json_rows(data, file)
    for number, fields in cells:
        place = f"{file}:{number}"
        page = fields.get("page")
        yield _Row(place, "" if page is None else str(page), _line(fields, place))


def _json_rows(data: bytes, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            fields = parse_object(raw)
        except ValueError as error:
            raise LabelledDataError(f"{file}:{number}: {error}; mend or remove the row") from None
        yield number, fields


def _csv_rows(data: bytes, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    text = _csv_text(data)
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    header = text.split("\n", 1)[0].rstrip("\r")
    delimiter = max(_DELIMITERS, key=lambda mark: _columns_found(header, mark))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = 1
    try:
        names = [name.strip() for name in next(reader, [])]
        missing = [name for name in _REQUIRED if name not in names]
        if missing:
            raise LabelledDataError(
                f"{file}:1: no column {' and no column '.join(missing)}; "
                "the first row must name the columns, text and label among them"
            )
        while True:
            number = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                return
            if cells:
                yield number, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        raise LabelledDataError(f"{file}:{number}: malformed CSV: {error}; mend or remove the row") from None


def _columns_found(header: str, delimiter: str) -> int:
    names = [name.strip().strip('"') for name in header.split(delimiter)]
    return sum(name in names for name in _REQUIRED)


def _csv_text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        from filter.decode import decode

        return decode(data).text


def _line(fields: dict[str, Any], place: str) -> LabelledLine:
    for name in _REQUIRED:
        if fields.get(name) is None:
            raise LabelledDataError(f"{place}: no field {name}; every row needs text and label")
        if not isinstance(fields[name], str):
            raise LabelledDataError(f"{place}: the field {name} is not a string; write it in quotes")
    text, label = fields["text"].removesuffix("\n").removesuffix("\r"), fields["label"].strip()
    if "\n" in text:
        raise LabelledDataError(f"{place}: the text holds a line break; write a row for each line")
    if not text.strip():
        return LabelledLine(text, BLANK)
    if label not in LABELS:
        raise LabelledDataError(f"{place}: unknown label {label!r}; the labels are {', '.join(LABELS)}")
    clean = fields.get("clean")
    return LabelledLine(
        text,
        label,
        language=_optional(fields, "language"),
        family=_optional(fields, "family"),
        note=_optional(fields, "note"),
        clean=clean if isinstance(clean, str) and clean else None,
    )


def _optional(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value)


def _refuse_contradictions(rows: Sequence[_Row], loose: dict[str, _Row]) -> None:
    for row in rows:
        if row.page or row.line.label == BLANK:
            continue
        first = loose.setdefault(row.line.text.strip(), row)
        if first.line.label != row.line.label:
            raise LabelledDataError(
                f"{row.place}: this text is {row.line.label} here and {first.line.label} at {first.place}; "
                "decide for one, or say with page which page each stands on"
            )


def _pages(rows: Sequence[_Row]) -> list[LabelledPage]:
    grouped: dict[object, list[_Row]] = {}
    for index, row in enumerate(rows):
        if row.page or row.line.label != BLANK:
            grouped.setdefault(row.page or index, []).append(row)
    return [LabelledPage(group[0].page, tuple(row.line for row in group)) for group in grouped.values()]


def _refuse_useless(pages: Sequence[LabelledPage], paths: Sequence[Path]) -> None:
    labels = {line.label for page in pages for line in page.lines} - {BLANK}
    named = ", ".join(map(str, paths))
    if not labels:
        raise LabelledDataError(f"{named}: there is no labelled line in it")
    if len(labels) == 1:
        raise LabelledDataError(
            f"{named}: all lines are {labels.pop()}; give lines of two labels at least, genuine ones too"
        )
    if not labels & set(GENUINE):
        raise LabelledDataError(f"{named}: no line is genuine; give lines labelled article or metadata too")
