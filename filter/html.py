"""A page as the lines that a browser would show: block elements break lines, inline text flows together.

`blocks` lays the page out and keeps, with each line, the element that it stands in; `layout` joins the lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MAX_DEPTH = 512
"""Elements open at once, as in browsers; further ones only break the line."""
FEW_TAGS = 4096
"""Up to so many start tags, any depth is harmless. The parser's time is quadratic in the depth."""
LOOK_CHARS = 1 << 16
"""What `looks_like_html` reads of a text."""


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_HIDDEN = _tags(
    "annotation annotation-xml audio canvas colgroup datalist embed iframe link meta noembed noframes"
    " noscript object optgroup option param script select source style svg template track video"
)
_LINE_BLOCKS = _tags(
    "address article aside body caption center dd details dialog div dt fieldset figcaption footer form"
    " frameset header hgroup html legend li main nav search section summary tbody td textarea tfoot th"
    " thead tr"
)
_PARAGRAPHS = _tags("blockquote dl figure h1 h2 h3 h4 h5 h6 hr listing menu ol p plaintext pre table ul xmp")
_BLOCKS = _LINE_BLOCKS | _PARAGRAPHS
_PREFORMATTED = _tags("listing plaintext pre textarea xmp")
_LISTS = _tags("dl menu ol ul")
_CELLS = _tags("td th")
_BOXES = _tags("button input meter progress")
_RAW_TEXT = _tags("script style textarea title")
# These end by themselves when the next one begins, so they do not nest by being left open.
_SELF_ENDING = _tags(
    "area base br col dd dt embed hr img input li link meta optgroup option p param rp rt source tbody td"
    " tfoot th thead tr track wbr"
)

_SPACE = re.compile("[ \t\n\r\f]+")
_TEXTLESS = re.compile(r"[\s\u200b\ufeff]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*)[^<>]*>?")

_DOCUMENT = re.compile(
    r"(?:\s|\ufeff|<\?xml[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|(?:html|head|title)[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_LATE_DOCUMENT = re.compile(
    r"^<(?:!doctype\s+html|html[\s>])[^`]{0,4000}?<(?:head|body)[\s>]", re.IGNORECASE | re.MULTILINE
)
_KNOWN_TAG = re.compile(
    r"</?(?:a|article|aside|b|blockquote|body|br|button|caption|center|dd|div|dl|dt|em|fieldset|figure|font|footer"
    r"|form|h[1-6]|head|header|hr|i|iframe|img|input|label|li|link|main|meta|nav|ol|option|p|pre|script|section"
    r"|select|small|span|strong|style|table|tbody|td|textarea|tfoot|th|thead|title|tr|u|ul)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Element:
    """An element that breaks lines, linked to the one around it: paths of any depth share their beginning.

    Attributes
    ----------
    tag : str
        Its name, in lower case.
    parent : Element or None
        The line-breaking element around it.
    """

    tag: str
    parent: Element | None

    def tags(self) -> tuple[str, ...]:
        """Names from the outermost element to this one."""
        names = []
        element: Element | None = self
        while element is not None:
            names.append(element.tag)
            element = element.parent
        return tuple(reversed(names))

    def __repr__(self) -> str:
        return f"<Element {'/'.join(self.tags()[-8:])}>"


@dataclass(frozen=True, slots=True)
class Block:
    r"""A line of a page.

    Attributes
    ----------
    text : str
        The line; never blank, holds no ``\n``.
    path : Element
        The innermost line-breaking element that it begins in.
    gap : int
        Line ends between it and the line before: 1, or more with blank lines.
    """

    text: str
    path: Element
    gap: int = 1


def layout(html: str, url: str | None = None) -> str:
    r"""Lay out a page as lines of text, the way a browser would break it.

    Block elements and ``<br>`` start lines, with a blank line where a browser shows a gap between paragraphs;
    white space collapses except in ``<pre>`` and ``<textarea>``; the cells of a table row are joined by tabs
    (a cell of several lines, as in tables made for layout, keeps its lines apart, an empty one vanishes); the
    title is the first line. Text that a style or the ``hidden`` attribute hides is kept: whether it counts is
    not for the layout to say.

    Parameters
    ----------
    html : str
        The page, however broken, of up to 2.5 GB.
    url : str, optional
        Where the page stood; the layout does not depend on it.

    Returns
    -------
    str
        The lines, joined by ``\n``, with no ``\n`` at the ends.

    Examples
    --------
    >>> print(layout("<title>Tea</title><h1>Tea</h1><ul><li>green<li>black</ul>one<br>two <b>and</b> a half"))
    Tea
    <BLANKLINE>
    Tea
    <BLANKLINE>
    green
    black
    <BLANKLINE>
    one
    two and a half
    """
    pieces: list[str] = []
    for block in blocks(html):
        if pieces:
            pieces.append("\n" * block.gap)
        pieces.append(block.text)
    return "".join(pieces)


def blocks(html: str) -> list[Block]:
    r"""Lay out a page as lines that know which element they stand in.

    Parameters
    ----------
    html : str
        The page, however broken.

    Returns
    -------
    list of Block
        The lines from top to bottom, the title first.

    Examples
    --------
    >>> [(block.text, block.path.tags()) for block in blocks("<nav>Home</nav><p>Tea &amp; cake")]
    [('Home', ('html', 'body', 'nav')), ('Tea & cake', ('html', 'body', 'p'))]
    """
    from selectolax.lexbor import LexborHTMLParser

    shifted, offset = _shift_surrogates(_limit_depth(html))
    # With scripting, the content of noscript is one text, as in a browser; without, it would end the head.
    parser = LexborHTMLParser(shifted, scripting=True)
    if parser.root is None:
        return []
    lines = _walk(parser.root)
    if not offset:
        return lines
    return [replace(line, text=_shift(line.text, chr(0xD800 + offset), -offset)) for line in lines]


def looks_like_html(text: str) -> bool:
    r"""Tell whether a text is an HTML page or piece of one, rather than a text with some tags in it.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    bool
        True if it begins as an HTML document, if one begins below some lines of junk, or if tags dominate it.

    Examples
    --------
    >>> looks_like_html("<!DOCTYPE html><p>Tea"), looks_like_html("Use <b>bold</b> sparingly.")
    (True, False)
    """
    head = text[:LOOK_CHARS]
    if _DOCUMENT.match(head):
        return True
    if "<" not in head or "```" in head:
        return False
    return bool(_LATE_DOCUMENT.search(head)) or _tags_dominate(head)


def _tags_dominate(head: str) -> bool:
    count = size = closing = 0
    for tag in _KNOWN_TAG.finditer(head):
        count += 1
        size += len(tag[0])
        closing += tag[0].startswith("</")
    # A text that begins with a tag needs less to be a page than one that begins with words.
    needed = 0.2 if _KNOWN_TAG.match(head.lstrip()) else 0.5
    return count >= 4 and closing >= 1 and size > needed * len(head.strip())


class _Layout:
    """The lines so far, the line being written, and the elements around it."""

    __slots__ = ("_breaks", "_lists", "_path", "_pieces", "_preformatted", "_rows", "_title", "lines")

    def __init__(self) -> None:
        self.lines: list[Block] = []
        self._title: Block | None = None
        self._path = Element("html", None)
        self._pieces: list[str] = []
        self._breaks = 1
        self._preformatted = 0
        self._lists = 0
        self._rows: list[tuple[list[Block], list[list[Block]]]] = []

    def enter(self, tag: str, node: LexborNode) -> bool:
        """Begin a node; tells whether its children are to be laid out."""
        if tag == "-text":
            self._write(node.text_content or "")
        elif tag == "br":
            if not self._end_line():
                self._breaks = max(self._breaks, 2)
        elif tag == "title":
            self._set_title(node.text())
        elif tag not in _HIDDEN and tag[0] != "-":
            if tag in _BLOCKS:
                self._open(tag)
            elif tag in _BOXES:
                self._pieces.append(" ")
            return True
        return False

    def leave(self, tag: str) -> None:
        """End an element that was entered with its children."""
        if tag in _BLOCKS:
            self._close(tag)
        elif tag in _BOXES:
            self._pieces.append(" ")

    def finish(self) -> list[Block]:
        """End the page: its lines, the title on top."""
        self._end_line()
        if self._title is None:
            return self.lines
        return [self._title, *(replace(line, gap=2) for line in self.lines[:1]), *self.lines[1:]]

    def _open(self, tag: str) -> None:
        self._end_line(self._gap(tag))
        if tag != "html":
            self._path = Element(tag, self._path)
        self._preformatted += tag in _PREFORMATTED
        self._lists += tag in _LISTS
        if tag == "tr":
            self._rows.append((self.lines, []))
        elif tag in _CELLS and self._rows:
            self.lines = []
            self._rows[-1][1].append(self.lines)

    def _close(self, tag: str) -> None:
        self._lists -= tag in _LISTS
        self._end_line(self._gap(tag))
        self._preformatted -= tag in _PREFORMATTED
        self._path = self._path.parent or self._path
        if tag == "tr":
            self.lines, cells = self._rows.pop()
            self.lines.extend(_join_cells(cells))

    def _gap(self, tag: str) -> int:
        # Browsers give a list inside a list no margin.
        return 2 if tag in _PARAGRAPHS and not (self._lists and tag in _LISTS) else 1

    def _set_title(self, text: str) -> None:
        text = _collapse(text)
        if self._title is None and text:
            self._title = Block(text, Element("title", Element("head", Element("html", None))))

    def _write(self, text: str) -> None:
        if not self._preformatted:
            self._pieces.append(text)
            return
        first, *rest = text.split("\n")
        self._pieces.append(first)
        for line in rest:
            if not self._end_line() and self.lines:
                self._breaks += 1
            self._pieces.append(line)

    def _end_line(self, gap: int = 1) -> bool:
        """End the line; tells whether it had text. The next one will be at least `gap` line ends below."""
        text = "".join(self._pieces)
        self._pieces.clear()
        text = text.rstrip() if self._preformatted else _collapse(text)
        shown = _TEXTLESS.fullmatch(text) is None
        if shown:
            self.lines.append(Block(text, self._path, self._breaks))
            self._breaks = 1
        self._breaks = max(self._breaks, gap)
        return shown


def _collapse(text: str) -> str:
    return _SPACE.sub(" ", text).strip(" ")


def _join_cells(cells: list[list[Block]]) -> list[Block]:
    """One line for neighbouring cells of one line each; the lines of other cells as they are."""
    lines: list[Block] = []
    joined: list[Block] = []
    for cell in [*cells, None]:
        if cell is not None and len(cell) == 1:
            joined += cell
        elif cell != []:
            if joined:
                lines.append(replace(joined[0], text="\t".join(line.text for line in joined)))
            joined = []
            lines += cell or ()
    return lines


def _walk(root: LexborNode) -> list[Block]:
    """Visit every node in order without recursion: pages nest deeper than Python's stack."""
    page = _Layout()
    trail: list[tuple[LexborNode, str]] = []
    node = root
    while True:
        tag = node.tag or "-"
        if page.enter(tag, node):
            trail.append((node, tag))
            below = node.first_child
            if below is not None:
                node = below
                continue
            trail.pop()
            page.leave(tag)
        beside = node.next
        while beside is None:
            if not trail:
                return page.finish()
            node, tag = trail.pop()
            page.leave(tag)
            beside = node.next
        node = beside


def _limit_depth(html: str) -> str:
    """Replace the tags of elements nested too deep; the page is otherwise left alone."""
    if html.count("<") - html.count("</") <= FEW_TAGS:
        return html
    depth = dropped = 0

    def limited(tag: re.Match[str]) -> str:
        nonlocal depth, dropped
        name = tag[2].lower()
        if name in _SELF_ENDING or name in _RAW_TEXT:
            return tag[0]
        closing = bool(tag[1])
        if dropped if closing else depth >= MAX_DEPTH:
            dropped += -1 if closing else 1
            return "<br>" if name in _BLOCKS else ""
        depth = max(0, depth - 1) if closing else depth + 1
        return tag[0]

    return _TAG.sub(limited, html)


def _shift_surrogates(html: str) -> tuple[str, int]:
    """Move lone surrogates (undecodable bytes), which the parser drops, to unused code points."""
    try:
        html.encode()
    except UnicodeEncodeError:
        pass
    else:
        return html, 0
    for start in range(0x100000, 0x10F800, 0x800):
        if not re.search(f"[{chr(start)}-{chr(start + 0x7FF)}]", html):
            return _shift(html, "\ud800", start - 0xD800), start - 0xD800
    return _SURROGATE.sub("\ufffd", html), 0


def _shift(text: str, first: str, offset: int) -> str:
    """Add `offset` to the code points of as many characters from `first` on as there are surrogates."""
    moved = f"[{first}-{chr(ord(first) + 0x7FF)}]"
    return re.sub(moved, lambda found: chr(ord(found[0]) + offset), text)
