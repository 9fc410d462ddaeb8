"""The labels a line can have, and the groups that decide what becomes of it.

The order of `LABELS` is the order of every array with one column a label.
"""

from __future__ import annotations

ARTICLE = "article"
METADATA = "metadata"
DUPLICATE = "duplicate"
RESIDUE = "residue"
BLANK = "blank"

GENUINE: tuple[str, ...] = (ARTICLE, METADATA)
FURNITURE: tuple[str, ...] = ("navigation", "boilerplate", "advert", RESIDUE, DUPLICATE)
INJECTED: tuple[str, ...] = ("spam_adult", "spam_gambling", "spam_other", "prompt_injection")
LABELS: tuple[str, ...] = GENUINE + FURNITURE + INJECTED

INDEX: dict[str, int] = {label: index for index, label in enumerate(LABELS)}
"""Column of a label in arrays with one column a label."""
