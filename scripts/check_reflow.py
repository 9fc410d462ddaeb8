"""Pages on one line and hard-wrapped pages beside the same pages as lines: python scripts/check_reflow.py [--pages 120].

Trains the first fold of the evaluation as the gate does, sets its held-out junk into its held-out pages, and cleans each as lines, on one
line, and wrapped at 72 columns, under ``careful``; the last two also as if their line breaks were an author's.
"""

from __future__ import annotations

import argparse
import random
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
import corpora  # noqa: E402
import training_data  # noqa: E402
from evaluate import FOLDS, QUICK_SHARE  # noqa: E402
from splits import split, with_spam  # noqa: E402

from filter.io.labelled import LabelledPage  # noqa: E402
from filter.labels import GENUINE, INJECTED  # noqa: E402
from filter.pipeline import PageFilter  # noqa: E402
from filter.policy import make_policy  # noqa: E402
from filter.training import fit  # noqa: E402

COLUMNS = 72


def one_line(text: str) -> str:
    """The page on one line."""
    return " ".join(line.strip() for line in text.split("\n") if line.strip())


def wrapped(text: str) -> str:
    """The page with its lines wrapped."""
    return "\n".join("\n".join(textwrap.wrap(line, COLUMNS)) for line in text.split("\n"))


def squashed(text: str) -> str:
    """A text without its white space: how it is broken into lines says nothing any more."""
    return "".join(text.split())


def gone(page: LabelledPage, text: str) -> tuple[int, int, int, int]:
    """Characters of junk that went and that there were, and of genuine lines."""
    left = squashed(text)
    counts = []
    for labels in (INJECTED, GENUINE):
        lines = [squashed(line.text) for line in page.lines if line.label in labels]
        counts += [sum(len(line) for line in lines if line not in left), sum(map(len, lines))]
    return (counts[0], counts[1], counts[2], counts[3])


def row(name: str, pages: Sequence[LabelledPage], change: Callable[[str], str], page_filter: PageFilter) -> str:
    """A row of the table."""
    cleaned = page_filter.clean_many(change("\n".join(line.text for line in page.lines)) for page in pages)
    found = [gone(page, result.text) for page, result in zip(pages, cleaned, strict=True)]
    junk, all_junk, genuine, all_genuine = (sum(column) for column in zip(*found, strict=True))
    return f"| {name} | {junk / all_junk:.1%} | {genuine / all_genuine:.2%} |"


def main() -> None:
    """Train, clean and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=120)
    arguments = parser.parse_args()
    data = training_data.everything() if corpora.available() else training_data.seeds()
    part = split(data, 0, FOLDS, QUICK_SHARE)
    model = fit(part.train, seed=0)
    page_filter = PageFilter(model, make_policy("careful", model.card))
    bases = [*(page.labelled() for page in (*part.content, *part.chinese)), *part.pages]
    pages, _ = with_spam(bases, part.spam, 6, 0.5)
    random.Random(0).shuffle(pages)
    pages = pages[: arguments.pages]
    print(f"{len(pages)} pages\n\n| | junk gone | genuine text lost |\n|---|--:|--:|")
    print(row("as lines", pages, lambda text: text, page_filter))
    print(row("on one line", pages, one_line, page_filter))
    print(row(f"wrapped at {COLUMNS} columns", pages, wrapped, page_filter))
    with mock.patch("filter.pipeline.reflowed", return_value=None):
        print(row("on one line, judged by the line", pages, one_line, page_filter))
        print(row("wrapped, judged by the line", pages, wrapped, page_filter))


if __name__ == "__main__":
    main()
