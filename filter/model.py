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

from filter.errors import ModelError, OutputError
from filter.labels import LABELS
from filter.ngrams import N_BUCKETS, pack_pair
from filter.page_model import Calibration, PageModel
from filter.perceptron import Perceptron
from filter.second_opinion import Head, Reader
from filter.segment import Floats

FORMAT = 4
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
class Model:
    """Everything that cleaning needs to know.

    Attributes
    ----------
    lexicon : Lexicon
    page_model : PageModel
        Stage two.
    label_head : Perceptron
        Which label, from label scores and page features.
    card : dict
        Readable: data, licences, versions, metrics, thresholds by policy.
    digest : str
        SHA-256 of the weights file, hexadecimal.
    head : Head or None
        Of the second opinion; None where the model was built without an encoder.
    """

    lexicon: Lexicon
    page_model: PageModel
    label_head: Perceptron
    card: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    head: Head | None = None
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
    parts: dict[str, Any] = {
        "lexicon": model.lexicon,
        "first": model.page_model.first,
        "second": model.page_model.second,
        "injected": model.page_model.injected,
        "furniture": model.page_model.furniture,
        "label_head": model.label_head,
    }
    if model.head is not None:
        parts |= {f"head_{name}": getattr(model.head, name) for name in ("reader", "perceptron", "calibration")}
    arrays: dict[str, Any] = {
        f"{name}.{f.name}": np.asarray(getattr(part, f.name))
        for name, part in parts.items()
        for f in fields(part)
        if f.init
    }
    if model.head is not None:
        arrays["head_reader.hidden"] = model.head.reader.hidden.astype(np.float16)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _part(kind: Any, arrays: dict[str, Any], prefix: str) -> Any:
    """A dataclass from its arrays; what is annotated a number becomes one."""
    made = {}
    for f in (f for f in fields(kind) if f.init):
        value = arrays[f"{prefix}.{f.name}"]
        made[f.name] = value.item() if f.type in ("float", "int") else value
    return kind(**made)


def _head(arrays: dict[str, Any]) -> Head | None:
    if "head_reader.hidden" not in arrays:
        return None
    arrays["head_reader.hidden"] = arrays["head_reader.hidden"].astype(np.float32)
    return Head(*(_part(kind, arrays, f"head_{name}") for name, kind in
                  (("reader", Reader), ("perceptron", Perceptron), ("calibration", Calibration))))  # fmt: skip


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
        page_model = PageModel(
            *(_part(Perceptron, arrays, name) for name in ("first", "second")),
            *(_part(Calibration, arrays, name) for name in ("injected", "furniture")),
        )
        model = Model(
            _part(Lexicon, arrays, "lexicon"), page_model, _part(Perceptron, arrays, "label_head"), card, digest,
            _head(arrays),
        )  # fmt: skip
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
