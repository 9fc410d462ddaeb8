"""``pagefilter check``: find injected lines, as a linter would."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import Annotated

import typer

from filter.cli import options
from filter.cli.findings import describe_finding, page_findings
from filter.cli.messages import Messages
from filter.cli.pages import clean_sources
from filter.cli.progress import Progress
from filter.io.sources import Markup, find_sources
from filter.labels import INJECTED


def check(
    files: options.Files = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List page furniture too; it does not count for the exit code.")
    ] = False,
    policy: options.Policy = options.DEFAULT_POLICY,
    max_loss: options.MaxLoss = None,
    second_opinion: options.SecondOpinion = None,
    model: options.Model = None,
    html: options.Html = None,
) -> options.Task:
    """Find injected spam and prompt injections, as a linter does.

    Each is told in a line: file:line: label probability excerpt. Lines are counted from 1; those of an HTML
    page are the lines it shows. The exit code is 1 if anything injected is found, 0 if not.

    Example: pagefilter check public/
    """
    choice = options.choose_filter(model, policy, max_loss=max_loss, second_opinion=second_opinion)
    return partial(_check, tuple(files or ()), everything, options.choose_markup(html), choice)


def _check(files: tuple[str, ...], everything: bool, markup: Markup, choice: options.FilterChoice) -> int:
    sources = find_sources(files)
    page_filter = choice.load()
    progress = Progress(len(sources))
    messages = Messages(progress)
    found = False
    # A reader that goes away does not make the findings undone.
    with suppress(BrokenPipeError):
        for document, _, page in clean_sources(page_filter, sources, markup, messages):
            if document.is_html or page.text != document.text:
                for line, label, excerpt in page_findings(page):
                    found = found or label in INJECTED
                    if everything or label in INJECTED:
                        shown = describe_finding(document.source.name, line, label, excerpt) + "\n"
                        sys.stdout.buffer.write(shown.encode("utf-8", "backslashreplace"))
            progress.advance(1, 1)
    progress.clear()
    return 1 if found else messages.exit_code
