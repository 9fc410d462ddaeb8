"""Putting a page together again from its clean text, the records of its lines, and patches for what bytes cannot tell."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

from filter.errors import PagefilterError
from filter.io.records import to_json

DEFLATED_FROM = 200
"""Bytes from which a patch is compressed: the markup of an HTML page is one."""


def rebuilt(page: dict[str, Any], lines: Sequence[dict[str, Any]], clean: bytes | None, field: str | None) -> bytes:
    """What clean bytes and the records of a page give back, before patches.

    Parameters
    ----------
    page : dict
        Record of the page.
    lines : sequence of dict
        Records of its lines.
    clean : bytes or None
        The clean file, or the row as it was written; None where it was left out.
    field : str or None
        Of a row, the field that holds the text.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If they do not fit each other.
    """
    if clean is None:
        return b""
    text = joined_lines(all_lines(page, lines, clean_text(page, clean, field)), page["ends_with_line_feed"])
    if field is None:
        return encoded(text, page["encoding"], bytes.fromhex(page["bom"]))
    return clean if page["html"] else row_with(clean, field, text)


def clean_text(page: dict[str, Any], clean: bytes, field: str | None) -> str:
    """The text in clean bytes.

    Parameters
    ----------
    page : dict
    clean : bytes
    field : str or None

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If a row has no such text.
    """
    if field is None:
        from filter.decode import decode_as

        return decode_as(clean, page["output"]["encoding"], bytes.fromhex(page["output"]["bom"]))
    fields = json.loads(clean)
    text = fields.get(field) if isinstance(fields, dict) else None
    if not isinstance(text, str):
        raise ValueError(f"the clean row has no text in its field {field!r}")
    return text


def all_lines(page: dict[str, Any], records: Sequence[dict[str, Any]], text: str) -> list[str]:
    """All lines of the original: those of the clean text, and of the records those that it lacks.

    Parameters
    ----------
    page : dict
    records : sequence of dict
    text : str
        The clean text.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError, IndexError
        If they do not fit each other.
    """
    shown = emitted_lines(text)
    if page["lines"] is None:
        return shown
    lines: list[str | None] = [None] * page["lines"]
    for number, blank in page["blank"]:
        lines[number] = blank
    gone = {record["number"] for record in records if record["output"] is None}
    places = [i for i in range(page["lines"]) if lines[i] is None and i not in gone]
    for place, line in zip(places, shown, strict=True):
        lines[place] = line
    for record in records:
        lines[record["number"]] = record["text"]
    if None in lines:
        raise ValueError("a line is missing")
    return [line for line in lines if line is not None]


def joined_lines(lines: Sequence[str], ends_with_line_feed: bool) -> str:
    """Lines as a text."""
    return "\n".join(lines) + ("\n" if ends_with_line_feed else "")


def row_with(written: bytes, field: str, text: str) -> bytes:
    """A row with another text in it: as it stands where that is the same.

    Parameters
    ----------
    written : bytes
    field : str
    text : str

    Returns
    -------
    bytes
    """
    fields = json.loads(written)
    return written if fields.get(field) == text else to_json({**fields, field: text})


def encoded(text: str, encoding: str, bom: bytes) -> bytes:
    """A text in its encoding; nothing where the encoding cannot hold it, so that all of it becomes a patch.

    Parameters
    ----------
    text : str
    encoding : str
    bom : bytes

    Returns
    -------
    bytes
    """
    from filter.decode import encode

    try:
        return encode(text, encoding, bom)
    except (ValueError, PagefilterError):
        return b""


def emitted_lines(text: str) -> list[str]:
    r"""Lines of an emitted text.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> emitted_lines("one\n\ntwo\n"), emitted_lines("")
    (['one', '', 'two'], [])
    """
    return text.removesuffix("\n").split("\n") if text else []


def patches(made: bytes, data: bytes) -> list[dict[str, Any]]:
    r"""What to replace in rebuilt bytes to get the ones that came: markup, or which of two codes a character had.

    Parameters
    ----------
    made : bytes
        What was rebuilt.
    data : bytes
        What came.

    Returns
    -------
    list of dict
        ``offset`` and ``length`` in `made`, in order, and ``bytes`` in base64, or ``deflated`` (zlib) and in base64.

    Examples
    --------
    >>> patches(b"one\ntwo\n", b"one\ntow\n")
    [{'offset': 5, 'length': 2, 'bytes': 'b3c='}]
    """
    if made == data:
        return []
    before, after = made.split(b"\n"), data.split(b"\n")
    if len(before) != len(after):
        return [_patch(0, made, data)]
    found, start = [], 0
    for old, new in zip(before, after, strict=True):
        if old != new:
            found.append(_patch(start, old, new))
        start += len(old) + 1
    return found


def _patch(start: int, old: bytes, new: bytes) -> dict[str, Any]:
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    piece = new[head : len(new) - tail]
    where = {"offset": start + head, "length": len(old) - head - tail}
    if len(piece) < DEFLATED_FROM:
        return {**where, "bytes": base64.b64encode(piece).decode()}
    return {**where, "deflated": base64.b64encode(zlib.compress(piece)).decode()}


def patched(made: bytes, changes: Sequence[dict[str, Any]]) -> bytes:
    """Rebuilt bytes with patches applied.

    Parameters
    ----------
    made : bytes
    changes : sequence of dict
        Of `patches`.

    Returns
    -------
    bytes

    Examples
    --------
    >>> patched(b"one", patches(b"one", b"other"))
    b'other'
    """
    pieces, place = [], 0
    for change in changes:
        deflated = change.get("deflated")
        new = base64.b64decode(change["bytes"]) if deflated is None else zlib.decompress(base64.b64decode(deflated))
        pieces += [made[place : change["offset"]], new]
        place = change["offset"] + change["length"]
    return b"".join((*pieces, made[place:]))
