"""Public text to train and measure with, read from the data folder; none of it is part of the project.

The folder is `../shared/data` beside the checkout, or what the variable PAGEFILTER_DATA names. Everything that uses it
works without it, and says so.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import pickle
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from filter.decode import decode  # noqa: E402
from filter.html import layout  # noqa: E402
from filter.io.labelled import LabelledLine, LabelledPage  # noqa: E402
from filter.labels import ARTICLE, BLANK, DUPLICATE  # noqa: E402
from filter.training import FURNITURE_OF_SOME_KIND, UNDECIDED  # noqa: E402

DATA = Path(os.environ.get("PAGEFILTER_DATA", ROOT.parent / "shared" / "data"))
_TITLE_PARTS = re.compile(r"\s+[-|–—:·»]\s+|[|｜_]")
LONG = 20
"""Squashed characters from which a line is looked for anywhere in the content; shorter ones must be a line of it."""
PARAGRAPH = 100
DOCUMENT_LINES = 20
HINTS_ONLY = ("comment_keywords",)
LICENCES: dict[str, str] = {
    "wcxb_dev": "CC BY 4.0", "zh_pages": "MIT", "ntrex": "CC BY-SA 4.0", "ud": "CC BY-SA 4.0", "thucnews_titles": "MIT",
    "spam": "MIT, Apache-2.0, CC0, CC BY 4.0, public domain", "boilerplate": "MIT, Apache-2.0, BSD",
    "prompt_injection": "MIT, Apache-2.0", "lexicons": "MIT, Apache-2.0",
}  # fmt: skip


LANGUAGES: dict[str, str] = {
    "arb": "ar", "ben": "bn", "ces": "cs", "dan": "da", "deu": "de", "ell": "el", "eng": "en", "fas": "fa", "fin": "fi", "fra": "fr",
    "heb": "he", "hin": "hi", "hun": "hu", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko", "msa": "ms", "nld": "nl", "pol": "pl",
    "por": "pt", "ron": "ro", "rus": "ru", "spa": "es", "swe": "sv", "tha": "th", "tur": "tr", "ukr": "uk", "vie": "vi",
    "zho-CN": "zh", "zho-TW": "zh-TW",
}  # fmt: skip


def available() -> bool:
    """Whether the data folder is there."""
    return DATA.is_dir()


def squash(text: str) -> str:
    """Letters and digits only, folded, to compare lines of differently extracted text."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


@dataclass(frozen=True, slots=True)
class ContentPage:
    """A real page as the lines a browser lays out, and its main content.

    Attributes
    ----------
    name, site, kind, language : str
    text : str
        The page.
    content : str
        What its extraction should give.
    """

    name: str
    site: str
    kind: str
    language: str
    text: str
    content: str

    def labelled(self) -> LabelledPage:
        """The page with every line found in the content labelled article, the others furniture of some kind."""
        lines = self.text.split("\n")
        squashed = [squash(line) for line in lines]
        content = squash(self.content)
        content_lines = {squash(line) for line in self.content.split("\n")}
        # A title is often the heading and the site's name in one.
        content_lines |= {squash(part) for part in _TITLE_PARTS.split(self.content.split("\n")[0])}
        inside = [bool(s) and (s in content if len(s) >= LONG else s in content_lines) for s in squashed]
        labels = [
            ARTICLE if found else UNDECIDED if is_paragraph(line) else FURNITURE_OF_SOME_KIND
            for found, line in zip(inside, lines, strict=True)
        ]
        _mark_copies(squashed, inside, labels)
        return LabelledPage(self.name, tuple(
            LabelledLine(line, label if line.strip() else BLANK, self.language, f"{self.name.split('-')[0]}-{self.site}")
            for line, label in zip(lines, labels, strict=True)
        ))  # fmt: skip


def is_paragraph(line: str) -> bool:
    """Whether a line is as long as a paragraph; a wide character counts for two and a half.

    Examples
    --------
    >>> is_paragraph("Home"), is_paragraph("word " * 25)
    (False, True)
    """
    return len(line) + 1.5 * sum("\u3000" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in line) >= PARAGRAPH


def _mark_copies(squashed: list[str], inside: list[bool], labels: list[str]) -> None:
    """Of equal long content lines the one with most content around it is the article, the others copies; so are cut ones."""
    places: dict[str, list[int]] = {}
    for index, (s, found) in enumerate(zip(squashed, inside, strict=True)):
        if found and len(s) >= LONG:
            places.setdefault(s, []).append(index)
    everything = "\n".join(places)
    for text, found in places.items():
        # A line that is a part of a longer one is a teaser of it.
        cut = everything.count(text) > 1
        keep = -1 if cut else max(found, key=lambda i: (sum(inside[max(0, i - 6) : i + 7]), i))
        for index in found:
            if index != keep:
                labels[index] = DUPLICATE


def kept(name: str, make: Callable[[], Any]) -> Any:
    """What `make` makes; once for all processes where PAGEFILTER_SCRATCH names a folder for it."""
    folder = os.environ.get("PAGEFILTER_SCRATCH")
    if not folder:
        return make()
    file = Path(folder) / f"{name}.pickle"
    if not file.exists():
        file.write_bytes(pickle.dumps(make()))
    return pickle.loads(file.read_bytes())


@cache
def wcxb_pages() -> list[ContentPage]:
    """The development pages of the web content extraction benchmark: English, but for a handful of French ones."""
    pages: list[ContentPage] = kept("wcxb_pages", _wcxb_pages)
    return pages


def _wcxb_pages() -> list[ContentPage]:
    found = []
    for truth_file in sorted((DATA / "wcxb_dev" / "ground-truth").glob("*.json")):
        truth = json.loads(truth_file.read_text(encoding="utf8"))
        html = gzip.decompress((DATA / "wcxb_dev" / "html" / f"{truth_file.stem}.html.gz").read_bytes()).decode(
            "utf8", "replace"
        )
        site = re.sub(r"^https?://(www\.)?|/.*$", "", truth.get("url", "")) or truth_file.stem
        content = "\n".join([truth["ground_truth"].get("title") or "", truth["ground_truth"].get("main_content") or ""])
        kind = truth.get("_internal", {}).get("page_type", {}).get("primary", "")
        found.append(ContentPage(f"wcxb-{truth_file.stem}", site, kind, "en", layout(html), content))
    return found


def html_title(html: str) -> str:
    """The title of a page, or nothing."""
    found = re.search(r"<title[^>]*>(.*?)</title>", html, re.IGNORECASE | re.DOTALL)
    return " ".join(found[1].split()) if found else ""


@cache
def zh_pages() -> list[ContentPage]:
    """Chinese pages with the article as text."""
    found = []
    for html_file in sorted((DATA / "zh_pages").glob("*.html")):
        html = decode(html_file.read_bytes()).text
        # The text is the article's body; its title is in it only now and then, and is its author's all the same.
        title = re.split(r"[-_|｜—–]", html_title(html))[0].strip()
        content = f"{title}\n{decode(html_file.with_suffix('.txt').read_bytes()).text}"
        found.append(ContentPage(f"zh_pages-{html_file.stem}", html_file.stem, "article", "zh", layout(html), content))
    return found


def _genuine(text: str, language: str, family: str) -> LabelledLine:
    return LabelledLine(text, ARTICLE, language, family)


def ntrex_documents() -> list[tuple[str, list[LabelledLine]]]:
    """News sentences of 31 languages, in runs of lines; the same name is the same document in every language."""
    found = []
    for file in sorted((DATA / "genuine" / "ntrex").glob("*.txt")):
        lines = [line for line in file.read_text(encoding="utf8").split("\n") if line.strip()]
        for begin in range(0, len(lines), DOCUMENT_LINES):
            name = f"ntrex-{begin // DOCUMENT_LINES:03d}"
            found.append(
                (name, [_genuine(line, LANGUAGES[file.stem], name) for line in lines[begin : begin + DOCUMENT_LINES]])
            )
    return found


def sentences() -> Iterator[LabelledLine]:
    """Sentences of the treebanks, in runs that count as documents."""
    for file in sorted((DATA / "genuine").glob("ud_*.txt")):
        language = file.stem.split("_")[1]
        for number, line in enumerate(file.read_text(encoding="utf8").split("\n")):
            if line.strip():
                yield _genuine(line, language, f"{file.stem}-{number // DOCUMENT_LINES:03d}")


def headlines() -> list[LabelledLine]:
    """Chinese headlines, many with words that a spam filter stumbles over."""
    lines = (DATA / "genuine" / "thucnews_titles.txt").read_text(encoding="utf8").split("\n")
    return [_genuine(line, "zh", f"thucnews-{number // 100:03d}") for number, line in enumerate(lines) if line.strip()]


def labelled_table(folder: str) -> Iterator[tuple[str, LabelledLine]]:
    """Rows of the labelled tables under a folder, with the source of each; `genuine` becomes article."""
    csv.field_size_limit(1 << 24)
    for file in sorted((DATA / folder).glob("*/data.tsv")):
        with file.open(encoding="utf8", newline="") as opened:
            for row in csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE):
                text, label = (row["text"] or "").strip(), row["label"]
                if text:
                    yield (
                        file.parent.name,
                        LabelledLine(
                            text,
                            ARTICLE if label == "genuine" else label,
                            row["language"],
                            f"{folder}-{file.parent.name}",
                        ),
                    )


def chinese_vocabulary() -> list[str]:
    """Words of the Chinese lexicons that are no host names: vocabulary for keyword lists, noisy."""
    words: set[str] = set()
    for name in ("konsheng/色情类型.txt", "konsheng/色情词库.txt", "fwwdn/色情类.txt", "ldnoobw/zh"):
        words |= {
            word.strip(" ,\t\r")
            for word in (DATA / "lexicons" / name).read_text(encoding="utf8", errors="replace").split("\n")
        }
    return sorted(word for word in words if 2 <= len(word) <= 12 and not word.isascii())
