import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.decode import decode
from filter.html import Block, blocks, layout, looks_like_html

CASES = sorted((Path(__file__).parent / "cases" / "html").glob("*.html"))
TAGS = re.findall(
    r"\w+",
    "a b br button center dd div dl dt font form h1 hr i img li nav ol option p pre script select span style"
    " svg table tbody td template textarea th title tr ul",
)

words = st.text("abcxyz茶é", min_size=1, max_size=8)
tags = st.builds(
    "<{}{}{}>".format, st.sampled_from(["", "/"]), st.sampled_from(TAGS), st.sampled_from(["", " id=a", "/"])
)
junk = st.sampled_from(
    [
        "<",
        ">",
        "</",
        "<!--",
        "-->",
        "<![CDATA[",
        "&",
        "&amp;",
        "&#10;",
        "&#0;",
        "\0",
        "\udc80",
        "\n",
        "\r",
        " ",
    ]
)
pages = st.lists(words | tags | junk).map("".join)


@pytest.mark.parametrize("page", CASES, ids=lambda page: page.name)
def test_broken_pages(page: Path) -> None:
    expected = page.with_suffix(".txt").read_text("utf-8")
    assert layout(decode(page.read_bytes()).text) + "\n" == expected


@given(pages | st.text(st.characters(exclude_categories=[])))
def test_any_page_becomes_lines(page: str) -> None:
    lines = blocks(page)
    assert all("\n" not in block.text and block.text.strip() and block.gap >= 1 for block in lines)
    text = layout(page)
    assert text == text.strip("\n")
    assert [line for line in text.split("\n") if line] == [block.text for block in lines]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "div", "p", "h1", "li", "ul", "section", "span", "font"]), words)))
def test_all_visible_text_is_kept_in_order(parts: list[tuple[str, str]]) -> None:
    page = "".join(f"<{tag}>{word} " for tag, word in parts)
    assert layout(page).split() == [word for _, word in parts]


@given(st.sampled_from(["script", "style", "template", "noscript", "svg", "iframe", "object", "select"]), pages)
def test_no_text_of_a_script_and_its_like(tag: str, inner: str) -> None:
    inner = re.sub("[<>-]", "", inner)
    assert layout(f"<p>before</p><{tag}>{inner}SECRET</{tag}><p>after</p>") == "before\n\nafter"


@given(st.lists(words, min_size=1))
def test_inline_elements_do_not_break(parts: list[str]) -> None:
    assert layout("".join(f"<b>{part}</b>" for part in parts)) == "".join(parts)
    assert layout(" \n ".join(f"<a href=x>{part}</a>" for part in parts)) == " ".join(parts)


def test_blocks_know_their_element() -> None:
    page = "<title>T</title><div>a<ul><li>b <i>c</i></ul>d</div>"
    found = [(block.text, block.path.tags()[1:]) for block in blocks(page)]
    assert found == [
        ("T", ("head", "title")),
        ("a", ("body", "div")),
        ("b c", ("body", "div", "ul", "li")),
        ("d", ("body", "div")),
    ]
    assert repr(blocks("<p>a")[0].path) == "<Element html/body/p>"


def test_the_first_title_is_the_first_line_wherever_it_stands() -> None:
    assert layout("<p>text<svg><title>icon</title></svg><title>A\n page</title><title>B</title>") == "A page\n\ntext"


def test_cells_of_one_line_are_joined() -> None:
    assert layout("<table><tr><th>a<th><p>b</p><th><tr><td>1<td>2<br>3<td>4<td>5</table>") == "a\tb\n\n1\n2\n3\n4\t5"


def test_preformatted_lines_are_kept() -> None:
    assert layout("<pre>\n  a <b>b\r\n\n\n c</b>\n</pre>") == "  a b\n\n\n c"


def test_undecodable_bytes_are_kept() -> None:
    assert layout("a\udc80\ud800<p>\U00100000\udfff") == "a\udc80\ud800\n\n\U00100000\udfff"


@pytest.mark.parametrize("url", [None, "https://example.org/"])
def test_nothing_gives_nothing(url: str | None) -> None:
    assert layout("", url) == layout(" <p> \n <br>", url) == ""
    assert blocks("<!-- -->") == []


@pytest.mark.parametrize("tag", ["div", "b", "span", "font color=red", "table><tr><td", "ul><li", "blockquote", "svg"])
@pytest.mark.parametrize("end", ["", "closed"])
def test_deep_nesting_is_quick(tag: str, end: str) -> None:
    name = tag.split(">")[0].split()[0]
    page = f"<{tag}>" * 100_000 + "<p>x</p>" + (f"</{name}>" * 100_000 if end else "") + "<p>y</p>"
    start = time.perf_counter()
    text = layout(page)
    assert time.perf_counter() - start < 10
    assert text.endswith("y")


def test_the_depth_limit_keeps_lines_apart() -> None:
    lines = layout("".join(f"<div>{number}" for number in range(6000))).split("\n")
    assert lines == [str(number) for number in range(6000)]


@pytest.mark.parametrize("page", CASES, ids=lambda page: page.name)
def test_pages_look_like_html(page: Path) -> None:
    text = decode(page.read_bytes()).text
    assert looks_like_html(text)
    assert not looks_like_html(layout(text))


@pytest.mark.parametrize(
    "page",
    [
        "<!DOCTYPE html>",
        "\ufeff \n<HTML lang=en>",
        '<?xml version="1.0"?><!-- a --><html xmlns="x">',
        "casino,slots,casino\n<!DOCTYPE html>\n<html><head>",
        "<div><p>One</p><p>Two</p><a href='/three'>Three</a></div>",
    ],
)
def test_html_is_told(page: str) -> None:
    assert looks_like_html(page)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "a < b > c",
        "Write <html> first, then <body> and </body>.",
        "# Title\n\n<p align=center><img src=a.png></p>\n\n" + "Plenty of words follow the picture here. " * 20,
        "```html\n<html><head></head><body><p>a</p></body></html>\n```\n",
        "<name@example.org> wrote: yes\n<other@example.org> wrote: no",
        "List<String> a; Map<K, V> b; List<Integer> c; Set<T> d;",
        "<?xml version='1.0'?><rss><channel><item>a</item></channel></rss>",
    ],
)
def test_text_with_some_tags_is_not_html(text: str) -> None:
    assert not looks_like_html(text)


def test_a_block_is_a_value() -> None:
    block = blocks("<p>a")[0]
    assert block == Block("a", block.path, block.gap)
    with pytest.raises(AttributeError):
        block.text = "b"  # type: ignore[misc]
