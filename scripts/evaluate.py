"""Measure quality on lines, families, documents, sites and languages that the model has not seen.

    python scripts/evaluate.py [--write docs/evaluation.md]       all of it, about an hour on two cores
    python scripts/evaluate.py --quick --gate tests/floors.json   as CI does: one fold, held to its floors

A run trains a model without what it is measured on, then cleans exactly that. The runs are: ten grouped folds
(`grouping`, `splits`), some languages held out whole, the first fold with fewer families or lines of a family, and what can
be caught without reading a word.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
import corpora  # noqa: E402
import pandas as pd  # noqa: E402
import training_data  # noqa: E402
import vectors  # noqa: E402
from measuring import (  # noqa: E402  # noqa: E402
    REAL,
    WITH_JUNK,
    WRITTEN,
    balanced_rows,
    caught_at,
    doorways,
    evasion,
    genuine_of,
    lost_as_spam,
    macro_f1,
    measure,
    on_sites,
    page_lines,
    share,
    word_f1_of,
)
from splits import Split, seeds_grouped, split, without_language  # noqa: E402

from filter.io.labelled import LabelledLine  # noqa: E402
from filter.labels import INJECTED  # noqa: E402
from filter.model import Model  # noqa: E402
from filter.second_opinion import make_second_opinion  # noqa: E402
from filter.training import TrainingSet, fit  # noqa: E402

FOLDS = 10
SHARE = 0.5
"""Of the public text that a fold trains on: all of it would take hours."""
QUICK_SHARE = 0.15
"""Of the public text that the gate's fold trains on, and runs that are only compared with each other."""
LOSSES = (0.001, 0.003, 0.005, 0.01)
LANGUAGES: dict[str, frozenset[str]] = {
    "Chinese": frozenset(["zh"]), "English": frozenset(["en"]), "Japanese, Korean": frozenset(["ja", "ko"]),
    "Vietnamese, Thai, Indonesian": frozenset(["vi", "th", "id"]), "Russian, Ukrainian": frozenset(["ru", "uk"]),
}  # fmt: skip
READ_FOLDS = (1, 2)
"""Folds on which the second opinion is measured, where PAGEFILTER_VECTORS names a file for what the encoder reads: a new one costs
half an hour."""
CURVE_FAMILIES = (0.5,)
CURVE_LINES = (1,)


@dataclass(frozen=True, slots=True)
class Run:
    """One model and what it is measured on.

    Attributes
    ----------
    name : str
    kind : {"fold", "reading", "language", "families", "lines", "all"}
    value : float or str
        Number of the fold, name of the languages, share of the families, or lines of a family.
    """

    name: str
    kind: str
    value: Any


def runs_of(folds: int) -> list[Run]:
    """All runs, the long ones first."""
    found = [Run(f"fold {k + 1}", "fold", k) for k in range(folds)]
    found += [Run(f"without {name}", "language", name) for name in LANGUAGES]
    found += [Run(f"{share_of:.0%} of the families", "families", share_of) for share_of in CURVE_FAMILIES]
    found.append(Run("all the families", "all", 0))
    found += [Run(f"fold {k + 1} read", "reading", k) for k in READ_FOLDS if vectors.from_environment()]
    return found + [Run(f"at most {most} lines a family", "lines", most) for most in CURVE_LINES]


def prepare(run: Run, data: TrainingSet, folds: int, share_of: float) -> Split:
    """What a run trains on and is measured on."""
    if run.kind == "language":
        return without_language(data, LANGUAGES[run.value], min(share_of, QUICK_SHARE))
    if run.kind in ("fold", "reading"):
        return split(data, run.value, folds, share_of)
    part = split(data, 0, folds, min(share_of, QUICK_SHARE))
    if run.kind == "families":
        return replace(
            part, train=thinned(part.train, lambda line, seen: training_data.draw(f"curve {line.family}") < run.value)
        )
    if run.kind == "lines":
        return replace(part, train=thinned(part.train, lambda line, seen: seen < run.value))
    return part


def thinned(data: TrainingSet, stays: Any) -> TrainingSet:
    """A training set without some injected lines; `stays` is told the line and how many of its family came before."""
    seen: dict[str, int] = defaultdict(int)

    def keep(line: LabelledLine) -> bool:
        if line.label not in INJECTED:
            return True
        seen[line.family] += 1
        return bool(stays(line, seen[line.family] - 1))

    pages = [replace(page, lines=tuple(line for line in page.lines if keep(line))) for page in data.pages]
    return replace(data, pages=pages, loose=[line for line in data.loose if keep(line)])


def perform(run: Run, folds: int, share_of: float, seeds_only: bool) -> dict[str, Any]:
    """Train and measure one run."""
    began = time.monotonic()
    data = training_data.seeds() if seeds_only or not corpora.available() else training_data.everything()
    part = prepare(run, data, folds, share_of)
    encoder = vectors.from_environment() if run.kind in ("reading", "language") else None
    model = fit(part.train, seed=0, encoder=encoder)
    found: dict[str, Any] = {"run": run, "gone": part.gone, "seconds": 0.0}
    found["lines"] = measure(model, part).assign(run=run.name)
    if encoder is not None:
        opinion = make_second_opinion(model, encoder)
        found["revised"] = measure(model, part, opinion).assign(run=run.name)
        found["read"] = (opinion.lines, opinion.pages, opinion.of)
        encoder.save()
    if run.kind == "fold":
        found["f1"] = word_f1_of(model, part)
        found["balanced"] = balanced_rows(model, part).assign(run=run.name)
        found["sites"] = on_sites(model, part).assign(run=run.name)
        found["pages"] = doorways(model, part)
        if run.value == 0:
            found |= once(model, part)
    found["seconds"] = time.monotonic() - began
    return found


def once(model: Model, part: Split) -> dict[str, Any]:
    """What is measured on the first fold only: evasion, other tools, and what artefacts alone give away."""
    from baselines import artefacts, others

    return {"evasion": evasion(model, part), "artefacts": artefacts(part), "others": others(model, part)}


def in_processes(runs: Sequence[Run], folds: int, share_of: float, n_processes: int) -> list[dict[str, Any]]:
    """Perform runs side by side, each in a process of its own on one core."""
    with tempfile.TemporaryDirectory() as folder:
        numbers = [runs_of(folds).index(run) for run in runs]
        waiting = list(zip(numbers, runs, strict=True))
        running: dict[subprocess.Popen[bytes], Run] = {}
        # One core each, so that no run waits for another's threads.
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), "1")
        one |= {"PYTHONHASHSEED": "0", "PAGEFILTER_SCRATCH": folder}
        os.environ["PAGEFILTER_SCRATCH"] = folder
        # Made here once, and read by every process.
        seeds_grouped(folds)
        if corpora.available():
            corpora.wcxb_pages()
        while waiting or running:
            while waiting and len(running) < n_processes:
                number, run = waiting.pop(0)
                job = [str(number), str(folds), str(share_of), str(Path(folder) / f"{number}.pickle")]
                running[subprocess.Popen([sys.executable, __file__, "--job", *job], env={**os.environ, **one})] = run
            time.sleep(0.2)
            for process in [p for p in running if p.poll() is not None]:
                run = running.pop(process)
                if process.returncode:
                    raise SystemExit(f"{run.name} failed")
                print(f"{run.name} done, {len(waiting) + len(running)} to go", file=sys.stderr, flush=True)
        return [pickle.loads((Path(folder) / f"{number}.pickle").read_bytes()) for number in numbers]


def headline(rows: pd.DataFrame, f1: pd.DataFrame | None = None) -> dict[str, Any]:
    """The figures that are pinned by floors.

    Parameters
    ----------
    rows : DataFrame
        Of `measuring.measure`.
    f1 : DataFrame, optional
        Of `measuring.word_f1_of`.

    Returns
    -------
    dict
        Name to value, interval and sample.
    """
    found: dict[str, Any] = {}
    genuine = page_lines(rows)
    for place in (WRITTEN, REAL):
        spam = rows[(rows.place == place) & rows.label.isin(INJECTED)]
        if len(spam):
            found[f"unseen junk caught, {place}, careful"] = share(~spam.kept)
            for loss in LOSSES:
                found[f"unseen junk caught, {place}, at {loss:.1%} of genuine page lines lost"] = share(
                    caught_at(rows, spam, loss)
                )
    found["genuine page lines lost as spam"] = share(lost_as_spam(genuine))
    for place, lines in genuine_of(rows).groupby("place"):
        if place in (REAL, WITH_JUNK):
            continue
        found[f"lost as spam, {place}"] = share(lost_as_spam(lines))
        mass = int(lines.chars.sum())
        found[f"characters lost, {place}"] = {
            "value": round(float(lines.chars[~lines.kept].sum() / max(mass, 1)), 5),
            "n": mass,
        }
    if f1 is not None and len(f1):
        half = 1.96 * f1.f1.std() / len(f1) ** 0.5
        found["wcxb word F1, balanced"] = {
            "value": round(float(f1.f1.mean()), 4), "interval": [round(float(f1.f1.mean() + s * half), 4) for s in (-1, 1)], "n": len(f1)}  # fmt: skip
        found["wcxb word F1, all lines"] = {"value": round(float(f1.all_lines.mean()), 4), "n": len(f1)}
    written = rows[(rows.place == WRITTEN) & ~rows.mixed]
    found["macro F1 over 11 labels, written pages, junk set in"] = {"value": macro_f1(written), "n": len(written)}
    return found


def show(figures: dict[str, Any]) -> str:
    """Figures as text."""
    out = []
    for name, row in figures.items():
        interval = f"  95% {row['interval'][0]:.4f} to {row['interval'][1]:.4f}" if "interval" in row else ""
        out.append(f"{name:<62} {row['value']:.4f}{interval}  n {row['n']}")
    return "\n".join(out)


def check(figures: dict[str, Any], floors: dict[str, list[float]]) -> list[str]:
    """What lies under its floor or over its ceiling: ``{"name": [low, high]}``."""
    broken = []
    for name, (low, high) in floors.items():
        value = figures.get(name, {}).get("value")
        if value is None:
            broken.append(f"{name}: not measured")
        elif not low <= value <= high:
            broken.append(f"{name}: {value} is not within {low} to {high}")
    return broken


def gate(floors_file: Path) -> int:
    """Measure the first fold on the seeds alone, and with public text where it is there; say which floors do not hold."""
    floors = json.loads(floors_file.read_text(encoding="utf8"))
    broken: list[str] = []
    for name, seeds_only in (("seeds", True), ("public", False)):
        if not seeds_only and not corpora.available():
            print(f"{name}: skipped, the data folder is not there")
            continue
        found = _fold_alone(seeds_only)
        figures = headline(found["lines"], found["f1"])
        print(f"{name}, {found['seconds']:.0f} s\n{show(figures)}\n", flush=True)
        broken += [f"{name}: {what}" for what in check(figures, floors[name])]
    print("\n".join(broken) or "all floors hold")
    return int(bool(broken))


def _fold_alone(seeds_only: bool) -> dict[str, Any]:
    began = time.monotonic()
    data = training_data.seeds() if seeds_only else training_data.everything()
    part = split(data, 0, FOLDS, QUICK_SHARE)
    model = fit(part.train, seed=0)
    return {
        "lines": measure(model, part).assign(run="fold 1"),
        "f1": word_f1_of(model, part),
        "seconds": time.monotonic() - began,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--share", type=float, default=SHARE, help="of the public text that is trained on")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", nargs="*", help="names of runs, as `fold 1`")
    parser.add_argument("--write", type=Path, help="write the page of results here")
    parser.add_argument("--save", type=Path, help="keep what was measured, for --report")
    parser.add_argument("--report", type=Path, nargs="+", help="make the page of results from what --save kept")
    parser.add_argument("--quick", action="store_true", help="with --gate: the first fold alone")
    parser.add_argument("--gate", type=Path, help="file of floors; exit 1 where one does not hold")
    parser.add_argument("--job", nargs=4, metavar=("RUN", "FOLDS", "SHARE", "OUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        number, folds, share_of, out = arguments.job
        done = perform(runs_of(int(folds))[int(number)], int(folds), float(share_of), seeds_only=False)
        Path(out).write_bytes(pickle.dumps(done))
        return
    if arguments.gate and arguments.quick:
        sys.exit(gate(arguments.gate))
    began = time.monotonic()
    if arguments.report:
        done = [one for path in arguments.report for one in pickle.loads(path.read_bytes())]
    else:
        runs = [run for run in runs_of(arguments.folds) if not arguments.only or run.name in arguments.only]
        if not arguments.save and not any(run.kind == "fold" for run in runs):
            parser.error("--only needs a fold among its runs, as 'fold 1', or --save")
        done = in_processes(runs, arguments.folds, arguments.share, arguments.processes)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    if arguments.save:
        arguments.save.write_bytes(pickle.dumps(done))
        if not any(one["run"].kind == "fold" for one in done):
            return
    from report import page_of

    text = page_of(done, arguments.folds, arguments.share)
    if arguments.write:
        arguments.write.write_text(text, encoding="utf8")
    else:
        print(text)


if __name__ == "__main__":
    main()
