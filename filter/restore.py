"""Giving back what cleaning took: the original, byte for byte, or some of its lines, from receipts and the clean text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from filter.emit import runs_of
from filter.errors import ReceiptError
from filter.io.rebuild import all_lines, clean_text, encoded, joined_lines, patched, rebuilt, row_with
from filter.io.receipts import LINE, PAGE, VERSION
from filter.page import Span, apply_spans

Chosen = Callable[[int, str], bool]
"""Takes the number of a line and a label, its own or that of a stretch of it, and tells whether that is to come back."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The records of one page.

    Attributes
    ----------
    name : str
        For messages: file, and row where there is one.
    page : dict
    lines : list of dict
    """

    name: str
    page: dict[str, Any]
    lines: list[dict[str, Any]]


def read_receipts(rows: Iterable[bytes], name: str) -> Iterator[Receipt]:
    """Put the records of each page together.

    Parameters
    ----------
    rows : iterable of bytes
        Lines of a file of receipts.
    name : str
        Of the file.

    Yields
    ------
    Receipt

    Raises
    ------
    ReceiptError
        If it holds something other than receipts of this version.
    """
    found: Receipt | None = None
    for number, row in enumerate(rows, start=1):
        where = f"{name}:{number}"
        try:
            record = json.loads(row)
            kind, page_name = record["kind"], _name_of(record)
        except (ValueError, KeyError, TypeError):
            raise ReceiptError(
                f"{where}: not a receipt; give a file that `pagefilter clean --receipts` wrote"
            ) from None
        if kind == PAGE:
            if record.get("version") != VERSION:
                known = f"this pagefilter reads version {VERSION}"
                raise ReceiptError(
                    f"{where}: receipts of version {record.get('version')}, {known}; clean again with it"
                )
            if found is not None:
                yield found
            found = Receipt(page_name, record, [])
        elif kind == LINE and found is not None and page_name == found.name:
            found.lines.append(record)
        else:
            raise ReceiptError(f"{where}: the receipt of a line without that of its page before it; lines are missing")
    if found is not None:
        yield found


def _name_of(record: dict[str, Any]) -> str:
    row = record.get("row")
    return record["source"] if row is None else f"{record['source']}:{row}"


def restore(receipt: Receipt, clean: bytes | None, field: str | None = None) -> bytes:
    """The original bytes of a page.

    Parameters
    ----------
    receipt : Receipt
    clean : bytes or None
        The clean file, or the row as it was written; None where the row was left out.
    field : str, optional
        Of a row, the field that holds the text.

    Returns
    -------
    bytes

    Raises
    ------
    ReceiptError
        If the clean text is not the one that was written, or the receipt does not give the original back.
    """
    _check_clean(receipt, clean)
    try:
        data = patched(rebuilt(receipt.page, receipt.lines, clean, field), receipt.page["raw"])
    except (ValueError, LookupError, TypeError) as error:
        raise _misfit(receipt) from error
    if hashlib.sha256(data).hexdigest() != receipt.page["sha256"]:
        raise _misfit(receipt)
    return data


def restore_some(receipt: Receipt, clean: bytes, chosen: Chosen, field: str | None = None) -> bytes:
    """The clean page with some of its lines as they were.

    Parameters
    ----------
    receipt : Receipt
    clean : bytes
    chosen : callable
    field : str, optional
        Of a row, the field that holds the text.

    Returns
    -------
    bytes
        In the encoding of the clean page.

    Raises
    ------
    ReceiptError
        If the clean text is not the one that was written, or the receipt does not fit it.
    """
    _check_clean(receipt, clean)
    page = receipt.page
    try:
        text = _some_of(receipt, all_lines(page, receipt.lines, clean_text(page, clean, field)), chosen)
    except (ValueError, LookupError, TypeError) as error:
        raise _misfit(receipt) from error
    if field is not None:
        return row_with(clean, field, text)
    return encoded(text, page["output"]["encoding"], bytes.fromhex(page["output"]["bom"]))


def _some_of(receipt: Receipt, lines: list[str], chosen: Chosen) -> str:
    """The text without what is neither kept nor chosen."""
    kept, blank = np.ones(len(lines), bool), np.array([not line.strip() for line in lines], bool)
    for record in receipt.lines:
        number = record["number"]
        if chosen(number, record["label"]):
            continue
        kept[number] = record["output"] is not None
        # Of a line that stayed each stretch comes back by what it is.
        spans = [Span(**span) for span in record["spans"]]
        left = [span for span in spans if not chosen(number, span.label)]
        lines[number] = apply_spans(record["text"], left) if kept[number] else ""
    runs = runs_of(kept, blank, np.array([0, len(lines)]))
    shown = [
        line
        for first, last in zip(runs.first.tolist(), runs.last.tolist(), strict=True)
        for line in lines[first : last + 1]
    ]
    return joined_lines(shown, receipt.page["ends_with_line_feed"] and bool(shown))


def _check_clean(receipt: Receipt, clean: bytes | None) -> None:
    wanted = receipt.page["output"]["sha256"]
    if (None if clean is None else hashlib.sha256(clean).hexdigest()) != wanted:
        raise ReceiptError(f"{receipt.name}: the clean text is not the one that was written; clean it again")


def _misfit(receipt: Receipt) -> ReceiptError:
    return ReceiptError(f"{receipt.name}: the receipt does not fit its page, it was changed; clean it again")
