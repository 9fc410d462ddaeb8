"""Receipts: what was dropped or changed, and what it takes to put every page together again, as JSON lines.

Each page has a record of its own, then one for every line of it that was dropped or came out changed. Their fields are
described in ``receipts.schema.json``, beside this module; `VERSION` rises when a field changes its meaning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filter.io.rebuild import emitted_lines, encoded, patches, rebuilt
from filter.io.records import to_json, verdict_record
from filter.labels import BLANK
from filter.page import Line, Page

if TYPE_CHECKING:
    from filter.explain import Explanation

VERSION = 1
PAGE, LINE = "page", "line"
"""Kinds of records."""

Explain = Callable[[Page, str, Sequence[Line]], "Sequence[Explanation]"]
"""Takes a page, what was cleaned, and some of its lines, and gives the reasons for each."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a page came from, and in which bytes.

    Attributes
    ----------
    named : dict of str to object
        ``source``, and ``row`` for JSON lines.
    place : str
        Of its file below an output folder.
    text : str
        What was cleaned: of HTML the text as laid out.
    encoding : str
    bom : bytes
    data : bytes
        The file, or the row, as it came.
    is_html : bool
    field : str or None
        Of a row, the field that holds the text.
    """

    named: dict[str, Any]
    place: str
    text: str
    encoding: str
    bom: bytes
    data: bytes
    is_html: bool = False
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a page.

    Attributes
    ----------
    data : bytes or None
        None where a row was left out.
    place : str
        Of the file below the output folder.
    encoding : str
    bom : bytes
    """

    data: bytes | None
    place: str
    encoding: str = "utf-8"
    bom: bytes = b""


def page_receipts(
    page: Page, origin: Origin, written: Written, model: dict[str, Any], explain: Explain
) -> Iterator[dict[str, Any]]:
    """Make the receipts of a page.

    Parameters
    ----------
    page : Page
    origin : Origin
    written : Written
    model : dict
        ``model``, the hash of the weights that decided, and ``thresholds``.
    explain : callable

    Yields
    ------
    dict
        The record of the page, then those of its lines; an untouched page has none of these.
    """
    lines = None if page.text == origin.text else page.lines
    # As they will be read: two halves of a character, apart in the text, are one in JSON, and are patched below.
    records = [json.loads(to_json(record)) for record in _line_records(page, origin, lines or (), model, explain)]
    record = {
        "kind": PAGE,
        "version": VERSION,
        **origin.named,
        "place": origin.place,
        "sha256": hashlib.sha256(origin.data).hexdigest(),
        "encoding": origin.encoding,
        "bom": origin.bom.hex(),
        "html": origin.is_html,
        "line_endings": line_endings(origin.text),
        "ends_with_line_feed": origin.text.endswith("\n"),
        "lines": None if lines is None else len(lines),
        "blank": [] if lines is None else left_out_blanks(page, lines),
        "output": {
            "place": written.place,
            "sha256": None if written.data is None else hashlib.sha256(written.data).hexdigest(),
            "encoding": written.encoding,
            "bom": written.bom.hex(),
        },
        "verdict": page.verdict,
        **model,
    }
    # What restoring will do is done here, so that patches are for exactly what it leaves wrong.
    yield {**record, "raw": patches(rebuilt(record, records, written.data, origin.field), origin.data)}
    yield from records


def _line_records(
    page: Page, origin: Origin, lines: Sequence[Line], model: dict[str, Any], explain: Explain
) -> Iterator[dict[str, Any]]:
    changed = [line for line in lines if line.label != BLANK and line.output != line.text]
    if not changed:
        return
    offsets = _offsets(origin, lines)
    for line, explanation in zip(changed, explain(page, origin.text, changed), strict=True):
        verdict = verdict_record(line)
        yield {
            "kind": LINE,
            **origin.named,
            "number": line.number,
            "offset": {"bytes": offsets[line.number][0], "characters": offsets[line.number][1]},
            "label": verdict["label"],
            "probability": verdict["probability"],
            "text": line.text,
            "output": line.output,
            "spans": verdict["spans"],
            "reasons": [reason.record() for reason in explanation.reasons],
            "model": model["model"],
        }


def left_out_blanks(page: Page, lines: Sequence[Line]) -> list[list[Any]]:
    """Blank lines that were left out beside dropped ones: number and text of each.

    Parameters
    ----------
    page : Page
    lines : sequence of Line
        Of the page.

    Returns
    -------
    list of [int, str]

    Examples
    --------
    >>> lines = [Line(0, "Home", "navigation", 0.9, False, None), Line(1, "", "blank", 0.0, True, ""),
    ...          Line(2, "Words.", "article", 0.1, True, "Words.")]
    >>> left_out_blanks(Page("Words.", lambda: lines), lines)
    [[1, '']]
    """
    shown = emitted_lines(page.text)
    found: list[list[Any]] = []
    place, waiting = 0, list[Line]()
    for line in [*lines, None]:
        if line is not None and line.label == BLANK:
            waiting.append(line)
        elif line is None or line.output is not None:
            # Of the blank lines of a gap the first ones stay.
            stop = len(shown) if line is None else place + _blank_run(shown, place)
            found += [[blank.number, blank.text] for blank in waiting[stop - place :]]
            place, waiting = stop + 1, []
    return found


def _blank_run(shown: Sequence[str], place: int) -> int:
    count = 0
    while place + count < len(shown) and not shown[place + count].strip():
        count += 1
    return count


def line_endings(text: str) -> str:
    r"""How lines of a text end, for the eye: each line holds its own carriage return.

    Parameters
    ----------
    text : str

    Returns
    -------
    {"none", "lf", "crlf", "mixed"}

    Examples
    --------
    >>> [line_endings(text) for text in ("one", "one\n", "one\r\n", "one\r\ntwo\n")]
    ['none', 'lf', 'crlf', 'mixed']
    """
    feeds, pairs = text.count("\n"), text.count("\r\n")
    return "none" if not feeds else "lf" if not pairs else "crlf" if pairs == feeds else "mixed"


def _offsets(origin: Origin, lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Where each line begins, in bytes and in code points: in the file, but of rows and of HTML in the text."""
    characters, found = 0, []
    in_bytes = 0 if origin.field is not None or origin.is_html else len(origin.bom)
    feed = len(encoded("\n", origin.encoding, b""))
    for line in lines:
        found.append((in_bytes, characters))
        characters += len(line.text) + 1
        in_bytes += len(encoded(line.text, origin.encoding, b"")) + feed
    return found
