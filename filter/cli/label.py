"""``pagefilter label``: what every line is, with nothing removed."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated

import typer

from filter.cli import options
from filter.cli.messages import Messages, WrongUsageError
from filter.cli.pages import clean_rows, clean_sources, open_rows, total_bytes
from filter.cli.progress import Progress
from filter.errors import InputError
from filter.io.jsonl import with_field
from filter.io.records import to_json, verdict_record
from filter.io.sources import JSONL_SUFFIXES, STDIN, Markup, find_sources

DEFAULT_FIELD = "pagefilter"


def label(
    files: options.Files = None,
    jsonl: options.Jsonl = False,
    field: options.Field = None,
    as_field: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help=f"The field to add to each row.  [default: {DEFAULT_FIELD}]"),
    ] = None,
    policy: options.Policy = options.DEFAULT_POLICY,
    only: options.Only = None,
    keep: options.Keep = None,
    drop: options.Drop = None,
    max_loss: options.MaxLoss = None,
    second_opinion: options.SecondOpinion = None,
    model: options.Model = None,
    html: options.Html = None,
) -> options.Task:
    """Say what every line is, and remove nothing.

    Gives a JSON object for each line; with --jsonl each row with a field more, a list of such objects without
    the text that the row holds anyway.

    Example: pagefilter label --jsonl --field body < rows.jsonl > tagged.jsonl
    """
    field_name = options.choose_field(jsonl, field)
    if as_field is not None and not jsonl:
        raise WrongUsageError("--as needs --jsonl")
    choice = options.choose_filter(model, policy, only, keep, drop, max_loss, second_opinion)
    names, markup = tuple(files or ()), options.choose_markup(html)
    if jsonl:
        return partial(_label_rows, names, field_name, as_field or DEFAULT_FIELD, markup, choice)
    return partial(_label_pages, names, markup, choice)


def _label_pages(files: tuple[str, ...], markup: Markup, choice: options.FilterChoice) -> int:
    sources = find_sources(files)
    page_filter = choice.load()
    progress = Progress(len(sources))
    messages = Messages(progress)
    for document, _, page in clean_sources(page_filter, sources, markup, messages):
        named = {} if document.source.name == STDIN else {"source": document.source.name}
        for line in page.lines:
            sys.stdout.buffer.write(to_json({**named, **verdict_record(line), "text": line.text}) + b"\n")
        progress.advance(1, 1)
    progress.clear()
    return messages.exit_code


def _label_rows(files: tuple[str, ...], field: str, as_field: str, markup: Markup, choice: options.FilterChoice) -> int:
    sources = find_sources(files, suffixes=JSONL_SUFFIXES)
    page_filter = choice.load()
    progress = Progress(total_bytes(sources))
    messages = Messages(progress)
    for source in sources:
        try:
            with open_rows(source) as rows:
                for row, _, page in clean_rows(page_filter, rows, source, field, markup, messages):
                    try:
                        tagged = with_field(row, as_field, [verdict_record(line) for line in page.lines])
                    except ValueError as error:
                        messages.fail(f"{row.source}:{row.number}: {error}")
                        continue
                    sys.stdout.buffer.write(tagged + b"\n")
                    progress.advance(1, len(row.raw) + 1)
        except InputError as error:
            messages.fail(str(error))
    progress.clear()
    return messages.exit_code
