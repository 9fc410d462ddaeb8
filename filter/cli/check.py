"""``pagefilter check``: find injected lines, as a linter would."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from typing import Annotated

import typer

from filter.cli import options
from filter.cli.messages import Messages, printable
from filter.cli.pages import clean_sources
from filter.cli.progress import Progress
from filter.io.sources import Markup, find_sources
from filter.labels import BLANK, INJECTED
from filter.page import Line

EXCERPT = 60
"""Characters of a line that are shown."""


def check(
    files: options.Files = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List page furniture too; it does not count for the exit code.")
    ] = False,
    policy: options.Policy = options.DEFAULT_POLICY,
    model: options.Model = None,
    html: options.Html = None,
) -> options.Task:
    """Find injected spam and prompt injections, as a linter does.

    Each is told in a line: file:line: label probability excerpt. Lines are counted from 1; those of an HTML
    page are the lines it shows. The exit code is 1 if anything injected is found, 0 if not.

    Example: pagefilter check public/
    """
    choice = options.choose_filter(model, policy)
    return partial(_check, tuple(files or ()), everything, options.choose_markup(html), choice)


def _check(files: tuple[str, ...], everything: bool, markup: Markup, choice: options.FilterChoice) -> int:
    sources = find_sources(files)
    page_filter = choice.load()
    progress = Progress(len(sources))
    messages = Messages(progress)
    found = False
    for document, page in clean_sources(page_filter, sources, markup, messages):
        if document.is_html or page.text != document.text:
            for line in page.lines:
                for label, excerpt in findings(line):
                    found = found or label in INJECTED
                    if everything or label in INJECTED:
                        _print_finding(document.source.name, line, label, excerpt)
        progress.advance(1, 1)
    progress.clear()
    return 1 if found else messages.exit_code


def findings(line: Line) -> Iterator[tuple[str, str]]:
    """Say what is wrong with a line: it is dropped as a whole, or spans of it are cut.

    Parameters
    ----------
    line : Line

    Yields
    ------
    tuple of str and str
        A label, and the text it is about.

    Examples
    --------
    >>> list(findings(Line(0, "Home > News", "navigation", 0.97, False, None)))
    [('navigation', 'Home > News')]
    """
    if not line.kept and line.label != BLANK:
        yield line.label, line.text
    elif line.kept:
        for span in line.spans:
            yield span.label, line.text[span.start : span.end]


def _print_finding(name: str, line: Line, label: str, excerpt: str) -> None:
    shown = printable(" ".join(excerpt.split())[:EXCERPT])
    text = f"{printable(name)}:{line.number + 1}: {label} {line.probability:.2f} {shown}\n"
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
