"""The Scrapy item pipeline: on items of all kinds, and on a crawl of a site served here."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
import scraped
from cli_support import FakeFilter, environment, shipped_model
from hypothesis import given
from hypothesis import strategies as st

scrapy = pytest.importorskip("scrapy", reason="Scrapy is not installed: pip install 'pagefilter[scrapy]'")

from scrapy.settings import Settings  # noqa: E402

from filter.errors import PagefilterError  # noqa: E402
from filter.integrations.scrapy import Fields, PagefilterPipeline, fields_from, regroup  # noqa: E402
from filter.pipeline import PageFilter  # noqa: E402

PAGE = "NAV Home\nWords.\nSPAM x"


class Stats:
    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    def inc_value(self, key: str) -> None:
        self.values[key] = self.values.get(key, 0) + 1


@dataclass
class Crawler:
    settings: Settings
    stats: Stats


@dataclass
class DataItem:
    text: str
    lines: list[dict[str, Any]] | None = None


class ScrapyItem(scrapy.Item):  # type: ignore[misc]
    text = scrapy.Field()
    lines = scrapy.Field()


def pipeline(stats: Stats | None = None, **fields: Any) -> PagefilterPipeline:
    return PagefilterPipeline(cast(PageFilter, FakeFilter()), Fields(**fields), cast(Any, stats))


@pytest.mark.parametrize("make", [lambda text: {"text": text}, lambda text: ScrapyItem(text=text), DataItem])
def test_items_of_all_kinds_are_cleaned_in_place(make: Any) -> None:
    item = make(PAGE)
    cleaned = pipeline(labels="lines").process_item(item)
    assert cleaned is item
    text, lines = (item.text, item.lines) if isinstance(item, DataItem) else (item["text"], item["lines"])
    assert text == "Words."
    assert [(line["label"], line["kept"], line["text"]) for line in lines] == [
        ("navigation", False, "NAV Home"),
        ("article", True, "Words."),
        ("spam_adult", False, "SPAM x"),
    ]


def test_other_fields_and_other_values_are_left_alone() -> None:
    item = {"id": 7, "title": "NAV x", "text": None, "body": 5}
    assert pipeline(text=("text", "body", "missing")).process_item(dict(item)) == item


def test_html_in_text_or_bytes() -> None:
    html = "<meta charset=big5><div>NAV x</div><div>圖書館</div>"
    for value in (html, html.encode("big5")):
        item = pipeline(text=(), html=("html",)).process_item({"html": value, "url": "https://example.org/"})
        assert item["html"] == "圖書館"


def test_lists_of_paragraphs_stay_lists() -> None:
    item = pipeline().process_item({"text": ["NAV x", "Words.\nSPAM x\nMore.", "", "End.\n"]})
    assert item["text"] == ["Words.\nMore.", "", "End.\n"]


@given(st.lists(st.sampled_from(["NAV x", "Words.", "", "One.\nTwo.", "NAV x\n", "SPAM x\nThree.", "\n"]), min_size=1))
def test_regrouping_keeps_every_kept_line_in_order(texts: list[str]) -> None:
    page = FakeFilter().clean("\n".join(texts))
    left = regroup(page.lines, texts)
    want = [line.output for line in page.lines if line.output and line.output.strip()]
    assert [line for text in left for line in text.split("\n") if line.strip()] == want


def test_the_crawl_counts() -> None:
    stats = Stats()
    pipe = pipeline(stats)
    for _ in range(2):
        pipe.process_item({"text": PAGE})
    assert stats.values == {
        "pagefilter/pages": 2,
        "pagefilter/lines/navigation": 2,
        "pagefilter/dropped/navigation": 2,
        "pagefilter/lines/article": 2,
        "pagefilter/lines/spam_adult": 2,
        "pagefilter/dropped/spam_adult": 2,
    }


def test_settings_name_the_fields() -> None:
    assert fields_from(Settings()) == Fields(text=("text",))
    assert fields_from(Settings({"PAGEFILTER_HTML_FIELDS": ["html"]})) == Fields(text=(), html=("html",))
    assert fields_from(
        Settings({"PAGEFILTER_FIELDS": "a,b", "PAGEFILTER_LABELS_FIELD": "l", "PAGEFILTER_URL_FIELD": "u"})
    ) == Fields(text=("a", "b"), labels="l", url="u")


def test_settings_choose_the_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filter.integrations.scrapy.PageFilter", FakeFilter)
    crawler = cast(Any, Crawler(Settings({"PAGEFILTER_KEEP": ["navigation"]}), Stats()))
    assert PagefilterPipeline.from_crawler(crawler).process_item({"text": PAGE})["text"] == "NAV Home\nWords."
    with pytest.raises(PagefilterError, match="unknown label"):
        PagefilterPipeline.from_crawler(cast(Any, Crawler(Settings({"PAGEFILTER_DROP": ["spam"]}), Stats())))


def test_older_versions_pass_the_spider() -> None:
    assert pipeline().process_item({"text": PAGE}, object()) == {"text": "Words."}


# A crawl

SPIDER = """
import sys
import scrapy
from scrapy.crawler import CrawlerProcess


class Stories(scrapy.Spider):
    name = "stories"
    start_urls = [sys.argv[1]]

    def parse(self, response):
        yield from response.follow_all(css="a::attr(href)", callback=self.parse_story)

    def parse_story(self, response):
        yield {
            "url": response.url,
            "text": response.css("h1::text, p::text").getall(),
            "html": response.text,
        }


process = CrawlerProcess(settings={
    "ITEM_PIPELINES": {"filter.integrations.scrapy.PagefilterPipeline": 300},
    "PAGEFILTER_POLICY": "careful",
    "PAGEFILTER_FIELDS": ["text"],
    "PAGEFILTER_HTML_FIELDS": ["html"],
    "PAGEFILTER_LABELS_FIELD": "lines",
    "FEEDS": {"stories.jsonl": {"format": "jsonlines"}},
    "LOG_LEVEL": "INFO",
    "TELNETCONSOLE_ENABLED": False,
})
process.crawl(Stories)
process.start()
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "site"
    folder.mkdir()
    links = "".join(f'<a href="{name}.html">{name}</a>' for name in scraped.STORIES)
    (folder / "index.html").write_text(f"<!doctype html>{links}", encoding="utf8")
    for name in scraped.STORIES:
        (folder / f"{name}.html").write_text(scraped.html(name), encoding="utf8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@shipped_model
def test_a_real_crawl(site: str, tmp_path: Path) -> None:
    (tmp_path / "stories.py").write_text(SPIDER, encoding="utf8")
    run = subprocess.run(
        [sys.executable, "stories.py", site],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**environment(), "NO_PROXY": "*", "no_proxy": "*"},
        timeout=120,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    items = [json.loads(row) for row in (tmp_path / "stories.jsonl").read_text("utf8").split("\n") if row]
    assert len(items) == len(scraped.STORIES), run.stderr[-2000:]
    for item in items:
        name = item["url"].rsplit("/", 1)[1].removesuffix(".html")
        assert scraped.only_the_story_is_left(name, "\n".join(item["text"]))
        assert scraped.only_the_story_is_left(name, item["html"])
        assert {line["label"] for line in item["lines"] if line["text"] == scraped.SPAM} == {"spam_adult"}
    assert f"'pagefilter/pages': {2 * len(items)}" in run.stderr
    assert f"'pagefilter/dropped/spam_adult': {2 * len(items)}" in run.stderr


@shipped_model
@pytest.mark.xfail(
    strict=True, reason="balanced loses the last sentence of one story: 0.64 where 0.60 is the threshold"
)
def test_balanced_keeps_every_sentence_of_a_story() -> None:
    from filter import PageFilter

    page_filter = PageFilter.load(policy="balanced")
    for name in scraped.STORIES:
        assert scraped.only_the_story_is_left(name, page_filter.clean_html(scraped.html(name)).text)
