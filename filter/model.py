"""A model: a folder of plain arrays and a readable card, loaded without unpickling anything."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filter.context import Floats
from filter.errors import ModelError, OutputError
from filter.labels import LABELS
from filter.ngrams import N_BUCKETS, pack_pair
from filter.trees import Trees

FORMAT = 2
CALIBRATION = ("slope", "offset", "lexical_slope")
WEIGHTS = "weights.npz"
CARD = "card.json"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Stage one: int8 weights of hashed n-grams.

    Attributes
    ----------
    pair : ndarray of int8, shape (2**18, 2)
        Injected against genuine, and furniture against genuine; they score every line.
    pair_scale, pair_bias : ndarray of float32, shape (2,)
        ``sum * scale / sqrt(windows) + bias`` are log-odds.
    labels : ndarray of int8, shape (2**18, n_labels)
        One weight a label, used only on lines that may go.
    label_scale, label_bias : ndarray of float32, shape (n_labels,)
    """

    pair: NDArray[np.int8]
    pair_scale: Floats
    pair_bias: Floats
    labels: NDArray[np.int8]
    label_scale: Floats
    label_bias: Floats


@dataclass(frozen=True, slots=True)
class Head:
    """A calibrated verdict over trees: ``sigmoid(slope * trees + lexical_slope * lexical + offset)``.

    Attributes
    ----------
    trees : Trees
    slope, offset : float
        Platt's calibration, fitted on pages the trees had not seen.
    lexical_slope : float
        What the lexical score says beyond the trees: they were grown before the words of a retrained model were known.
    """

    trees: Trees
    slope: float
    offset: float
    lexical_slope: float = 0.0

    def probability(self, values: Floats, lexical: Floats) -> Floats:
        """Calibrated probability, shape (n,), from all features and the lexical score for this verdict."""
        odds = self.slope * self.trees.predict(values) + self.lexical_slope * lexical + self.offset
        return (1.0 / (1.0 + np.exp(-np.clip(odds, -30, 30)))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class LabelHead:
    """Which label: a perceptron with one hidden layer over label scores and page features.

    Attributes
    ----------
    mean, deviation : ndarray of float32, shape (n_inputs,)
        Inputs are standardised by these.
    hidden : ndarray of float32, shape (n_inputs, n_hidden)
    hidden_bias : ndarray of float32, shape (n_hidden,)
    weights : ndarray of float32, shape (n_hidden, n_labels)
    bias : ndarray of float32, shape (n_labels,)
    """

    mean: Floats
    deviation: Floats
    hidden: Floats
    hidden_bias: Floats
    weights: Floats
    bias: Floats

    def scores(self, inputs: Floats) -> Floats:
        """Log-odds of each label up to a constant, shape (n, n_labels)."""
        standard = np.clip((inputs - self.mean) / self.deviation, -8, 8)
        # Not `@`: it adds in another order for one row than for many, and a page must not depend on its batch.
        hidden = np.maximum(np.einsum("ij,jk->ik", standard, self.hidden) + self.hidden_bias, 0)
        return np.asarray(np.einsum("ij,jk->ik", hidden, self.weights) + self.bias)


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that cleaning needs to know.

    Attributes
    ----------
    lexicon : Lexicon
    injected, furniture : Head
        Probability that a line was injected; that a line which was not is page furniture.
    label_head : LabelHead
    card : dict
        Readable: data, licences, versions, metrics, thresholds by policy.
    digest : str
        SHA-256 of the weights file, hexadecimal.
    """

    lexicon: Lexicon
    injected: Head
    furniture: Head
    label_head: LabelHead
    card: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    packed: NDArray[np.int32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "packed", pack_pair(self.lexicon.pair))

    def save(self, folder: Path) -> None:
        """Write the model so that the folder appears whole or not at all.

        Parameters
        ----------
        folder : Path
            Replaced if it holds a model; refused if it holds anything else.

        Raises
        ------
        OutputError
        """
        folder = Path(folder)
        if folder.exists() and not (folder.is_dir() and {p.name for p in folder.iterdir()} <= {WEIGHTS, CARD}):
            raise OutputError(f"{folder}: holds something other than a model; choose another folder for --out")
        weights = _pack(self)
        card = {
            **self.card,
            "format": FORMAT,
            "labels": list(LABELS),
            "weights_sha256": hashlib.sha256(weights).hexdigest(),
        }
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
            try:
                (staging / WEIGHTS).write_bytes(weights)
                (staging / CARD).write_text(
                    json.dumps(card, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf8"
                )
                staging.chmod(0o755)
                if folder.exists():
                    shutil.rmtree(folder)
                staging.replace(folder)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        except OSError as error:
            raise OutputError(f"{folder}: the model cannot be written ({error.strerror})") from error


def _pack(model: Model) -> bytes:
    """The arrays as an npz, the same bytes for the same numbers (NumPy stamps every member with one fixed date)."""
    arrays: dict[str, Any] = {}
    for part in ("lexicon", "label_head"):
        value = getattr(model, part)
        arrays |= {f"{part}.{f.name}": np.asarray(getattr(value, f.name)) for f in fields(value)}
    for part in ("injected", "furniture"):
        head = getattr(model, part)
        arrays |= {f"{part}.{name}": np.asarray(getattr(head, name)) for name in CALIBRATION}
        arrays |= {f"{part}.trees.{f.name}": np.asarray(getattr(head.trees, f.name)) for f in fields(head.trees)}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _part(kind: Any, arrays: dict[str, Any], prefix: str) -> Any:
    """A dataclass from its arrays; what is annotated a number becomes one."""
    made = {}
    for f in fields(kind):
        value = arrays[f"{prefix}.{f.name}"]
        made[f.name] = value.item() if f.type in ("float", "int") else value
    return kind(**made)


def load_model(folder: Path) -> Model:
    """Read a model folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        If the folder is missing, incomplete, damaged or of another format.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such model folder; give a folder written by `pagefilter train --out`")
    missing = [name for name in (CARD, WEIGHTS) if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"{folder}: not a model, {' and '.join(missing)} missing; train it again or give another folder"
        )
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf8"))
        weights = (folder / WEIGHTS).read_bytes()
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / CARD}: cannot be read as a model card ({error}); train the model again") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT or card.get("labels") != list(LABELS):
        raise ModelError(
            f"{folder}: a model of another version than this pagefilter reads (format {FORMAT}); train it again"
        )
    digest = hashlib.sha256(weights).hexdigest()
    if digest != card.get("weights_sha256"):
        raise ModelError(f"{folder / WEIGHTS}: truncated or changed since it was written; train the model again")
    try:
        with np.load(io.BytesIO(weights), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        heads = {
            part: Head(
                _part(Trees, arrays, f"{part}.trees"), *(arrays[f"{part}.{name}"].item() for name in CALIBRATION)
            )
            for part in ("injected", "furniture")
        }
        model = Model(_part(Lexicon, arrays, "lexicon"), heads["injected"], heads["furniture"],
                      _part(LabelHead, arrays, "label_head"), card, digest)  # fmt: skip
        if model.lexicon.pair.shape != (N_BUCKETS, 2) or model.lexicon.labels.shape != (N_BUCKETS, len(LABELS)):
            raise ValueError("wrong shape")
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ModelError(f"{folder / WEIGHTS}: not the arrays of a model ({error}); train the model again") from error
    return model


def shipped(kind: str) -> Path:
    """The folder `kind` ("models" or "seeds") that comes with the package.

    Parameters
    ----------
    kind : str

    Returns
    -------
    Path
        Inside the installed package, or of the checkout that an editable install points to.
    """
    inside = Path(__file__).parent / "_shipped" / kind
    return inside if inside.is_dir() else Path(__file__).resolve().parents[1] / kind
