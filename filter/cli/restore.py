"""``pagefilter restore``: what cleaning took, given back from its receipts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Annotated, BinaryIO

import typer

from filter.cli import options
from filter.cli.messages import WrongUsageError
from filter.errors import InputError, OutputError, ReceiptError
from filter.io.sinks import whole_file
from filter.io.sources import reason
from filter.policy import check_labels
from filter.restore import Chosen, Receipt, read_receipts, restore, restore_some

DEFAULT_FIELD = "text"


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be restored, and how much of it."""

    receipts: Path
    clean: Path
    out: Path | None
    field: str
    chosen: Chosen | None


def restore_command(
    clean: Annotated[Path, typer.Argument(metavar="CLEAN", help="What `clean` wrote: its --out folder, or a file.")],
    receipts: Annotated[
        Path, typer.Option("--receipts", metavar="FILE", help="The receipts that `clean` wrote with it.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", help="Write here what comes back.  [default: standard output, one file]"
        ),
    ] = None,
    line: Annotated[
        list[int] | None,
        typer.Option("--line", metavar="N", help="Only this line, as `clean --why` counts.", show_default=False),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label", metavar="LABEL", help="Only lines, and stretches of lines, of this label.", show_default=False
        ),
    ] = None,
    field: Annotated[
        str, typer.Option("--field", metavar="NAME", help="Of JSON lines, the field that holds the text.")
    ] = DEFAULT_FIELD,
) -> options.Task:
    """Give back what cleaning took: the original bytes, or the clean text with some lines as they were.

    Nothing is written unless every page fits its receipt.

    Example: pagefilter restore clean/ --receipts receipts.jsonl --out pages/
    """
    labels = tuple(one for value in label or () for one in value.split(","))
    check_labels(labels)
    if line and min(line) < 1:
        raise WrongUsageError(f"lines are counted from 1, not {min(line)}")
    job = _Job(receipts, clean, out, field, _choice(frozenset(line or ()), frozenset(labels)))
    return partial(_restore, job)


def _choice(lines: frozenset[int], labels: frozenset[str]) -> Chosen | None:
    """What is asked for; all of it where nothing is said."""
    if not lines and not labels:
        return None
    return lambda number, label: (not lines or number + 1 in lines) and (not labels or label in labels)


def _restore(job: _Job) -> int:
    if job.out is None:
        files = list(_checked(job))
        if len(files) > 1:
            raise WrongUsageError(f"the receipts are of {len(files)} files; name a folder with --out")
        for _, pieces in _restored(job):
            sys.stdout.buffer.writelines(pieces)
        return 0
    if job.out.exists() and not job.out.is_dir():
        raise OutputError(f"{job.out}: the output folder is a file; name a folder")
    if job.out.resolve() == job.clean.resolve():
        raise OutputError(f"{job.out}: holds the clean files; name another folder")
    # Read twice: nothing is written before all of it has been seen to fit.
    for place in _checked(job):
        _refuse_outside(place)
    for place, pieces in _restored(job):
        with whole_file(job.out / place) as stream:
            stream.writelines(pieces)
    return 0


def _checked(job: _Job) -> Iterator[str]:
    """Restore everything and keep nothing."""
    seen: set[str] = set()
    for place, pieces in _restored(job):
        for _ in pieces:
            pass
        if place in seen:
            raise ReceiptError(f"{job.receipts}: two pages would come back as {place}; clean them apart")
        seen.add(place)
        yield place


def _refuse_outside(place: str) -> None:
    path = PurePosixPath(place)
    if path.is_absolute() or ".." in path.parts:
        raise ReceiptError(f"{place}: the receipts name a place outside of the output folder; they were changed")


def _restored(job: _Job) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each file that was cleaned: its place, and its bytes in pieces."""
    with ExitStack() as stack:
        records = read_receipts(stack.enter_context(_opened(job.receipts)), str(job.receipts))
        n_files = 0
        for (_, place, written), receipts in groupby(records, key=_file_of):
            n_files += 1
            if n_files > 1 and not job.clean.is_dir():
                raise ReceiptError(f"{job.receipts}: is of several files; give the folder that they were cleaned into")
            path = job.clean / written if job.clean.is_dir() else job.clean
            yield (place if job.chosen is None else written), _pieces(job, path, receipts)
        if not n_files:
            raise ReceiptError(f"{job.receipts}: holds no receipts")


def _file_of(receipt: Receipt) -> tuple[str, str, str]:
    """Which file a page was in, its place, and that of the clean one."""
    return receipt.page["source"], receipt.page["place"], receipt.page["output"]["place"]


def _pieces(job: _Job, path: Path, receipts: Iterator[Receipt]) -> Iterator[bytes]:
    with _opened(path) as stream:
        for receipt in receipts:
            is_row = receipt.page.get("row") is not None
            if receipt.page["output"]["sha256"] is None:
                clean = None
            else:
                clean = stream.readline().removesuffix(b"\n") if is_row else stream.read()
            field, end = (job.field, b"\n") if is_row else (None, b"")
            if job.chosen is None:
                yield restore(receipt, clean, field) + end
            elif clean is not None:
                yield restore_some(receipt, clean, job.chosen, field) + end
        if stream.read(1):
            raise ReceiptError(f"{path}: holds rows without a receipt; they were added, or are of another run")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file, and nothing was restored; give what `clean` wrote") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {reason(error)}") from None
    with stream:
        yield stream
