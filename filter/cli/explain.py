"""``pagefilter explain``: every line, with the reasons for its label."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from filter.cli import options
from filter.cli.messages import Messages, printable
from filter.cli.progress import Progress
from filter.io.records import to_json, verdict_record
from filter.io.sources import STDIN, Markup, find_sources, read_documents
from filter.labels import BLANK, GENUINE, INJECTED
from filter.page import Line

if TYPE_CHECKING:
    from filter.explain import Explanation, Reason

_RESET, _BOLD, _DIM, _RED, _YELLOW = "\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m"


def explain(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A page; standard input by default.", show_default=False)
    ] = STDIN,
    as_json: Annotated[bool, typer.Option("--json", help="Give a JSON object for each line.")] = False,
    color: Annotated[
        bool | None,
        typer.Option("--color/--no-color", help="Colour the lines.  [default: on a terminal]", show_default=False),
    ] = None,
    policy: options.Policy = options.DEFAULT_POLICY,
    only: options.Only = None,
    keep: options.Keep = None,
    drop: options.Drop = None,
    model: options.Model = None,
    html: options.Html = None,
) -> options.Task:
    """Show every line with its label and the reasons.

    For each line: whether it is kept, its label, the probability that it is neither article nor metadata, and
    the strongest n-grams and page features, positive where they speak for junk.

    Example: pagefilter explain page.txt
    """
    choice = options.choose_filter(model, policy, only, keep, drop)
    markup = options.choose_markup(html)
    if as_json:
        return partial(_explain_as_json, file, markup, choice)
    return partial(_explain_as_text, file, markup, choice, _wants_color() if color is None else color)


def _explain_as_json(file: str, markup: Markup, choice: options.FilterChoice) -> int:
    explanations, exit_code = _explanations(file, markup, choice)
    for explanation in explanations:
        line = explanation.line
        reasons = [reason.record() for reason in explanation.reasons]
        sys.stdout.buffer.write(
            to_json({**verdict_record(line), "threshold": explanation.threshold, "text": line.text, "reasons": reasons})
            + b"\n"
        )
    return exit_code


def _explain_as_text(file: str, markup: Markup, choice: options.FilterChoice, color: bool) -> int:
    explanations, exit_code = _explanations(file, markup, choice)
    for explanation in explanations:
        shown = "\n".join(describe(explanation, color)) + "\n"
        sys.stdout.buffer.write(shown.encode("utf-8", "backslashreplace"))
    return exit_code


def _explanations(file: str, markup: Markup, choice: options.FilterChoice) -> tuple[list[Explanation], int]:
    sources = find_sources([file])
    page_filter = choice.load()
    messages = Messages(Progress())
    explained: list[Explanation] = []
    for document in read_documents(sources, markup, on_skip=messages.fail, on_error=messages.fail):
        text = document.text
        if document.is_html:
            from filter.html import layout

            text = layout(text)
        explained += page_filter.explain(text)
    return explained, messages.exit_code


def describe(explanation: Explanation, color: bool) -> list[str]:
    """Put an explanation into lines for the eye.

    Parameters
    ----------
    explanation : Explanation
    color : bool
        Whether to colour them as a terminal does.

    Returns
    -------
    list of str
        The verdict and the line; below it the spans that were cut, and the reasons.
    """
    line = explanation.line
    if line.label == BLANK:
        return [f"{line.number + 1:5}"]
    verdict = f"{'keep' if line.kept else 'drop'} {line.label:<16} {line.probability:4.2f}"
    shown = [f"{line.number + 1:5} {_paint(verdict, _verdict_style(line), color)}  "
             f"{_paint(printable(line.text), _text_style(line), color)}"]  # fmt: skip
    if line.kept and line.output != line.text:
        shown.append(f"{'':5} comes out as: {printable(line.output or '')}")
    if explanation.reasons:
        because = "; ".join(map(_describe_reason, explanation.reasons))
        shown.append(_paint(f"{'':5} because: {because} (goes from {explanation.threshold:.2f})", _DIM, color))
    return shown


def _describe_reason(reason: Reason) -> str:
    name = f'"{printable(reason.name)}"' if reason.kind == "n-gram" else printable(reason.name)
    return f"{name} {reason.weight:+.2f}"


def _verdict_style(line: Line) -> str:
    if line.label in GENUINE:
        return _BOLD
    return _RED if line.label in INJECTED else _YELLOW


def _text_style(line: Line) -> str:
    return "" if line.kept else _verdict_style(line)


def _paint(text: str, style: str, color: bool) -> str:
    return f"{style}{text}{_RESET}" if color and style else text


def _wants_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
