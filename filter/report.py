"""An evaluation as a page that people read: one HTML file with its plots inside, nothing fetched, nothing to run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filter.evaluation import BINS, Outcomes, Report
from filter.intervals import wilson
from filter.labels import GENUINE, INJECTED, LABELS

WORST = 8
"""Mistakes shown of each label."""
MOST_ROWS = 200
EXCERPT = 160
_SIZE, _EDGE = 320, 40
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h2{margin-top:2.5rem}table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}td.text{text-align:left;unicode-bidi:plaintext}svg{margin-right:2rem}
pre{white-space:pre-wrap;background:#f6f6f6;padding:1rem;overflow-x:auto}text{font:12px system-ui,sans-serif;fill:#444}"""


def html_report(outcomes: Outcomes, report: Report, card: dict[str, Any]) -> str:
    """An evaluation as one HTML page.

    Parameters
    ----------
    outcomes : Outcomes
        What became of every line.
    report : Report
        Their summary.
    card : dict
        The model's card, shown on top.

    Returns
    -------
    str

    Examples
    --------
    >>> from filter.evaluation import summarise
    >>> outcomes = Outcomes(["Home"], ["navigation"], ["article"], [0.2], [True], ["en"], ["en-menu"])
    >>> "en-menu" in html_report(outcomes, summarise(outcomes, "careful", 1), {"format": 4})
    True
    """
    parts = [
        "<h1>Evaluation</h1>",
        f"<p>{report.lines} lines of {report.pages} pages, policy {escape(report.policy)}. Intervals are Wilson's at 95%.</p>",
        *_section("Model card", _card(card)),
        *_section("In short", _short(report)),
        *_section("Labels", _labels(report)),
        *_section("Precision and recall, reliability", _plots(outcomes)),
        *_section("Confusion: rows are what lines are, columns what they were called", _confusion(outcomes)),
        *_section("By language", _groups(outcomes, outcomes.language)),
        *_section(
            "By topic, the second part of a family's name", _groups(outcomes, [_topic(f) for f in outcomes.family])
        ),
        *_section("By family, those with most mistakes first", _groups(outcomes, outcomes.family)),
        *_section("Worst mistakes", _worst(outcomes)),
    ]
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Evaluation</title><style>{_STYLE}</style>\n{body}\n</html>\n'


def _section(title: str, body: str) -> tuple[str, str]:
    return f"<h2>{escape(title)}</h2>", body


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], texts: frozenset[int] = frozenset()) -> str:
    """A table; columns in `texts` hold lines as written."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=text' if i in texts else ''}>{escape(cell)}</td>" for i, cell in enumerate(row))
        + "</tr>\n"
        for row in rows
    )
    return f"<table><tr>{top}</tr>\n{body}</table>"


def _share(hits: int, n: int) -> str:
    if not n:
        return "–"
    low, high = wilson(hits, n)
    return f"{hits / n:.1%} ({low:.1%} to {high:.1%})"


def _card(card: dict[str, Any]) -> str:
    rows = [
        ("model", str(card.get("weights_sha256", "not saved"))[:16]),
        ("pages learned from", str(card.get("pages", "?"))),
    ]
    for name, promise in card.get("promises", {}).items():
        bound = promise["bound"]
        said = bound if isinstance(bound, str) else f"at most {bound:.3%} expected"
        rows.append((name, f"{promise['loss']:.3%} on {promise['pages']} pages, {said}"))
    rows += [(f"source {source['name']}", f"{source.get('rows', '?')} rows, {source.get('licence', 'own')}")
             for source in card.get("sources", ())]  # fmt: skip
    return _table(("", ""), rows)


def _short(report: Report) -> str:
    return _table(("", ""), [
        ("genuine lines lost", f"{_share(report.lost, report.genuine)} of {report.genuine}"),
        ("junk lines dropped", f"{_share(report.dropped, report.junk)} of {report.junk}"),
        ("macro F1 over labels", f"{report.macro_f1:.3f}"),
        ("expected calibration error", f"{report.calibration_error:.4f}"),
    ])  # fmt: skip


def _labels(report: Report) -> str:
    return _table(
        ("label", "precision", "recall", "F1", "lines"),
        [(s.label, f"{s.precision:.3f}", f"{s.recall:.3f}", f"{s.f1:.3f}", str(s.lines)) for s in report.labels],
    )


def _plots(outcomes: Outcomes) -> str:
    chance = np.array(outcomes.probability, np.float64)
    label = np.array(outcomes.label)
    is_junk = ~np.isin(label, GENUINE)
    curves = [("all junk", "#1f4e9c", is_junk), ("injected", "#b3261e", np.isin(label, INJECTED))]
    lines: list[str] = []
    names: list[str] = []
    for name, colour, positive in curves:
        counted = positive | ~is_junk
        if positive.any():
            lines.append(_line(_precision_recall(chance[counted], positive[counted]), colour))
            names.append(
                f'<text x="{_EDGE + 10}" y="{_SIZE - _EDGE - 30 + 16 * len(names)}" style="fill:{colour}">{name}</text>'
            )
    said, came = _reliability(chance, is_junk)
    dots = "".join(
        f'<circle cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="4" fill="#1f4e9c"/>' for x, y in zip(said, came, strict=True)
    )
    diagonal = _line([(0.0, 0.0), (1.0, 1.0)], "#bbb")
    return _frame("recall", "precision", "".join((*lines, *names))) + _frame(
        "probability", "share that is junk", diagonal + dots
    )


def _precision_recall(chance: NDArray[np.float64], positive: NDArray[np.bool_]) -> list[tuple[float, float]]:
    order = np.argsort(-chance, kind="stable")
    right = np.cumsum(positive[order])
    precision, recall = right / np.arange(1, len(order) + 1), right / max(int(positive.sum()), 1)
    some = np.unique(np.linspace(0, len(order) - 1, min(len(order), 200)).astype(int))
    return list(zip(recall[some].tolist(), precision[some].tolist(), strict=True))


def _reliability(chance: NDArray[np.float64], outcome: NDArray[np.bool_]) -> tuple[list[float], list[float]]:
    bins = np.minimum((chance * BINS).astype(int), BINS - 1)
    n, said, came = (np.bincount(bins, weights, BINS) for weights in (None, chance, outcome))
    some = n > 0
    return (said[some] / n[some]).tolist(), (came[some] / n[some]).tolist()


def _x(value: float) -> float:
    return _EDGE + value * (_SIZE - 2 * _EDGE)


def _y(value: float) -> float:
    return _SIZE - _EDGE - value * (_SIZE - 2 * _EDGE)


def _line(points: Sequence[tuple[float, float]], colour: str) -> str:
    path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _frame(across: str, up: str, inside: str) -> str:
    inner = _SIZE - 2 * _EDGE
    ticks = "".join(
        f'<text x="{_x(v):.0f}" y="{_SIZE - _EDGE + 16}" text-anchor="middle">{v:g}</text>'
        f'<text x="{_EDGE - 6}" y="{_y(v) + 4:.0f}" text-anchor="end">{v:g}</text>'
        for v in (0, 0.5, 1)
    )
    return (
        f'<svg width="{_SIZE}" height="{_SIZE}" role="img" aria-label="{up} by {across}">'
        f'<rect x="{_EDGE}" y="{_EDGE}" width="{inner}" height="{inner}" fill="none" stroke="#999"/>{ticks}'
        f'<text x="{_SIZE / 2}" y="{_SIZE - 6}" text-anchor="middle">{across}</text>'
        f'<text x="{_EDGE}" y="{_EDGE - 10}">{up}</text>{inside}</svg>'
    )


def _confusion(outcomes: Outcomes) -> str:
    counts = Counter(zip(outcomes.label, outcomes.said, strict=True))
    there = [label for label in LABELS if any(label in pair for pair in counts)]
    return _table(("", *there), [(row, *(str(counts[row, column] or "") for column in there)) for row in there])


def _groups(outcomes: Outcomes, names: Sequence[str]) -> str:
    lines: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        lines[name or "not named"].append(index)
    rows = []
    for name, of_group in lines.items():
        genuine = [i for i in of_group if outcomes.label[i] in GENUINE]
        junk = [i for i in of_group if outcomes.label[i] not in GENUINE]
        lost, kept = sum(not outcomes.kept[i] for i in genuine), sum(outcomes.kept[i] for i in junk)
        rows.append((lost + kept, (name, _share(lost, len(genuine)), str(len(genuine)),
                                   _share(len(junk) - kept, len(junk)), str(len(junk)))))  # fmt: skip
    rows.sort(key=lambda row: (-row[0], row[1][0]))
    left_out = f"<p>{len(rows) - MOST_ROWS} more are not shown.</p>" if len(rows) > MOST_ROWS else ""
    head = ("", "genuine lines lost", "of", "junk lines dropped", "of")
    return _table(head, [row for _, row in rows[:MOST_ROWS]]) + left_out


def _topic(family: str) -> str:
    """What a family is about: its name says language, topic and form."""
    parts = family.removeprefix("hard-").split("-")
    return parts[1] if len(parts) > 1 else family


def _worst(outcomes: Outcomes) -> str:
    parts = []
    for label in LABELS:
        kept_or_lost: Callable[[int], bool] = (
            (lambda i: not outcomes.kept[i]) if label in GENUINE else (lambda i: outcomes.kept[i])
        )
        wrong = [i for i, its_label in enumerate(outcomes.label) if its_label == label and kept_or_lost(i)]
        if not wrong:
            continue
        wrong.sort(key=lambda i: (-1 if label in GENUINE else 1) * outcomes.probability[i])
        parts.append(f"<h3>{label}, {'dropped' if label in GENUINE else 'kept'}: {len(wrong)}</h3>")
        rows = [(f"{outcomes.probability[i]:.3f}", outcomes.said[i], outcomes.family[i], outcomes.text[i][:EXCERPT])
                for i in wrong[:WORST]]  # fmt: skip
        parts.append(_table(("probability", "called", "family", "line"), rows, frozenset((3,))))
    return "\n".join(parts) or "<p>There is none.</p>"
