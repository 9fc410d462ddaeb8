"""What other tools give, cleaned: trafilatura's text, a pandas column, the bytes of a response."""

from __future__ import annotations

import subprocess
import sys

import pytest
import scraped
from cli_support import environment, shipped_model

from filter import PageFilter
from filter.decode import decode

pytestmark = shipped_model


@pytest.fixture(scope="module")
def page_filter() -> PageFilter:
    return PageFilter.load()


@pytest.mark.parametrize("name", scraped.STORIES)
def test_the_output_of_trafilatura(page_filter: PageFilter, name: str) -> None:
    trafilatura = pytest.importorskip("trafilatura", reason="trafilatura is not installed")
    extracted = trafilatura.extract(scraped.html(name))
    assert scraped.SPAM in extracted
    assert scraped.only_the_story_is_left(name, page_filter.clean(extracted).text)


def test_a_pandas_column(page_filter: PageFilter) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    pages = pandas.DataFrame({"url": list(scraped.STORIES), "text": map(scraped.text_with_spam, scraped.STORIES)})
    pages["text"] = [page.text for page in page_filter.clean_many(pages["text"])]
    for row in pages.itertuples():
        assert scraped.only_the_story_is_left(row.url, row.text)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", scraped.STORIES)
def test_the_bytes_of_a_response(page_filter: PageFilter, name: str, encoding: str) -> None:
    content = scraped.html(name).replace("utf-8", encoding).encode(encoding)
    page = page_filter.clean_html(decode(content).text, url=f"https://example.org/{name}.html")
    assert scraped.only_the_story_is_left(name, page.text)


def test_bytes_with_a_declared_encoding(page_filter: PageFilter) -> None:
    content = scraped.text_with_spam("bridge").encode("gb18030")
    page = page_filter.clean(decode(content, declared="gbk").text)
    assert scraped.only_the_story_is_left("bridge", page.text)


def test_the_integrations_say_what_they_need() -> None:
    program = (
        "import sys; sys.modules['itemadapter'] = None\n"
        "try:\n    import filter.integrations.scrapy\n"
        "except ImportError as error:\n    print(error)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment(), check=True)
    assert run.stdout == "the Scrapy pipeline needs Scrapy: pip install 'pagefilter[scrapy]'\n"
