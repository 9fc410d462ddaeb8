"""Verdicts as plain values, and plain values as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from filter.page import Line, Span

_SURROGATE = re.compile("[\ud800-\udfff]")
_PROBABILITY_DIGITS = 6


def to_json(value: Any) -> bytes:
    r"""Write a value as one line of JSON in UTF-8, without a line feed.

    Parameters
    ----------
    value : object
        Anything `json.dumps` takes.

    Returns
    -------
    bytes
        Characters as they are, except lone surrogates: UTF-8 has no room for them, so they are escaped.

    Examples
    --------
    >>> to_json({"text": "網"}).decode()
    '{"text": "網"}'
    >>> to_json("a\ud800")
    b'"a\\ud800"'
    """
    text = json.dumps(value, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def span_record(span: Span) -> dict[str, Any]:
    """Put a span into a dictionary.

    Parameters
    ----------
    span : Span

    Returns
    -------
    dict
        ``start``, ``end``, ``label``, ``replacement``.

    Examples
    --------
    >>> span_record(Span(1, 6, "residue"))
    {'start': 1, 'end': 6, 'label': 'residue', 'replacement': ''}
    """
    return {"start": span.start, "end": span.end, "label": span.label, "replacement": span.replacement}


def verdict_record(line: Line) -> dict[str, Any]:
    """Put a verdict, without the text it is about, into a dictionary.

    Parameters
    ----------
    line : Line

    Returns
    -------
    dict
        ``number``, ``label``, ``probability``, ``kept``, ``spans``.

    Examples
    --------
    >>> verdict_record(Line(0, "Home > News", "navigation", 0.97, False, None))
    {'number': 0, 'label': 'navigation', 'probability': 0.97, 'kept': False, 'spans': []}
    """
    return {
        "number": line.number,
        "label": line.label,
        "probability": round(line.probability, _PROBABILITY_DIGITS),
        "kept": line.kept,
        "spans": [span_record(span) for span in line.spans],
    }
