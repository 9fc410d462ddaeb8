"""A perceptron with one hidden layer, in whole numbers: the same result for a line in whatever batch, on whatever machine.

Inputs, hidden values and weights are small integers held as floats. Every sum stays under 2**24, so that float32
adds them exactly, in any order: a matrix product of BLAS then agrees to the bit with any other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filter.segment import Floats

WEIGHT_LIMIT = 127
VALUE_LIMIT = 511
"""Of inputs and hidden values: ``258 * 511 * 127`` is the largest sum that float32 holds exactly."""
MOST_INPUTS = (1 << 24) // (VALUE_LIMIT * WEIGHT_LIMIT)
SPREAD = 6.0
"""Standard deviations that an input may lie from its mean before it is clipped."""


@dataclass(frozen=True, slots=True)
class Perceptron:
    """Several outputs from standardised inputs through one layer of rectified sums.

    Attributes
    ----------
    mean, step : ndarray of float32, shape (n_inputs,)
        An input is ``rint((value - mean) * (1 / step))``, clipped to 511 on both sides.
    hidden : ndarray of int8, shape (n_inputs, n_hidden)
    hidden_scale, hidden_bias : ndarray of float32, shape (n_hidden,)
        A hidden value is ``rint(sum * scale + bias)``, clipped to 0..511.
    weights : ndarray of int8, shape (n_hidden, n_outputs)
    scale, bias : ndarray of float32, shape (n_outputs,)
        An output is ``sum * scale + bias``.
    """

    mean: Floats
    step: Floats
    hidden: NDArray[np.int8]
    hidden_scale: Floats
    hidden_bias: Floats
    weights: NDArray[np.int8]
    scale: Floats
    bias: Floats
    _per_step: Floats = field(init=False, repr=False, compare=False)
    _hidden: Floats = field(init=False, repr=False, compare=False)
    _weights: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_per_step", np.float32(1) / self.step)
        object.__setattr__(self, "_hidden", self.hidden.astype(np.float32))
        object.__setattr__(self, "_weights", self.weights.astype(np.float32))

    def outputs(self, values: Floats) -> Floats:
        """Outputs of some rows.

        Parameters
        ----------
        values : ndarray of float32, shape (n, n_inputs)

        Returns
        -------
        ndarray of float32, shape (n, n_outputs)

        Examples
        --------
        >>> one = np.ones(1, np.float32)
        >>> twice = Perceptron(0 * one, one, np.array([[1]], np.int8), one, 0 * one, np.array([[2]], np.int8), one, one)
        >>> twice.outputs(np.array([[3.0], [-3.0]], np.float32)).tolist()
        [[7.0], [1.0]]
        """
        return self.outputs_of(self.inputs(values))

    def inputs(self, values: Floats, first: int = 0) -> Floats:
        """Values as whole numbers.

        Parameters
        ----------
        values : ndarray of float32, shape (n, n_values)
        first : int
            Which of the inputs the first of them is.

        Returns
        -------
        ndarray of float32, shape (n, n_values)
        """
        some = slice(first, first + values.shape[1])
        inputs: Floats = np.subtract(values, self.mean[some], dtype=np.float32)
        inputs *= self._per_step[some]
        _whole(inputs, -VALUE_LIMIT)
        return inputs

    def outputs_of(self, inputs: Floats) -> Floats:
        """Outputs of some rows of `inputs`, shape (n, n_outputs)."""
        inner: Floats = inputs @ self._hidden
        inner *= self.hidden_scale
        inner += self.hidden_bias
        _whole(inner, 0)
        found: Floats = inner @ self._weights
        found *= self.scale
        found += self.bias
        return found


def _whole(values: Floats, least: int) -> None:
    """Round to whole numbers, from `least` to `VALUE_LIMIT`, in place."""
    np.rint(values, out=values)
    # Twice as fast as clipping.
    np.maximum(values, np.float32(least), out=values)
    np.minimum(values, np.float32(VALUE_LIMIT), out=values)
