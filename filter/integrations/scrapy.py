"""A Scrapy item pipeline that cleans fields of items.

In the settings of a project, where the first line is all that is needed for items with a ``text``::

    ITEM_PIPELINES = {"filter.integrations.scrapy.PagefilterPipeline": 300}
    PAGEFILTER_FIELDS = ["text"]         # fields that hold the text of a page
    PAGEFILTER_HTML_FIELDS = ["html"]    # fields that hold the HTML of a page; clean text takes its place
    PAGEFILTER_URL_FIELD = "url"         # where that page stood, if an item says so
    PAGEFILTER_LABELS_FIELD = "lines"    # where to put the verdicts on the lines, if anywhere
    PAGEFILTER_POLICY = "careful"
    PAGEFILTER_MODEL = "models/mine"     # the shipped model by default
    PAGEFILTER_ONLY = PAGEFILTER_KEEP = PAGEFILTER_DROP = []    # labels, as on the command line

The statistics of the crawl count ``pagefilter/pages``, ``pagefilter/lines/LABEL`` and
``pagefilter/dropped/LABEL``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from filter.io.records import verdict_record
from filter.page import Line, Page
from filter.pipeline import PageFilter

try:
    from itemadapter import ItemAdapter
except ImportError as error:
    raise ImportError("the Scrapy pipeline needs Scrapy: pip install 'pagefilter[scrapy]'") from error

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings
    from scrapy.statscollectors import StatsCollector

DEFAULT_FIELD = "text"


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of an item are what.

    Attributes
    ----------
    text, html : tuple of str
        Fields that hold text, and HTML.
    url : str
        The field that says where the page stood.
    labels : str or None
        The field that is to hold the verdicts.
    """

    text: tuple[str, ...] = (DEFAULT_FIELD,)
    html: tuple[str, ...] = ()
    url: str = "url"
    labels: str | None = None


class PagefilterPipeline:
    """Cleans fields of items in place.

    A field that an item lacks, or that holds no text, is left alone. A list of texts, which an item loader
    makes of paragraphs, is cleaned as one page and stays a list; texts of which nothing is left go.

    Parameters
    ----------
    page_filter : PageFilter
    fields : Fields
    stats : StatsCollector, optional
        Where to count.

    Examples
    --------
    >>> pipeline = PagefilterPipeline(PageFilter.load(), Fields(text=("body",)))
    >>> pipeline.process_item({"id": 7, "body": "The library opens at nine."})
    {'id': 7, 'body': 'The library opens at nine.'}
    """

    def __init__(self, page_filter: PageFilter, fields: Fields, stats: StatsCollector | None = None) -> None:
        self._filter = page_filter
        self._fields = fields
        self._stats = stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PagefilterPipeline:
        """Make the pipeline that the settings ask for.

        Parameters
        ----------
        crawler : Crawler

        Returns
        -------
        PagefilterPipeline

        Raises
        ------
        PagefilterError
            Where the model, the policy or a label is wrong: when the crawl starts, not at its first item.
        """
        settings = crawler.settings
        page_filter = PageFilter.load(
            settings.get("PAGEFILTER_MODEL"),
            policy=settings.get("PAGEFILTER_POLICY", "careful"),
            only=settings.getlist("PAGEFILTER_ONLY"),
            keep=settings.getlist("PAGEFILTER_KEEP"),
            drop=settings.getlist("PAGEFILTER_DROP"),
        )
        return cls(page_filter, fields_from(settings), crawler.stats)

    def process_item(self, item: Any, spider: object = None) -> Any:
        """Clean an item.

        Parameters
        ----------
        item : dict, scrapy.Item, dataclass or attrs object
        spider : object, optional
            Not used; older versions of Scrapy pass it.

        Returns
        -------
        object
            The item.
        """
        adapter = ItemAdapter(item)
        verdicts: list[dict[str, Any]] = []
        for name in self._fields.text:
            value = adapter.get(name)
            if is_texts(value):
                page = self._filter.clean("\n".join(value))
                adapter[name] = regroup(page.lines, value)
            elif isinstance(value, str):
                page = self._filter.clean(value)
                adapter[name] = page.text
            else:
                continue
            verdicts += self._take_down(page)
        for name in self._fields.html:
            html = as_html(adapter.get(name))
            if html is not None:
                page = self._filter.clean_html(html, adapter.get(self._fields.url))
                adapter[name] = page.text
                verdicts += self._take_down(page)
        if self._fields.labels is not None:
            adapter[self._fields.labels] = verdicts
        return item

    def _take_down(self, page: Page) -> Iterator[dict[str, Any]]:
        """Count a page, and give the verdicts on its lines where somebody wants them."""
        self._count("pages")
        for line in page.lines:
            self._count(f"lines/{line.label}")
            if not line.kept:
                self._count(f"dropped/{line.label}")
            if self._fields.labels is not None:
                yield {**verdict_record(line), "text": line.text}

    def _count(self, what: str) -> None:
        if self._stats is not None:
            self._stats.inc_value(f"pagefilter/{what}")


def fields_from(settings: BaseSettings) -> Fields:
    """Read the names of fields from the settings.

    Parameters
    ----------
    settings : BaseSettings

    Returns
    -------
    Fields
    """
    html = tuple(settings.getlist("PAGEFILTER_HTML_FIELDS"))
    return Fields(
        text=tuple(settings.getlist("PAGEFILTER_FIELDS", [] if html else [DEFAULT_FIELD])),
        html=html,
        url=settings.get("PAGEFILTER_URL_FIELD", "url"),
        labels=settings.get("PAGEFILTER_LABELS_FIELD"),
    )


def is_texts(value: object) -> TypeGuard[Sequence[str]]:
    """Tell whether a value is a list of texts.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool

    Examples
    --------
    >>> is_texts(["one", "two"]), is_texts("one"), is_texts([])
    (True, False, False)
    """
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(text, str) for text in value)


def as_html(value: object) -> str | None:
    """Turn what a field holds into HTML.

    Parameters
    ----------
    value : object
        A string, or bytes as a response's body.

    Returns
    -------
    str or None
        None for anything else.
    """
    if isinstance(value, bytes):
        from filter.decode import decode

        return decode(value).text
    return value if isinstance(value, str) else None


def regroup(lines: Sequence[Line], texts: Sequence[str]) -> list[str]:
    r"""Put the lines of a page back into the texts that it was made of.

    Parameters
    ----------
    lines : sequence of Line
        The verdicts on ``"\n".join(texts)``.
    texts : sequence of str

    Returns
    -------
    list of str
        What is left of each text; a text of which only blank lines are left is taken out.

    Examples
    --------
    >>> lines = [Line(0, "a", "article", 0.1, True, "a"), Line(1, "b", "advert", 0.9, False, None)]
    >>> regroup(lines, ["a", "b"])
    ['a']
    """
    left: list[str] = []
    first = 0
    for text in texts:
        last = first + text.count("\n") + 1
        own = lines[first:last]
        kept = [line.output for line in own if line.output is not None]
        if all(line.output == line.text for line in own):
            left.append(text)
        elif any(map(str.strip, kept)):
            left.append("\n".join(kept))
        first = last
    return left
