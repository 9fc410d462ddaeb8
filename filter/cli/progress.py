"""A progress bar on standard error: only on a terminal, only for work that lasts."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 2.0
"""Seconds before anything is shown."""

_INTERVAL = 0.1
_WIDTH = 24


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _draw(text: str) -> None:
    sys.stderr.write(f"\r{text}\x1b[K")
    sys.stderr.flush()


class Progress:
    """Counts pages, and shows how far the work is.

    Parameters
    ----------
    total : int or None
        What all of the work amounts to, in the unit of `advance`; None where nobody knows.
    """

    def __init__(self, total: int | None = None) -> None:
        self._total = total
        self._pages = 0
        self._done = 0
        self._next = time.monotonic() + PATIENCE if _is_terminal() else float("inf")
        self._shown = False

    def advance(self, pages: int, amount: int) -> None:
        """Count pages as done, and an amount of the total."""
        self._pages += pages
        self._done += amount
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _INTERVAL
            self._shown = True
            _draw(bar(self._pages, self._done, self._total))

    def clear(self) -> None:
        """Take the bar off the terminal."""
        if self._shown:
            self._shown = False
            _draw("")


def bar(pages: int, done: int, total: int | None) -> str:
    """Draw a progress bar.

    Parameters
    ----------
    pages : int
    done : int
    total : int or None

    Returns
    -------
    str

    Examples
    --------
    >>> bar(1234, 50, 100)
    '[############            ]  50%  1,234 pages'
    >>> bar(1234, 50, None)
    '1,234 pages'
    """
    counted = f"{pages:,} pages"
    if not total:
        return counted
    share = min(done / total, 1.0)
    return f"[{'#' * int(share * _WIDTH):{_WIDTH}}] {share:4.0%}  {counted}"


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show how long a single piece of work has lasted.

    Parameters
    ----------
    what : str
        What is being done.

    Yields
    ------
    None
    """
    if not _is_terminal():
        yield
        return
    done = threading.Event()
    ticker = threading.Thread(target=_tick, args=(what, done), daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()


def _tick(what: str, done: threading.Event) -> None:
    started = time.monotonic()
    if done.wait(PATIENCE):
        return
    while True:
        _draw(f"{what}, {time.monotonic() - started:.0f} s")
        if done.wait(1.0):
            _draw("")
            return
