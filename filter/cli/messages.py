"""Words for the user, on standard error: plain text, one sentence a line."""

from __future__ import annotations

import re
import sys
from contextlib import suppress

from filter.cli.progress import Progress

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


class WrongUsageError(Exception):
    """Arguments that do not go together: exit code 2."""


def printable(text: str) -> str:
    r"""Escape whatever could move the cursor, colour the terminal, hide or turn letters around.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> printable("red \x1b[31m")
    'red \\x1b[31m'
    >>> printable("a\ud800\u202e")
    'a\\ud800\\u202e'
    """
    return _UNPRINTABLE.sub(lambda match: _escape(match[0]), text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def say(message: str) -> None:
    """Write a message to standard error, where there is one.

    Parameters
    ----------
    message : str
        One sentence.
    """
    # Where standard error is closed, nobody listens.
    with suppress(OSError, ValueError):
        print(f"pagefilter: {printable(message)}", file=sys.stderr, flush=True)


class Messages:
    """What a command says while it works, and whether something failed.

    Parameters
    ----------
    progress : Progress
        Taken off the terminal before a message is written.

    Attributes
    ----------
    failed : bool
        Whether `fail` was called.
    """

    def __init__(self, progress: Progress) -> None:
        self.failed = False
        self._progress = progress

    def note(self, message: str) -> None:
        """Say something that is no failure."""
        self._progress.clear()
        say(message)

    def show(self, line: str) -> None:
        """Write a line as it is, where there is a standard error; it holds nothing unprintable."""
        self._progress.clear()
        with suppress(OSError, ValueError):
            print(line, file=sys.stderr)

    def fail(self, message: str) -> None:
        """Say what failed; the command goes on, and ends with exit code 1."""
        self.failed = True
        self.note(message)

    @property
    def exit_code(self) -> int:
        """1 if something failed, else 0."""
        return int(self.failed)
