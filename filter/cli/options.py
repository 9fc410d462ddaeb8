"""Options that several commands share, and what they amount to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filter.cli.messages import WrongUsageError
from filter.io.sources import Markup
from filter.policy import POLICIES

if TYPE_CHECKING:
    from filter import PageFilter

Task = Callable[[], int]
"""What a command gives back once its arguments are understood: the work, which returns the exit code."""

DEFAULT_POLICY = POLICIES[0]
ALL = "all"
"""What ``--no-repair`` means alone."""
REQUIRED, IF_AVAILABLE = "required", "if-available"
"""What ``--second-opinion`` means alone, and with the word after it."""

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILES|FOLDERS|-", help="What to read; standard input by default.", show_default=False),
]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="The input is JSON lines, one page a row.")]
Field = Annotated[
    str | None,
    typer.Option("--field", metavar="NAME", help="The field of a row that holds the text.  [default: text]"),
]
Policy = Annotated[
    str,
    typer.Option(
        "--policy",
        metavar="POLICY",
        help="careful loses the fewest genuine lines, balanced gives the best text, spam-only drops only "
        "spam and prompt injections.",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="LABEL", help="Keep lines of this label only.", show_default=False),
]
Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="LABEL", help="Keep lines of this label too.", show_default=False),
]
Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="LABEL", help="Drop lines of this label too.", show_default=False),
]
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="FOLDER", help="A model of your own.  [default: the shipped one]"),
]
MaxLoss = Annotated[
    float | None,
    typer.Option(
        "--max-loss",
        metavar="SHARE",
        help="Share of genuine lines that may be lost as spam, instead of the policy's own.",
        show_default=False,
    ),
]
SecondOpinion = Annotated[
    str | None,
    typer.Option(
        "--second-opinion",
        metavar="[=if-available]",
        help="Have lines in doubt read by a sentence encoder; needs the extra `semantic`.",
        show_default=False,
    ),
]
NoRepair = Annotated[
    list[str] | None,
    typer.Option(
        "--no-repair",
        metavar="[REPAIR]",
        help="Leave damage in the text: gloss, markup, entities, icons, mojibake, repeated; all of it where none is named.",
        show_default=False,
    ),
]
Html = Annotated[
    bool | None,
    typer.Option(
        "--html/--text",
        help="Read everything as HTML, or as text.  [default: by name, else by content; rows as text]",
        show_default=False,
    ),
]
Labelled = Annotated[
    list[str],
    typer.Argument(
        metavar="LABELLED...",
        help="JSON lines or CSV with text and label, or folders of them.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """Which model is to decide, and how."""

    model: str | None
    policy: str
    only: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    max_loss: float | None = None
    second_opinion: str | None = None
    without_repairs: tuple[str, ...] = ()

    def load(self) -> PageFilter:
        """Load the model.

        Returns
        -------
        PageFilter

        Raises
        ------
        PagefilterError
            Where the model cannot be loaded, or a label is unknown.
        """
        from filter import PageFilter

        chosen: dict[str, Any] = {} if self.max_loss is None else {"max_loss": self.max_loss}
        if self.second_opinion is not None:
            chosen["second_opinion"] = self.second_opinion == REQUIRED or IF_AVAILABLE
        if self.without_repairs:
            chosen["without_repairs"] = self.without_repairs
        return PageFilter.load(self.model, policy=self.policy, only=self.only, keep=self.keep, drop=self.drop, **chosen)


def choose_filter(
    model: str | None,
    policy: str,
    only: Sequence[str] | None = None,
    keep: Sequence[str] | None = None,
    drop: Sequence[str] | None = None,
    max_loss: float | None = None,
    second_opinion: str | None = None,
    no_repair: Sequence[str] | None = None,
) -> FilterChoice:
    """Put the options that choose a filter together.

    Parameters
    ----------
    model : str or None
    policy : str
    only, keep, drop : sequence of str, optional
        Labels, or several of them with commas between.
    max_loss : float, optional
    second_opinion : str, optional
        ``required``, or ``if-available``.
    no_repair : sequence of str, optional
        Names of repairs, or several of them with commas between, or ``all``.

    Returns
    -------
    FilterChoice

    Raises
    ------
    WrongUsageError
        Where there is no such policy, or a second opinion is asked for in other words.

    Examples
    --------
    >>> choose_filter(None, "careful", keep=["navigation,advert"]).keep
    ('navigation', 'advert')
    """
    if policy not in POLICIES:
        raise WrongUsageError(f"there is no policy {policy!r}; choose one of {', '.join(POLICIES)}")
    if second_opinion not in (None, REQUIRED, IF_AVAILABLE):
        raise WrongUsageError(f"--second-opinion takes {IF_AVAILABLE} or nothing, not {second_opinion!r}")
    from filter.repairs import REPAIRS

    named = _labels(no_repair)
    unknown = [name for name in named if name not in (*REPAIRS, ALL)]
    if unknown:
        raise WrongUsageError(f"there is no repair {unknown[0]!r}; choose among {', '.join(REPAIRS)}")
    without = tuple(REPAIRS) if ALL in named else named
    return FilterChoice(model, policy, _labels(only), _labels(keep), _labels(drop), max_loss, second_opinion, without)


def _labels(values: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(label.strip() for value in values or () for label in value.split(","))


def choose_markup(html: bool | None) -> Markup:
    """Turn ``--html/--text`` into a kind of markup.

    Parameters
    ----------
    html : bool or None

    Returns
    -------
    Markup
    """
    if html is None:
        return Markup.AUTO
    return Markup.HTML if html else Markup.TEXT


def choose_field(jsonl: bool, field: str | None) -> str:
    """Name the field that holds the text.

    Parameters
    ----------
    jsonl : bool
    field : str or None

    Returns
    -------
    str

    Raises
    ------
    WrongUsageError
        Where a field is named, but the input is no JSON lines.
    """
    if field is not None and not jsonl:
        raise WrongUsageError("--field needs --jsonl")
    return field or "text"
