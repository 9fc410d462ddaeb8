"""Versions of what a model was trained with, for its card."""

from __future__ import annotations

import platform

import numpy as np


def versions() -> dict[str, str]:
    """Python and the libraries by name."""
    import scipy
    import sklearn

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }
