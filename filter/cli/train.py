"""``pagefilter train``: a model of your own, from labelled lines."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from filter.cli import options
from filter.cli.messages import say
from filter.cli.progress import waiting
from filter.errors import OutputError
from filter.io.labelled import LabelledPage, read_labelled
from filter.labels import BLANK


def train(
    labelled: options.Labelled,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FOLDER", help="Where the model goes; a model that is there is replaced."),
    ],
    scratch: Annotated[
        bool, typer.Option("--scratch", help="Learn from these lines alone, not from the shipped ones too.")
    ] = False,
) -> options.Task:
    """Learn from labelled lines, and write a model.

    Rows need text and label; language, family, note, clean and page are used where they are given. Rows with
    the same page are the lines of one page, in order; rows without are loose lines.

    Example: pagefilter train mine.csv --out models/mine
    """
    return partial(_train, [Path(name) for name in labelled], out, scratch)


def _train(labelled: list[Path], out: Path, scratch: bool) -> int:
    _check_folder(out)
    pages = read_labelled(labelled)
    from filter.training import train as train_model

    started = time.monotonic()
    with waiting("learning"):
        train_model(pages, scratch=scratch).save(out)
    say(f"{_describe(pages)} learned in {time.monotonic() - started:.1f} s; the model is in {out}")
    return 0


def _check_folder(out: Path) -> None:
    """Refuse now what saving would refuse after all the work."""
    from filter.model import CARD, WEIGHTS

    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file; name a folder for the model")
    if out.is_dir() and not {path.name for path in out.iterdir()} <= {CARD, WEIGHTS}:
        raise OutputError(f"{out}: the folder holds something that is not a model; name another one")


def _describe(pages: list[LabelledPage]) -> str:
    labels = Counter(line.label for page in pages for line in page.lines if line.label != BLANK)
    by_label = ", ".join(f"{count} {label}" for label, count in labels.most_common())
    whole = sum(1 for page in pages if page.name)
    on_pages = f"; whole pages: {whole}" if whole else ""
    return f"{sum(labels.values())} lines ({by_label}{on_pages})"
