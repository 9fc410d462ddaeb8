"""The entry point: understands the arguments, runs the command, turns what goes wrong into one sentence.

Arguments are parsed first and the work is done afterwards, outside of the parser, so that errors, interrupts
and closed pipes are handled here alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer

from filter.cli.check import check
from filter.cli.clean import clean
from filter.cli.diff import diff
from filter.cli.evaluate import evaluate
from filter.cli.explain import explain
from filter.cli.label import label
from filter.cli.messages import WrongUsageError, say
from filter.cli.options import ALL, REQUIRED, Task
from filter.cli.restore import restore_command
from filter.cli.seeds import app as seeds
from filter.cli.train import train
from filter.errors import PagefilterError
from filter.io.sources import reason

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130

app = typer.Typer(name="pagefilter", rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
for _command in (clean, diff, label, check, explain, train, evaluate):
    app.command()(_command)
app.command("restore")(restore_command)
app.add_typer(seeds, name="seeds")


def _show_version(wanted: bool) -> None:
    if wanted:
        from filter import __version__

        typer.echo(f"pagefilter {__version__}")
        raise typer.Exit


@app.callback()
def _pagefilter(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    """Give back only what a scraped page's author wrote.

    Drops injected spam and page furniture, line by line.

    Example: pagefilter clean page.html
    """


def main() -> NoReturn:
    """Run the command that the arguments name, and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str
        Without the name of the program.

    Returns
    -------
    int
        The exit code: 0, 1 if something failed, 2 for wrong usage, 130 after an interrupt. A reader that goes
        away is no failure.
    """
    try:
        task = _parse(list(arguments) or ["--help"])
        return _work(task) if callable(task) else task
    except WrongUsageError as error:
        say(f"{error}")
        return WRONG_USAGE
    except PagefilterError as error:
        say(f"{error}")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        say(f"{error.filename}: {reason(error)}" if error.filename else reason(error))
        return FAILED
    except MemoryError:
        say("there is not enough memory for this input")
        return FAILED


def _parse(arguments: list[str]) -> Task | int:
    """Understand the arguments: the work to do, or the exit code where there is none."""
    command = typer.main.get_command(app)
    arguments = _with_values(arguments)
    try:
        task = command.main(arguments, prog_name="pagefilter", standalone_mode=False)
    except _UsageError as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "pagefilter"
        what = " ".join(str(error.format_message()).split()).rstrip(".")
        raise WrongUsageError(f"{what[:1].lower()}{what[1:]}; see {path} --help") from None
    return task if callable(task) else int(task or 0)


def _with_values(arguments: Sequence[str]) -> list[str]:
    """Options whose value may be left out, with the value that they then have.

    Examples
    --------
    >>> _with_values(["--no-repair", "page.txt", "--no-repair", "gloss", "--second-opinion"])
    ['--no-repair=all', 'page.txt', '--no-repair', 'gloss', '--second-opinion=required']
    """
    from filter.repairs import REPAIRS

    found = []
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        names_repairs = set(following.split(",")) <= set(REPAIRS)
        alone = word == "--second-opinion" or (word == "--no-repair" and not names_repairs)
        found.append(f"{word}={ALL if word == '--no-repair' else REQUIRED}" if alone else word)
    return found


_UsageError: Any = typer.BadParameter.__mro__[1]
"""What every complaint about arguments is, whichever parser typer brings along."""


def _work(task: Task) -> int:
    """Do the work; where the reader of standard output goes away, quietly stop."""
    code = 0
    try:
        code = task()
        sys.stdout.flush()
    except BrokenPipeError:
        # The flush at exit must go nowhere instead of failing.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return code


if __name__ == "__main__":
    main()
