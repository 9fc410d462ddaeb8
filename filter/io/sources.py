"""Finding the inputs that were named, and reading them as documents."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePath

from filter.errors import InputError

STDIN = "-"
"""The argument, and the name in messages, of standard input."""

HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".shtml"})
TEXT_SUFFIXES = frozenset({".txt", ".text", ".md", ".rst"})
JSONL_SUFFIXES = frozenset({".jsonl", ".ndjson"})

Report = Callable[[str], None]
"""Takes a message for the user: one sentence, without the name of the command."""


class Markup(Enum):
    """How to read a document: as HTML, as text, or by its name and content."""

    AUTO = "auto"
    HTML = "html"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Source:
    """An input that was found.

    Attributes
    ----------
    name : str
        As it was named, for messages and receipts; ``-`` for standard input.
    path : Path or None
        Where it lies; None for standard input.
    place : PurePath
        Its place below an output folder: the path inside the folder that was named, or the file's name.
    site : str or None
        The folder it lies in, where a folder was named: pages side by side are mostly of one site.
    """

    name: str
    path: Path | None
    place: PurePath
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A source that was read and decoded.

    Attributes
    ----------
    source : Source
    text : str
        All of it, markup included where it is HTML.
    encoding : str
        The encoding it came in.
    bom : bytes
        The byte order mark it began with, or nothing.
    is_html : bool
    data : bytes
        As it came.
    """

    source: Source
    text: str
    encoding: str
    bom: bytes
    is_html: bool
    data: bytes


def find_sources(
    arguments: Sequence[str], *, suffixes: Collection[str] = (), leave_out: Collection[Path] = ()
) -> list[Source]:
    """Find the inputs that arguments name.

    Parameters
    ----------
    arguments : sequence of str
        Files, folders (searched to their depth, names that begin with a dot left out) and ``-`` for standard
        input. None at all means standard input.
    suffixes : collection of str
        Where given, only files of a folder that end in one of these are taken.
    leave_out : collection of Path
        Files and folders that a search passes by: outputs that lie inside an input folder.

    Returns
    -------
    list of Source
        In the order of the arguments, those of a folder sorted, each once.

    Raises
    ------
    InputError
        Where something does not exist, or a folder holds no file to read. Nothing has been read by then.
    """
    found: dict[str, Source] = {}
    passed_by = {path.resolve() for path in leave_out}
    for argument in arguments or (STDIN,):
        for source in _find_one(argument, suffixes, passed_by):
            found.setdefault(_where(source), source)
    return list(found.values())


def _where(source: Source) -> str:
    # Not resolved: two links to one file are two inputs, each with an output of its own.
    return STDIN if source.path is None else os.path.abspath(source.path)  # noqa: PTH100


def _find_one(argument: str, suffixes: Collection[str], passed_by: Collection[Path]) -> Iterable[Source]:
    if argument == STDIN:
        return [Source(STDIN, None, PurePath("stdin"))]
    path = Path(argument)
    try:
        path.stat()
    except FileNotFoundError:
        raise InputError(f"{argument}: no such file or folder") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{argument}: cannot be read: {reason(error)}") from None
    if not path.is_dir():
        return [Source(argument, path, PurePath(path.name))]
    inside = [
        Source(str(file), file, file.relative_to(path), str(file.parent)) for file in _walk(path, suffixes, passed_by)
    ]
    if not inside:
        wanted = f" ending in {' or '.join(sorted(suffixes))}" if suffixes else ""
        raise InputError(f"{argument}: the folder holds no readable files{wanted}")
    return inside


def _walk(folder: Path, suffixes: Collection[str], passed_by: Collection[Path]) -> Iterator[Path]:
    """Regular files below a folder, sorted, without following links to folders."""
    for root, folders, names in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and (here / name).resolve() not in passed_by
        )
        for name in sorted(names):
            file = here / name
            wanted = not suffixes or file.suffix.lower() in suffixes
            if wanted and not name.startswith(".") and file.is_file() and file.resolve() not in passed_by:
                yield file


def read_documents(
    sources: Iterable[Source], markup: Markup, *, on_skip: Report, on_error: Report
) -> Iterator[Document]:
    """Read and decode sources, one at a time.

    Parameters
    ----------
    sources : iterable of Source
    markup : Markup
        What they are; by default what the file's name says, HTML or text, else by content.
    on_skip : callable
        Called with a message for every binary file.
    on_error : callable
        Called with a message for every file that cannot be read.

    Yields
    ------
    Document
        Of the sources that could be read, in order.
    """
    from filter.decode import looks_binary

    for source in sources:
        try:
            data = read_bytes(source)
        except InputError as error:
            on_error(str(error))
            continue
        # What is piped in has no name to skip it by, and whoever did so means it.
        if source.path is not None and looks_binary(data):
            on_skip(f"{source.name}: skipped, it is a binary file")
            continue
        yield _decode(source, data, markup)


def read_bytes(source: Source) -> bytes:
    """Read a source whole.

    Parameters
    ----------
    source : Source

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        Where it cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if source.path is None else source.path.read_bytes()
    except OSError as error:
        raise InputError(f"{source.name}: cannot be read: {reason(error)}") from None


def reason(error: Exception) -> str:
    """Say why the operating system refused, without the path that the message names anyway.

    Parameters
    ----------
    error : Exception

    Returns
    -------
    str

    Examples
    --------
    >>> reason(FileNotFoundError(2, "No such file or directory", "x"))
    'no such file or directory'
    """
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return text[:1].lower() + text[1:]


def _decode(source: Source, data: bytes, markup: Markup) -> Document:
    from filter.decode import decode

    decoded = decode(data)
    is_html = _is_html(source, decoded.text, markup)
    return Document(source, decoded.text, decoded.encoding, decoded.bom, is_html, data)


def _is_html(source: Source, text: str, markup: Markup) -> bool:
    if markup is not Markup.AUTO:
        return markup is Markup.HTML
    suffix = source.place.suffix.lower()
    if suffix in HTML_SUFFIXES or suffix in TEXT_SUFFIXES:
        return suffix in HTML_SUFFIXES
    from filter.html import looks_like_html

    return looks_like_html(text)
