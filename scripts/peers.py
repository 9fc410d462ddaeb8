"""Other tools on the same pages: what of a page's lines each of them keeps.

Extractors get the lines as paragraphs of HTML, corpus rules get them as text. Each is used as its documentation says, with
what it needs to know of the language where it takes it. What is not installed is left out, and said.
"""

from __future__ import annotations

import html
import importlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from importlib import metadata

from filter.io.labelled import LabelledLine, LabelledPage
from filter.labels import BLANK

Keep = Callable[[str, str], str]
"""Takes a page and its language, gives back what is kept of it as text."""

SAMPLE = "The library opens at nine on Monday. It closes at five in the evening.\n" * 5
LANGUAGES = {
    "ar": "Arabic", "cs": "Czech", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fa": "Persian", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "id": "Indonesian", "it": "Italian", "ko": "Korean", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ru": "Russian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese",
}  # fmt: skip


def as_html(text: str) -> str:
    """A page of text as HTML, a line a paragraph."""
    rows = "\n".join(f"<p>{html.escape(line)}</p>" for line in text.split("\n") if line.strip())
    return f'<!doctype html><html><head><meta charset="utf-8"><title></title></head><body>\n{rows}\n</body></html>'


def trafilatura() -> Keep:
    """Recall is favoured as the tool's default does; comments are off, as its own evaluation has it."""
    from trafilatura import extract

    return lambda text, language: extract(as_html(text), include_comments=False) or ""


def justext() -> Keep:
    """With the stop words of the page's language, or in the mode without where it has none."""
    import justext as tool

    known = tool.get_stoplists()

    def keep(text: str, language: str) -> str:
        name = LANGUAGES.get(language, "")
        options = {"stoplist": tool.get_stoplist(name)} if name in known else {
            "stoplist": frozenset(), "stopwords_low": 0, "stopwords_high": 0}  # fmt: skip
        return "\n".join(p.text for p in tool.justext(as_html(text), **options) if not p.is_boilerplate)

    return keep


def resiliparse() -> Keep:
    """Its extractor of main content."""
    from resiliparse.extract.html2text import extract_plain_text

    return lambda text, language: extract_plain_text(as_html(text), main_content=True)


def pagesift() -> Keep:
    """Its main content as Markdown."""
    import pagesift as tool

    return lambda text, language: tool.convert(as_html(text)).markdown or ""


def c4_rules() -> Keep:
    """The C4 rules of datatrove: lines without an end mark go, then pages of under five sentences or with a bad word."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import C4QualityFilter

    def keep(text: str, language: str) -> str:
        document = Document(text=text, id="page")
        verdict = C4QualityFilter(split_paragraph=True).filter(document)
        return document.text if verdict is True else ""

    return keep


def gopher_rules() -> Keep:
    """The Gopher quality rules of datatrove: a page stays or goes as a whole."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import GopherQualityFilter

    return lambda text, language: text if GopherQualityFilter().filter(Document(text=text, id="page")) is True else ""


PEERS: dict[str, tuple[str, Callable[[], Keep]]] = {
    "trafilatura": ("trafilatura", trafilatura), "jusText": ("justext", justext), "resiliparse": ("resiliparse", resiliparse),
    "pagesift": ("pagesift", pagesift), "C4 rules": ("datatrove", c4_rules), "Gopher rules": ("datatrove", gopher_rules),
}  # fmt: skip


def installed() -> dict[str, tuple[str, Keep]]:
    """The peers that are there and work, with their versions."""
    found = {}
    for name, (package, make) in PEERS.items():
        try:
            importlib.import_module(package)
            keep = make()
            # Some need more than they install, and say so when they are used.
            keep(SAMPLE, "en")
            found[name] = (metadata.version(package), keep)
        except ImportError:
            continue
    return found


def squash(text: str) -> str:
    """Letters and digits only, folded: what is left to compare of differently rendered text."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def kept_lines(page: LabelledPage, text: str) -> list[tuple[LabelledLine, bool]]:
    """Each line that holds letters or digits, and whether it stands in what a tool gave back."""
    kept = squash(text)
    return [(line, squash(line.text) in kept) for line in page.lines if line.label != BLANK and squash(line.text)]


def judged(pages: Sequence[LabelledPage], keep: Keep) -> tuple[list[tuple[LabelledLine, bool]], int]:
    """What a tool keeps of some pages, line by line; and how many pages it failed on, of which it keeps nothing."""
    found, failed = [], 0
    for page in pages:
        language = next((line.language for line in page.lines if line.language), "")
        try:
            text = keep("\n".join(line.text for line in page.lines), language)
        except Exception:
            text, failed = "", failed + 1
        found += kept_lines(page, text)
    return found, failed
