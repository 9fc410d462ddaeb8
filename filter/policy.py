"""Policies: which labels go, and how sure one must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from filter.errors import ModelError, PagefilterError
from filter.labels import BLANK, FURNITURE, INJECTED, LABELS

POLICIES: tuple[str, ...] = ("careful", "balanced", "spam-only")
NEVER = 2.0
"""A threshold that no probability reaches."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A choice of thresholds.

    Attributes
    ----------
    name : str
    injected : float
        Probability of having been injected from which a line goes.
    furniture : float
        Probability of being page furniture from which a line goes.
    junk : float
        Probability of being junk of either kind from which a line goes: it can be junk beyond doubt though it is not
        certain of which kind.
    alone : float
        Probability of having been injected from which a line goes that is all of its page.
    dropped : frozenset of str
        Labels that go at all.
    spam_page : float
        Score of `filter.verdict` from which a page is spam as a whole.
    """

    name: str
    injected: float
    furniture: float
    junk: float
    alone: float
    dropped: frozenset[str]
    spam_page: float = NEVER


def check_labels(labels: Sequence[str]) -> None:
    """Raise `PagefilterError` if a label does not exist."""
    for label in labels:
        if label not in LABELS or label == BLANK:
            raise PagefilterError(f"unknown label {label!r}; the labels are {', '.join(LABELS)}")


def make_policy(
    name: str,
    card: dict[str, Any],
    only: Sequence[str] = (),
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    *,
    max_loss: float | None = None,
    second_opinion: bool = False,
) -> Policy:
    """The policy of a name, with the thresholds of a model and the user's own labels.

    Parameters
    ----------
    name : str
        One of `POLICIES`.
    card : dict
        The model's card.
    only : sequence of str
        Labels to keep; all others go.
    keep, drop : sequence of str
        Labels to keep, or to drop, beside the policy's own choice.
    max_loss : float, optional
        Share of genuine lines that may be lost as spam, instead of the policy's own; five times as much of their characters
        as furniture.
    second_opinion : bool
        Take the thresholds for probabilities that a second opinion revised.

    Returns
    -------
    Policy

    Raises
    ------
    PagefilterError
        Unknown policy or label, a label both kept and dropped, or a loss that the model has no thresholds for.
    """
    if name not in POLICIES:
        raise PagefilterError(f"unknown policy {name!r}; the policies are {', '.join(POLICIES)}")
    check_labels([*only, *keep, *drop])
    both = sorted(set(drop) & ({*keep} | {*only}))
    if both:
        raise PagefilterError(f"label {both[0]!r} is both kept and dropped; name it once")
    try:
        known = card["second_opinion"] if second_opinion else card
        stored = dict(known["thresholds"][name])
        if max_loss is not None:
            stored |= {kind: value for kind, value in _point(known, max_loss).items() if stored[kind] < NEVER}
        injected, furniture, junk, alone = (float(stored[kind]) for kind in ("injected", "furniture", "junk", "alone"))
        spam_page = float(known["spam_page"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model's card holds no thresholds for policy {name!r}; train it again") from error
    dropped = set(LABELS) - set(only) if only else {*INJECTED, *(FURNITURE if name != "spam-only" else ())}
    return Policy(name, injected, furniture, junk, alone, frozenset((dropped | set(drop)) - set(keep)), spam_page)


def _point(card: dict[str, Any], max_loss: float) -> dict[str, float]:
    """Thresholds for a loss: those of the largest one on the card that is no larger."""
    points = {float(point["loss"]): point for point in card["points"]}
    fitting = [loss for loss in points if loss <= max_loss]
    if not fitting or max_loss >= 1:
        raise PagefilterError(f"no thresholds for a loss of {max_loss:g}; choose one from {min(points):g} to below 1")
    return {kind: float(value) for kind, value in points[max(fitting)].items() if kind != "loss"}
