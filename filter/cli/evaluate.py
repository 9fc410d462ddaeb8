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


def evaluate(
    labelled: options.Labelled,
    model: options.Model = None,
    policy: options.Policy = options.DEFAULT_POLICY,
    as_json: Annotated[bool, typer.Option("--json", help="Give one JSON object.")] = False,
) -> options.Task:
    """Measure a model on labelled lines.

    They should be lines that it has not learned from. Gives precision, recall and F1 of each label, the share
    of genuine lines lost with its 95% interval, and how far the probabilities are off.

    Example: pagefilter evaluate held-out.jsonl --model models/mine
    """
    choice = options.choose_filter(model, policy)
    return partial(_evaluate, [Path(name) for name in labelled], choice, as_json)


def _evaluate(labelled: list[Path], choice: options.FilterChoice, as_json: bool) -> int:
    pages = read_labelled(labelled)
    page_filter = choice.load()
    from filter.evaluation import evaluate as measure
    from filter.evaluation import format_report

    with waiting("measuring"):
        report = measure(page_filter, pages)
    shown = to_json(report.to_dict()) if as_json else format_report(report).rstrip("\n").encode()
    sys.stdout.buffer.write(shown + b"\n")
    return 0
