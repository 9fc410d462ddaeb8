"""Measure what repairs alter, whether cleaning twice changes anything, and whether everything comes back.

    python scripts/check_undo.py [--pages 1000]

Needs the public data. Prints, for docs/evaluation.md: lines of genuine text that a repair alters, by repair; real pages that
change when they are cleaned a second time, and article lines lost by it; real pages that `restore` gives back.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
import corpora  # noqa: E402
import training_data  # noqa: E402

from filter import PageFilter  # noqa: E402
from filter.decode import decode  # noqa: E402
from filter.io.receipts import Origin, Written, page_receipts  # noqa: E402
from filter.io.records import to_json  # noqa: E402
from filter.labels import GENUINE  # noqa: E402
from filter.repairs import REPAIRS  # noqa: E402
from filter.restore import read_receipts, restore  # noqa: E402

PAGE_LINES = 40
"""Sentences and headlines are looked at so many at a time, as a page: some repairs are decided by the page."""
ENCODINGS = ("utf-8", "utf-16", "gb18030", "cp932", "big5hkscs", "cp1252")


def altered() -> None:
    """Lines of genuine sentences, headlines and articles that a repair alters."""
    lines = [line.text for line in training_data.public_lines() if line.family.startswith(("ntrex", "ud_", "thucnews"))]
    found: Counter[str] = Counter()
    for begin in range(0, len(lines), PAGE_LINES):
        text = "\n".join(lines[begin : begin + PAGE_LINES])
        for name, repair in REPAIRS.items():
            found[name] += len({text.count("\n", 0, span.start) for span in repair(text)})
    print(f"genuine lines: {len(lines)}, altered: {sum(found.values())} {dict(found)}")


def twice(texts: list[str], content: list[set[str]]) -> None:
    """Real pages that change again when what was cleaned is cleaned, and what of their content goes only then."""
    page_filter = PageFilter.load()
    once = [page.text for page in page_filter.clean_many(texts)]
    changed, lost, of_content = 0, 0, 0
    for first, second, wanted in zip(once, page_filter.clean_many(once), content, strict=True):
        if second.text != first:
            changed += 1
            gone = [line.text for line in second.lines if not line.kept]
            lost, of_content = lost + len(gone), of_content + sum(text in wanted for text in gone)
    print(
        f"real pages cleaned twice: {len(texts)}, changed again: {changed}, lines lost by it: {lost}, of content: {of_content}"
    )


def back(texts: list[str]) -> None:
    """Real pages in several encodings, cleaned and restored."""
    page_filter = PageFilter.load()
    right = total = 0
    for number, text in enumerate(texts):
        data = text.encode(ENCODINGS[number % len(ENCODINGS)], "ignore")
        decoded = decode(data)
        page = page_filter.clean(decoded.text)
        written = Written(page.text.encode("utf-8", "surrogatepass"), "page.txt")
        origin = Origin({"source": "page.txt"}, "page.txt", decoded.text, decoded.encoding, decoded.bom, data)
        records = page_receipts(
            page, origin, written, {"model": "", "policy": "", "thresholds": {}}, page_filter.reasons
        )
        (receipt,) = read_receipts([to_json(record) for record in records], "receipts")
        total, right = total + 1, right + (restore(receipt, written.data) == data)
    print(f"real pages in {len(ENCODINGS)} encodings: {total}, given back byte for byte: {right}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=1000)
    arguments = parser.parse_args()
    altered()
    pages = [*corpora.zh_pages(), *corpora.wcxb_pages()][: arguments.pages]
    labelled = [page.labelled().lines for page in pages]
    texts = ["\n".join(line.text for line in lines) for lines in labelled]
    twice(texts, [{line.text for line in lines if line.label in GENUINE} for lines in labelled])
    back(texts[:300])


if __name__ == "__main__":
    main()
