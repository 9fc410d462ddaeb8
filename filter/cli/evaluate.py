"""``pagefilter evaluate``: how good a model is on labelled lines."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from filter.cli import options
from filter.cli.progress import waiting
from filter.io.labelled import read_labelled
from filter.io.records import to_json
from filter.io.sinks import check_output_file, write_whole
from filter.io.sources import Source


def evaluate(
    labelled: options.Labelled,
    model: options.Model = None,
    policy: options.Policy = options.DEFAULT_POLICY,
    max_loss: options.MaxLoss = None,
    second_opinion: options.SecondOpinion = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write it as one HTML page, with plots, here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Give one JSON object.")] = False,
) -> options.Task:
    """Measure a model on labelled lines.

    They should be lines that it has not learned from. Gives precision, recall and F1 of each label, the share
    of genuine lines lost with its 95% interval, and how far the probabilities are off.

    Example: pagefilter evaluate held-out.jsonl --model models/mine --report report.html
    """
    choice = options.choose_filter(model, policy, max_loss=max_loss, second_opinion=second_opinion)
    return partial(_evaluate, [Path(name) for name in labelled], choice, report, as_json)


def _evaluate(labelled: list[Path], choice: options.FilterChoice, page: Path | None, as_json: bool) -> int:
    if page is not None:
        check_output_file(page, [Source(str(path), path, path) for path in labelled])
    pages = read_labelled(labelled)
    page_filter = choice.load()
    from filter.evaluation import format_report, outcomes, summarise
    from filter.report import html_report

    with waiting("measuring"):
        found = outcomes(page_filter, pages)
        report = summarise(found, page_filter.policy, len(pages))
    if page is not None:
        text = html_report(found, report, page_filter.model.card)
        write_whole(page, text.encode("utf8", "backslashreplace"))
    shown = to_json(report.to_dict()) if as_json else format_report(report).rstrip("\n").encode()
    sys.stdout.buffer.write(shown + b"\n")
    return 0
