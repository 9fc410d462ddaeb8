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
    dropped : frozenset of str
        Labels that go at all.
    """

    name: str
    injected: float
    furniture: float
    junk: float
    dropped: frozenset[str]


def check_labels(labels: Sequence[str]) -> None:
    """Raise `PagefilterError` if a label does not exist."""
    for label in labels:
        if label not in LABELS or label == BLANK:
            raise PagefilterError(f"unknown label {label!r}; the labels are {', '.join(LABELS)}")


def make_policy(
    name: str, card: dict[str, Any], only: Sequence[str] = (), keep: Sequence[str] = (), drop: Sequence[str] = ()
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

    Returns
    -------
    Policy

    Raises
    ------
    PagefilterError
        Unknown policy or label, or a label both kept and dropped.
    """
    if name not in POLICIES:
        raise PagefilterError(f"unknown policy {name!r}; the policies are {', '.join(POLICIES)}")
    check_labels([*only, *keep, *drop])
    both = sorted(set(drop) & ({*keep} | {*only}))
    if both:
        raise PagefilterError(f"label {both[0]!r} is both kept and dropped; name it once")
    try:
        stored = card["thresholds"][name]
        injected, furniture, junk = (float(stored[kind]) for kind in ("injected", "furniture", "junk"))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model's card holds no thresholds for policy {name!r}; train it again") from error
    dropped = set(LABELS) - set(only) if only else {*INJECTED, *(FURNITURE if name != "spam-only" else ())}
    return Policy(name, injected, furniture, junk, frozenset((dropped | set(drop)) - set(keep)))
