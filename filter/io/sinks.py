"""Writing outputs: whole or not at all, and never one over another or over an input."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import BinaryIO

from filter.errors import OutputError
from filter.io.sources import HTML_SUFFIXES, Source, reason


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only once it is complete.

    Parameters
    ----------
    path : Path
        Folders above it are made.

    Yields
    ------
    file object
        A temporary file in the same folder, renamed when the block ends and removed when it fails.

    Raises
    ------
    OutputError
        Where it cannot be written.
    """
    temporary = path.with_name(f".{path.name[:60]}.{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = temporary.open("xb")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {reason(error)}") from None
    try:
        with stream:
            yield stream
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise OutputError(f"{path}: cannot be written: {reason(error)}") from None
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all.

    Parameters
    ----------
    path : Path
    data : bytes

    Raises
    ------
    OutputError
        Where it cannot be written.
    """
    with whole_file(path) as stream:
        stream.write(data)


def plan_outputs(sources: Sequence[Source], folder: Path, *, text_suffix: bool = True) -> dict[Source, Path]:
    """Choose the output of every source, before anything is cleaned.

    Parameters
    ----------
    sources : sequence of Source
    folder : Path
        The output folder; the tree of an input folder is mirrored below it.
    text_suffix : bool
        Whether ``page.html`` becomes ``page.txt``, since what comes out is text.

    Returns
    -------
    dict of Source to Path

    Raises
    ------
    OutputError
        Where two sources would share an output, an output would replace an input, or the folder is a file.

    Examples
    --------
    >>> source = Source("in/a/b.html", Path("in/a/b.html"), PurePath("a/b.html"))
    >>> plan_outputs([source], Path("out"))[source].as_posix()
    'out/a/b.txt'
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: the output folder is a file; name a folder")
    inputs = {source.path.resolve(): source for source in sources if source.path is not None}
    plan: dict[Source, Path] = {}
    taken: dict[str, Source] = {}
    for source in sources:
        place = PurePath(output_place(source)) if text_suffix else source.place
        target = folder / place
        # File systems that ignore case would give two names one file.
        other = taken.setdefault(str(place).casefold(), source)
        if other is not source:
            raise OutputError(f"{other.name} and {source.name} would both be written to {target}; rename one")
        _refuse_inputs(target, inputs)
        plan[source] = target
    return plan


def output_place(source: Source) -> str:
    """Where a page that becomes text lies below an output folder.

    Parameters
    ----------
    source : Source

    Returns
    -------
    str

    Examples
    --------
    >>> output_place(Source("in/a.HTM", Path("in/a.HTM"), PurePath("a.HTM")))
    'a.txt'
    """
    place = source.place.with_suffix(".txt") if source.place.suffix.lower() in HTML_SUFFIXES else source.place
    return place.as_posix()


def check_output_file(path: Path, sources: Collection[Source], outputs: Collection[Path] = ()) -> None:
    """Make sure that a further output is neither an input nor another output.

    Parameters
    ----------
    path : Path
        Where receipts are to go, for one.
    sources : collection of Source
    outputs : collection of Path

    Raises
    ------
    OutputError
        Where it is one of them, or a folder.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file")
    _refuse_inputs(path, {source.path.resolve(): source for source in sources if source.path is not None})
    if path.resolve() in {output.resolve() for output in outputs}:
        raise OutputError(f"{path}: a cleaned page would be written there too; name another file")


def _refuse_inputs(target: Path, inputs: dict[Path, Source]) -> None:
    source = inputs.get(target.resolve())
    if source is not None:
        raise OutputError(f"{target} would replace the input {source.name}; name another output")
