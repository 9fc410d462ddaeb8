"""``pagefilter seeds check``: labelled lines, checked before anything is trained on them."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from filter.cli import options
from filter.cli.messages import say
from filter.errors import InputError

app = typer.Typer(help="Look after labelled lines.", rich_markup_mode=None, no_args_is_help=False)


@app.callback()
def _seeds() -> None:
    """Look after labelled lines.

    Example: pagefilter seeds check mine.jsonl
    """


@app.command()
def check(
    labelled: options.Labelled,
    most: Annotated[int, typer.Option("--most", metavar="N", min=1, help="Tell so many problems at most.")] = 50,
) -> options.Task:
    """Check labelled lines: schema, labels, contradictions, near-copies, and what looks copied from somewhere.

    Each problem is told in a line: file:row: what is wrong. The exit code is 1 if there is any. The schema is
    seeds/schema.json.

    Example: pagefilter seeds check mine.jsonl
    """
    return partial(_check, [Path(name) for name in labelled], most)


def _check(paths: list[Path], most: int) -> int:
    from filter.seeds import check_seeds, read_seeds

    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        if path.is_dir() and not any(path.glob("*.jsonl")):
            raise InputError(f"{path}: the folder holds no .jsonl file")
    seeds, problems = read_seeds(paths)
    if not seeds and not problems:
        raise InputError(f"{', '.join(map(str, paths))}: there is no labelled line in it")
    found = check_seeds(seeds, problems).every
    for problem in found[:most]:
        typer.echo(problem)
    if len(found) > most:
        say(f"and {len(found) - most} more; see --most")
    lines = [seed for seed in seeds if seed.is_line]
    by_label = ", ".join(f"{count} {label}" for label, count in Counter(seed.label for seed in lines).most_common())
    families = len({seed.family for seed in lines if seed.family})
    say(f"{len(lines)} lines, {families} families: {by_label}; {len(found) or 'no'} problem{'s' * (len(found) != 1)}")
    return 1 if found else 0
