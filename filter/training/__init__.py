"""Training: labelled lines and pages to a model; nothing of it is imported for cleaning."""

from filter.training.data import FURNITURE_OF_SOME_KIND, UNDECIDED, TrainingSet, as_training_set, gather, shipped_seeds
from filter.training.model import fit, train

__all__ = [
    "FURNITURE_OF_SOME_KIND",
    "UNDECIDED",
    "TrainingSet",
    "as_training_set",
    "fit",
    "gather",
    "shipped_seeds",
    "train",
]
