"""``pagefilter clean``: pages in, only what their authors wrote out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from filter.cli import options
from filter.cli.findings import describe_finding, page_findings
from filter.cli.messages import Messages, WrongUsageError
from filter.cli.pages import Tally, clean_rows, clean_sources, open_rows, total_bytes
from filter.cli.progress import Progress
from filter.errors import InputError
from filter.io.jsonl import with_text
from filter.io.receipts import Origin, Written, page_receipts
from filter.io.records import to_json
from filter.io.sinks import check_output_file, output_place, plan_outputs, whole_file, write_whole
from filter.io.sources import JSONL_SUFFIXES, Document, Markup, Source, find_sources
from filter.page import Page
from filter.verdict import INJECTED_INTO, SPAM

if TYPE_CHECKING:
    from filter import PageFilter

_ENCODINGS = ("utf-8", "same")
_DROPPABLE = (SPAM, INJECTED_INTO)

WritePage = Callable[[Document, str], "Written | None"]
"""Takes a document and its cleaned text; gives what was written, None where that failed."""

PutPage = Callable[[Source, bytes, bytes], None]
"""Takes a source, its cleaned text in bytes, and the line feed missing at its end."""

Tell = Callable[[str, Page, str | None], None]
"""Takes the name of a page, the page, and what was cleaned where it is text."""

WriteReceipts = Callable[[Page, Origin, Written], None]
"""Takes a page, where it came from, and what was written of it."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be cleaned, and where it goes."""

    files: tuple[str, ...]
    out: Path | None
    receipts: Path | None
    markup: Markup
    choice: options.FilterChoice
    why: bool
    drop_pages: frozenset[str]
    drop_rows: bool

    def decided(self, page: Page) -> Page:
        """The page, or nothing of it where pages like it are dropped whole."""
        return page.dropped_whole() if page.verdict in self.drop_pages else page


def clean(
    files: options.Files = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Write a file for each input here, not to standard output."),
    ] = None,
    receipts: Annotated[
        Path | None,
        typer.Option("--receipts", metavar="FILE", help="Write what was dropped or changed here, as JSON lines."),
    ] = None,
    jsonl: options.Jsonl = False,
    field: options.Field = None,
    policy: options.Policy = options.DEFAULT_POLICY,
    only: options.Only = None,
    keep: options.Keep = None,
    drop: options.Drop = None,
    max_loss: options.MaxLoss = None,
    second_opinion: options.SecondOpinion = None,
    no_repair: options.NoRepair = None,
    drop_pages: Annotated[
        list[str] | None,
        typer.Option(
            "--drop-pages", metavar="VERDICT", help="Drop pages whole that are: spam, injected.", show_default=False
        ),
    ] = None,
    drop_rows: Annotated[
        bool, typer.Option("--drop-rows", help="With --jsonl: leave rows of dropped pages out, not their text.")
    ] = False,
    model: options.Model = None,
    output_encoding: Annotated[
        str, typer.Option("--output-encoding", metavar="utf-8|same", help="UTF-8, or what each file came in.")
    ] = "utf-8",
    html: options.Html = None,
    why: Annotated[
        bool, typer.Option("--why", help="Tell on standard error what was dropped or changed, and as what.")
    ] = False,
) -> options.Task:
    """Drop injected spam and page furniture, give back the rest.

    Text goes to standard output, or with --out into a folder that mirrors the input.

    Example: pagefilter clean pages/ --out clean/ --receipts receipts.jsonl
    """
    field_name = options.choose_field(jsonl, field)
    choice = options.choose_filter(model, policy, only, keep, drop, max_loss, second_opinion, no_repair)
    if output_encoding not in _ENCODINGS:
        raise WrongUsageError(f"there is no output encoding {output_encoding!r}; choose utf-8 or same")
    if jsonl and output_encoding == "same":
        raise WrongUsageError("JSON lines are UTF-8; leave out --output-encoding same")
    if out is not None and (not files or "-" in files):
        raise WrongUsageError("--out needs files or folders to read, not standard input")
    dropped = frozenset(verdict for value in drop_pages or () for verdict in value.split(","))
    if not dropped <= set(_DROPPABLE):
        raise WrongUsageError(f"--drop-pages takes {' or '.join(_DROPPABLE)}, not {min(dropped - set(_DROPPABLE))!r}")
    if drop_rows and not (jsonl and dropped):
        raise WrongUsageError("--drop-rows needs --jsonl and --drop-pages")
    job = _Job(tuple(files or ()), out, receipts, options.choose_markup(html), choice, why, dropped, drop_rows)
    if jsonl:
        return partial(_clean_rows, job, field_name)
    return partial(_clean_pages, job, output_encoding == "same")


def _clean_pages(job: _Job, same_encoding: bool) -> int:
    sources, outputs = _plan(job, suffixes=())
    page_filter = job.choice.load()
    progress = Progress(len(sources))
    messages = Messages(progress)
    tally, tell = Tally(), _teller(messages) if job.why else _say_nothing
    write = _page_writer(outputs, same_encoding, messages)
    with _receipt_writer(job.receipts, page_filter) as write_receipts:
        for document, text, judged in clean_sources(page_filter, sources, job.markup, messages):
            page = job.decided(judged)
            written = write(document, page.text)
            if written is not None:
                write_receipts(page, _origin_of(document, text), written)
            tell(document.source.name, page, None if document.is_html else text)
            tally.add(page, whole=page is not judged)
            progress.advance(1, 1)
    _sum_up(tally, page_filter, messages)
    return messages.exit_code


def _clean_rows(job: _Job, field: str) -> int:
    sources, outputs = _plan(job, suffixes=JSONL_SUFFIXES)
    page_filter = job.choice.load()
    progress = Progress(total_bytes(sources))
    messages = Messages(progress)
    tally, tell = Tally(), _teller(messages) if job.why else _say_nothing
    with _receipt_writer(job.receipts, page_filter) as write_receipts:
        for source in sources:
            place = source.place.as_posix()
            try:
                with open_rows(source) as rows, _open_output(outputs.get(source)) as output:
                    for row, text, judged in clean_rows(page_filter, rows, source, field, job.markup, messages):
                        page, is_html = job.decided(judged), job.markup is Markup.HTML
                        data = with_text(row, field, page.text) if page is judged or not job.drop_rows else None
                        if data is not None:
                            output.write(data + b"\n")
                        named = {"source": row.source, "row": row.number}
                        origin = Origin(named, place, text, "utf-8", b"", row.raw, is_html, field)
                        write_receipts(page, origin, Written(data, place))
                        tell(f"{row.source}:{row.number}", page, None if is_html else text)
                        tally.add(page, whole=page is not judged)
                        progress.advance(1, len(row.raw) + 1)
            except InputError as error:
                messages.fail(str(error))
    _sum_up(tally, page_filter, messages)
    return messages.exit_code


def _plan(job: _Job, suffixes: frozenset[str] | tuple[()]) -> tuple[list[Source], dict[Source, Path]]:
    """Find inputs and choose outputs, so that whatever is wrong shows before anything is cleaned."""
    leave_out = [path for path in (job.out, job.receipts) if path is not None]
    sources = find_sources(job.files, suffixes=suffixes, leave_out=leave_out)
    outputs = {} if job.out is None else plan_outputs(sources, job.out, text_suffix=not suffixes)
    if job.receipts is not None:
        check_output_file(job.receipts, sources, outputs.values())
    return sources, outputs


def _page_writer(outputs: dict[Source, Path], same_encoding: bool, messages: Messages) -> WritePage:
    """Choose where pages go; a page that its own encoding cannot hold is a failure, and the others go on."""
    from filter.decode import UnencodableError, encode

    put = _into_files(outputs) if outputs else _one_after_the_other()

    def write(document: Document, text: str) -> Written | None:
        encoding, bom = (document.encoding, document.bom) if same_encoding else ("utf-8", b"")
        try:
            data = encode(text, encoding, bom)
        except UnencodableError as error:
            messages.fail(f"{document.source.name}: {error}")
            return None
        put(document.source, data, encode("" if not text or text.endswith("\n") else "\n", encoding))
        return Written(data, output_place(document.source), encoding, bom)

    return write


def _into_files(outputs: dict[Source, Path]) -> PutPage:
    return lambda source, data, _: write_whole(outputs[source], data)


def _one_after_the_other() -> PutPage:
    """Write pages to standard output, each beginning on a line of its own."""
    missing_end = b""

    def put(_: Source, data: bytes, end: bytes) -> None:
        nonlocal missing_end
        sys.stdout.buffer.write(missing_end + data)
        missing_end = end

    return put


@contextmanager
def _open_output(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
        return
    with whole_file(path) as stream:
        yield stream


def _origin_of(document: Document, text: str) -> Origin:
    source = document.source
    encoding, bom = ("utf-8", b"") if document.is_html else (document.encoding, document.bom)
    named = {"source": source.name}
    return Origin(named, source.place.as_posix(), text, encoding, bom, document.data, document.is_html)


@contextmanager
def _receipt_writer(path: Path | None, page_filter: PageFilter) -> Iterator[WriteReceipts]:
    """Open the file of receipts before anything is cleaned, so that one that cannot be written stops the run."""
    if path is None:
        yield lambda page, origin, written: None
        return
    settings = page_filter.settings
    thresholds = {kind: getattr(settings, kind) for kind in ("injected", "furniture", "junk", "alone")}
    model = {"model": page_filter.model.digest, "policy": settings.name, "thresholds": thresholds}
    with whole_file(path) as stream:

        def write(page: Page, origin: Origin, written: Written) -> None:
            records = page_receipts(page, origin, written, model, page_filter.reasons)
            stream.writelines(to_json(record) + b"\n" for record in records)

        yield write


def _teller(messages: Messages) -> Tell:
    def tell(name: str, page: Page, original: str | None) -> None:
        if page.text != original:
            for line, label, excerpt in page_findings(page):
                messages.show(describe_finding(name, line, label, excerpt))

    return tell


def _say_nothing(name: str, page: Page, original: str | None) -> None:
    pass


def _sum_up(tally: Tally, page_filter: PageFilter, messages: Messages) -> None:
    if tally.pages > 1:
        messages.note(tally.summary())
    if page_filter.missing:
        messages.note(f"there was no second opinion: {page_filter.missing}")
    elif page_filter.second_opinion is not None:
        asked = page_filter.second_opinion
        messages.note(f"second opinion on {asked.lines} lines of {asked.pages} pages out of {asked.of}")
