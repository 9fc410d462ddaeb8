"""Cleaning documents and rows: what `clean`, `label` and `check` have in common."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from io import BufferedReader
from itertools import tee
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlsplit

from filter.cli.messages import Messages
from filter.errors import InputError
from filter.io.jsonl import Row, read_rows
from filter.io.sources import Document, Markup, Source, read_documents, reason
from filter.page import Page

if TYPE_CHECKING:
    from filter import PageFilter

Item = TypeVar("Item")


def clean_sources(
    page_filter: PageFilter, sources: Sequence[Source], markup: Markup, messages: Messages
) -> Iterator[tuple[Document, str, Page]]:
    """Read and clean sources, a few at a time.

    Parameters
    ----------
    page_filter : PageFilter
    sources : sequence of Source
    markup : Markup
    messages : Messages
        Told of what could not be read; a failure where nothing at all could.

    Yields
    ------
    tuple of Document, str and Page
        In order; the text is what was cleaned, of HTML as it was laid out.
    """
    documents = read_documents(sources, markup, on_skip=messages.note, on_error=messages.fail)
    count = 0
    for found in _clean_documents(page_filter, documents):
        count += 1
        yield found
    if not count and not messages.failed:
        messages.fail("no input is a text; nothing was done")


def _clean_documents(page_filter: PageFilter, documents: Iterable[Document]) -> Iterator[tuple[Document, str, Page]]:
    return _cleaned(
        page_filter,
        ((document, _as_text(document.text, document.is_html), document.source.site) for document in documents),
    )


def _cleaned(
    page_filter: PageFilter, items: Iterable[tuple[Item, str, str | None]]
) -> Iterator[tuple[Item, str, Page]]:
    """Clean what items hold, each a thing, its text and its site."""
    waiting: deque[tuple[Item, str]] = deque()
    ahead, behind = tee(items)

    def texts() -> Iterator[str]:
        for item, text, _ in ahead:
            waiting.append((item, text))
            yield text

    for page in page_filter.clean_many(texts(), (site for _, _, site in behind)):
        yield *waiting.popleft(), page


def _as_text(text: str, is_html: bool) -> str:
    if not is_html:
        return text
    from filter.html import layout

    return layout(text)


def clean_rows(
    page_filter: PageFilter,
    stream: Iterable[bytes],
    source: Source,
    field: str,
    markup: Markup,
    messages: Messages,
) -> Iterator[tuple[Row, str, Page]]:
    """Read and clean the rows of JSON lines, a few million characters at a time; a row's `url` tells its site.

    Parameters
    ----------
    page_filter : PageFilter
    stream : iterable of bytes
    source : Source
    field : str
        The field that holds the text.
    markup : Markup
        HTML, or else the rows are text.
    messages : Messages
        Told of rows that cannot be read.

    Yields
    ------
    tuple of Row, str and Page
        In order; the text is what was cleaned, of HTML as it was laid out.
    """
    rows = read_rows(stream, source.name, field, messages.fail)
    return _cleaned(
        page_filter, ((row, _as_text(row.text, markup is Markup.HTML), site_of(row.fields)) for row in rows)
    )


def site_of(fields: Mapping[str, object]) -> str | None:
    """The host that a row's `url` names, without ``www.``; None where it names none.

    Parameters
    ----------
    fields : mapping of str to object

    Returns
    -------
    str or None

    Examples
    --------
    >>> site_of({"url": "https://www.Example.org/a?b"}), site_of({"url": 7}), site_of({"url": "http://[broken"})
    ('example.org', None, None)
    """
    url = fields.get("url")
    try:
        host = urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None


@contextmanager
def open_rows(source: Source) -> Iterator[BufferedReader]:
    """Open a source of JSON lines.

    Parameters
    ----------
    source : Source

    Yields
    ------
    file object

    Raises
    ------
    InputError
        Where it cannot be read, or is a binary file.
    """
    from filter.decode import looks_binary

    try:
        stream = cast(BufferedReader, sys.stdin.buffer) if source.path is None else source.path.open("rb")
    except OSError as error:
        raise InputError(f"{source.name}: cannot be read: {reason(error)}") from None
    with nullcontext() if source.path is None else stream:
        if source.path is not None and looks_binary(stream.peek()):
            raise InputError(f"{source.name}: skipped, it is a binary file, not JSON lines")
        yield stream


def total_bytes(sources: Iterable[Source]) -> int | None:
    """Add up the sizes of sources.

    Parameters
    ----------
    sources : iterable of Source

    Returns
    -------
    int or None
        None where standard input is among them.
    """
    total = 0
    for source in sources:
        if source.path is None:
            return None
        total += source.path.stat().st_size
    return total


class Tally:
    """Counts pages, and the lines dropped from them by kind."""

    def __init__(self) -> None:
        self.pages = 0
        self.whole: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()

    def add(self, page: Page, whole: bool = False) -> None:
        """Count a page.

        Parameters
        ----------
        page : Page
        whole : bool
            It was dropped whole.
        """
        self.pages += 1
        if whole:
            self.whole[page.verdict] += 1
        self.dropped.update(page.dropped)

    def summary(self) -> str:
        """Say it in a sentence.

        Returns
        -------
        str

        Examples
        --------
        >>> tally = Tally()
        >>> tally.pages, tally.dropped["furniture"], tally.dropped["injected"] = 3, 5, 1
        >>> tally.summary()
        '3 pages, 6 lines dropped: 5 furniture, 1 injected'
        """
        by_kind = ", ".join(f"{count} {kind}" for kind, count in self.dropped.most_common())
        total = sum(self.dropped.values())
        whole = "".join(f", {count} dropped whole as {verdict}" for verdict, count in self.whole.most_common())
        return f"{self.pages} pages{whole}, {total} lines dropped" + (f": {by_kind}" if by_kind else "")
