"""Stage two, what it decides: a first look at every line, then a second one that knows what the first said around it.

Both looks are perceptrons over the features of `filter.context`. Their outputs are for genuine, furniture and injected
lines, log-odds up to a constant.

References
----------
Stacked sequential learning: Cohen and Carvalho, IJCAI 2005. Calibration: Platt, Probabilistic Outputs for Support
Vector Machines, 1999.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filter.context import Context, surroundings
from filter.perceptron import Perceptron
from filter.segment import Floats

KINDS = ("genuine", "furniture", "injected")
"""Outputs of both looks, in order."""
SURROUNDINGS = tuple(f"{kind}_look{where}" for kind in ("injected", "furniture")
                     for where in ("", "_-1", "_+1", "_around_3", "_around_10"))  # fmt: skip
"""Names of what the second look sees beside the features of the first."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """From log-odds to a probability: ``sigmoid(slope * odds + lexical_slope * lexical + offset)``.

    Attributes
    ----------
    slope, offset : float
        Fitted on pages that the perceptrons had not seen.
    lexical_slope : float
        What the lexical score says beyond them: they were fitted before the words of a retrained model were known.
    """

    slope: float
    offset: float
    lexical_slope: float = 0.0

    def probability(self, odds: Floats, lexical: Floats) -> Floats:
        """Calibrated probability, shape (n,)."""
        calibrated = self.slope * odds + self.lexical_slope * lexical + self.offset
        return (1.0 / (1.0 + np.exp(-np.clip(calibrated, -30, 30)))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class PageModel:
    """What the page says of its lines.

    Attributes
    ----------
    first, second : Perceptron
        The second sees `SURROUNDINGS` beside the features, which both standardise alike.
    injected, furniture : Calibration
        Of the probability that a line was injected; that a line which was not is page furniture.
    """

    first: Perceptron
    second: Perceptron
    injected: Calibration
    furniture: Calibration

    def odds(self, seen: Context) -> Floats:
        """Log-odds of having been injected and of being furniture if not, shape (n, 2)."""
        inputs = self.first.inputs(seen.values)
        around = surroundings(seen.order, against_all(self.first.outputs_of(inputs)))
        beside = self.second.inputs(around, inputs.shape[1])
        return as_odds(self.second.outputs_of(np.concatenate((inputs, beside), axis=1)))

    def first_odds(self, values: Floats) -> Floats:
        """Log-odds of injected and of furniture against all else at the first look, shape (n, 2)."""
        return against_all(self.first.outputs(values))

    def second_odds(self, values: Floats, around: Floats) -> Floats:
        """Log-odds of the second look, shape (n, 2)."""
        return as_odds(self.second.outputs(np.concatenate((values, around), axis=1)))

    def probabilities(self, seen: Context) -> tuple[Floats, Floats]:
        """Calibrated probabilities of having been injected, and of being furniture if not, each of shape (n,)."""
        injected, furniture = self.odds(seen).T
        return (
            self.injected.probability(injected, seen.column("injected")),
            self.furniture.probability(furniture, seen.column("furniture")),
        )


def as_odds(outputs: Floats) -> Floats:
    """Log-odds of injected against all else, and of furniture against genuine.

    Parameters
    ----------
    outputs : ndarray of float32, shape (n, 3)
        In the order of `KINDS`.

    Returns
    -------
    ndarray of float32, shape (n, 2)

    Examples
    --------
    >>> as_odds(np.array([[0.0, 0.0, 0.6931472]], np.float32)).round(3).tolist()
    [[0.0, 0.0]]
    """
    genuine, furniture, injected = outputs.T
    return np.stack((injected - np.logaddexp(genuine, furniture), furniture - genuine), axis=1)


def against_all(outputs: Floats) -> Floats:
    """Log-odds of injected and of furniture, each against all else: of an injected line, furniture says nothing.

    Parameters
    ----------
    outputs : ndarray of float32, shape (n, 3)
        In the order of `KINDS`.

    Returns
    -------
    ndarray of float32, shape (n, 2)

    Examples
    --------
    >>> against_all(np.array([[0.0, 0.0, 0.6931472]], np.float32)).round(3).tolist()[0][0]
    0.0
    """
    genuine, furniture, injected = outputs.T
    return np.stack((injected - np.logaddexp(genuine, furniture), furniture - np.logaddexp(genuine, injected)), axis=1)
