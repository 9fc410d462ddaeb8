"""``pagefilter diff``: what would go from a page, shown in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated

import typer

from filter.cli import options
from filter.cli.messages import Messages, printable
from filter.cli.pages import clean_sources
from filter.cli.progress import Progress
from filter.io.sources import Markup, find_sources
from filter.labels import BLANK
from filter.page import Line, Page

CONTEXT = 2
"""Lines shown around those that change."""
_RESET, _RED, _GREEN, _CYAN = "\x1b[0m", "\x1b[31m", "\x1b[32m", "\x1b[36m"


def diff(
    files: options.Files = None,
    color: Annotated[
        bool | None,
        typer.Option("--color/--no-color", help="Colour what goes.  [default: on a terminal]", show_default=False),
    ] = None,
    policy: options.Policy = options.DEFAULT_POLICY,
    only: options.Only = None,
    keep: options.Keep = None,
    drop: options.Drop = None,
    max_loss: options.MaxLoss = None,
    second_opinion: options.SecondOpinion = None,
    no_repair: options.NoRepair = None,
    model: options.Model = None,
    html: options.Html = None,
) -> options.Task:
    """Show what would go from each page, in its place, as git diff --word-diff does.

    What goes stands in [-...-], what comes instead in {+...+}; on a terminal in red and green.

    Example: pagefilter diff page.txt
    """
    choice = options.choose_filter(model, policy, only, keep, drop, max_loss, second_opinion, no_repair)
    markup = options.choose_markup(html)
    return partial(_diff, tuple(files or ()), markup, choice, color)


def _diff(files: tuple[str, ...], markup: Markup, choice: options.FilterChoice, color: bool | None) -> int:
    sources = find_sources(files)
    page_filter = choice.load()
    messages = Messages(Progress())
    wanted = color if color is not None else sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for document, text, page in clean_sources(page_filter, sources, markup, messages):
        if page.text == text and not document.is_html:
            continue
        shown = "".join(f"{line}\n" for line in describe(document.source.name, page, wanted))
        sys.stdout.buffer.write(shown.encode("utf-8", "backslashreplace"))
    return messages.exit_code


def describe(name: str, page: Page, color: bool) -> list[str]:
    r"""The changed stretches of a page, with some lines around them.

    Parameters
    ----------
    name : str
        Of the file.
    page : Page
    color : bool
        Colour what goes and comes, instead of putting it into brackets.

    Returns
    -------
    list of str

    Examples
    --------
    >>> lines = [Line(0, "Home", "navigation", 0.9, False, None), Line(1, "Words.", "article", 0.1, True, "Words.")]
    >>> describe("a.txt", Page("Words.", lambda: lines), color=False)
    ['--- a.txt', '@@ 1-2 @@', '[-Home-] navigation 0.90', 'Words.']
    """
    lines = page.lines
    changed = [line.number for line in lines if line.label != BLANK and line.output != line.text]
    shown = [_paint(f"--- {printable(name)}", _CYAN, color)] if changed else []
    for first, last in _hunks(changed, len(lines)):
        shown.append(_paint(f"@@ {first + 1}-{last + 1} @@", _CYAN, color))
        shown += [_line(line, color) for line in lines[first : last + 1]]
    return shown


def _hunks(changed: Sequence[int], n_lines: int) -> Iterator[tuple[int, int]]:
    """First and last line of each stretch to be shown."""
    first = last = -1
    for number in changed:
        low, high = max(number - CONTEXT, 0), min(number + CONTEXT, n_lines - 1)
        if first < 0:
            first = low
        elif low > last + 1:
            yield first, last
            first = low
        last = high
    if first >= 0:
        yield first, last


def _line(line: Line, color: bool) -> str:
    if line.output is None:
        return f"{_gone(line.text, color)} {line.label} {line.probability:.2f}"
    pieces, place = [], 0
    for span in line.spans:
        pieces.append(printable(line.text[place : span.start]))
        pieces.append(_gone(line.text[span.start : span.end], color))
        if span.replacement:
            pieces.append(_come(span.replacement, color))
        place = span.end
    return "".join((*pieces, printable(line.text[place:])))


def _gone(text: str, color: bool) -> str:
    return _paint(printable(text), _RED, color) if color else f"[-{printable(text)}-]"


def _come(text: str, color: bool) -> str:
    return _paint(printable(text), _GREEN, color) if color else f"{{+{printable(text)}+}}"


def _paint(text: str, style: str, color: bool) -> str:
    return f"{style}{text}{_RESET}" if color else text
