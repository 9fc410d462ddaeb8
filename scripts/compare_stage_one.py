"""Compare kinds of stage one on lines alone: python scripts/compare_stage_one.py [--folds 3]; needs fasttext-numpy2.

One weight an n-gram, as shipped, against n-grams summed into a few numbers with a layer on top, as fastText and floret do.
Each is trained on the seeds without a grouped fold (`grouping`) and asked of the injected and genuine lines of that fold, line by
line, without a page. Prints the table of docs/decisions.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
import numpy as np  # noqa: E402
import training_data  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from splits import drawn, seeds_grouped  # noqa: E402

from filter.intervals import wilson  # noqa: E402
from filter.labels import GENUINE, INJECTED  # noqa: E402
from filter.segment import fold, segment  # noqa: E402
from filter.training.lexicon import design_matrix, fit_injected  # noqa: E402

LOSSES = (0.001, 0.01)
Scores = NDArray[np.float64]
Fit = Callable[[Sequence[str], NDArray[np.str_]], Callable[[Sequence[str]], Scores]]


def weights(texts: Sequence[str], labels: NDArray[np.str_]) -> Callable[[Sequence[str]], Scores]:
    """One weight an n-gram."""
    found, bias = fit_injected(design_matrix(texts), labels, np.ones(len(texts)), np.arange(len(texts)), 0)
    return lambda lines: np.asarray(design_matrix(lines) @ found + bias)


def summed(dimensions: int) -> Fit:
    """N-grams of one to four folded characters, summed into so many numbers."""

    def fit(texts: Sequence[str], labels: NDArray[np.str_]) -> Callable[[Sequence[str]], Scores]:
        import fasttext

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "lines.txt"
            file.write_text("".join(
                f"__label__{'junk' if label in INJECTED else 'stays'} {line}\n"
                for line, label in zip(folded(texts), labels.tolist(), strict=True)
            ), encoding="utf8", errors="replace")  # fmt: skip
            model = fasttext.train_supervised(str(file), dim=dimensions, minn=1, maxn=4, bucket=1 << 18, epoch=40, lr=0.1,
                                              thread=1, seed=0, verbose=0, minCount=2)  # fmt: skip

        def score(lines: Sequence[str]) -> Scores:
            said, chance = model.predict(folded(lines), k=2)
            return np.array([float(p[list(s).index("__label__junk")]) for s, p in zip(said, chance, strict=True)])

        return score

    return fit


def folded(texts: Sequence[str]) -> list[str]:
    """Lines as the classifier sees them."""
    seen = fold(segment(["\n".join(["", *texts, ""])]))
    codes = seen.codes.astype(np.uint32)
    found = ["".join(map(chr, codes[a:b])) for a, b in zip(seen.starts[1:], seen.ends[1:], strict=True)]
    return [line.encode("utf8", "replace").decode() or " " for line in found[: len(texts)]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=3)
    arguments = parser.parse_args()
    from sklearn.metrics import roc_auc_score

    data = training_data.seeds()
    lines = [line for line in (*data.loose, *(line for page in data.pages for line in page.lines))
             if line.label in (*INJECTED, *GENUINE) and line.clean is None]  # fmt: skip
    grouping = seeds_grouped(10)
    contenders: dict[str, Fit] = {"one weight an n-gram": weights}
    contenders |= {f"summed into {d} numbers": summed(d) for d in (4, 16, 64)}
    print("| | AUC | % caught at 0.1% lost | at 1% lost | fit, s |\n|---|--:|--:|--:|--:|")
    for name, fit in contenders.items():
        scores, truth, seconds = [], [], 0.0
        for k in range(arguments.folds):
            gone = grouping.gone(k)
            test = [
                line
                for line in lines
                if (grouping.fold_of_family.get(line.family) if line.label in INJECTED else drawn(line.family, 10)) == k
            ]
            train = [
                line
                for line in lines
                if line.family not in gone and (line.label in INJECTED or drawn(line.family, 10) != k)
            ]
            began = time.monotonic()
            judge = fit([line.text for line in train], np.array([line.label for line in train]))
            seconds += time.monotonic() - began
            found = judge([line.text for line in test])
            # Ranks, for each fold has a scale of its own.
            scores.append(found.argsort().argsort() / len(found))
            truth.append(np.array([line.label in INJECTED for line in test]))
        said, is_junk = np.concatenate(scores), np.concatenate(truth)
        caught = []
        for loss in LOSSES:
            hits = int((said[is_junk] > np.quantile(said[~is_junk], 1 - loss)).sum())
            low, high = wilson(hits, int(is_junk.sum()))
            caught.append(f"{100 * hits / is_junk.sum():.1f} ({100 * low:.1f} to {100 * high:.1f})")
        print(
            f"| {name} | {roc_auc_score(is_junk, said):.3f} | {' | '.join(caught)} | {seconds / arguments.folds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
