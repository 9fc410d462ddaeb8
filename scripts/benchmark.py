"""Speed and memory beside others: python scripts/benchmark.py [--quick] [--memory] [--profile] [--out FILE].

Every contender runs in a process of its own, all on the same core with one thread, and judges the same fresh pages.
They take turns, round after round, so that noise hits all alike: read the ratios, not the numbers. Slow contenders
get the first pages of a round only; no page comes twice.
"""

from __future__ import annotations

import argparse
import datetime
import html
import importlib.util
import json
import os
import pickle
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
os.environ.update(THREADS)

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

OURS = "pagefilter, clean_many"
STAGE_ONE = "pagefilter, stage one"
PEER = "scikit-learn, TF-IDF char(1,4) + logistic regression"
FASTTEXT = "fastText from Python, 1- to 4-grams"
TURN_SECONDS = 2.0
"""How long a contender's turn may take, about."""
FIRST_BYTES = 60_000
STARTS = 7


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that tells genuine lines from others.

    Attributes
    ----------
    package : str
        What to install, and whose version to name.
    module : str
        What is imported of it.
    make : callable
        From the work folder to a function that judges pages.
    as_html : bool
        Whether it wants a page as paragraphs of HTML.
    """

    package: str
    module: str
    make: Callable[[Path, Path | None], Callable[[Sequence[str]], object]]
    as_html: bool = False


def _clean_many(work: Path, model: Path | None) -> Callable[[Sequence[str]], object]:
    from filter import PageFilter

    page_filter = PageFilter.load(model)
    return lambda pages: [page.text for page in page_filter.clean_many(pages)]


def _stage_one(work: Path, model: Path | None) -> Callable[[Sequence[str]], object]:
    from filter import PageFilter
    from filter.ngrams import score_lines
    from filter.segment import batches, fold, segment

    packed = PageFilter.load(model).model.packed
    return lambda pages: [score_lines(fold(segment(group)), packed) for group in batches(pages)]


def _scikit_learn(work: Path, model: Path | None) -> Callable[[Sequence[str]], object]:
    with (work / "peer.pickle").open("rb") as stored:
        vectorizer, classifier = pickle.load(stored)
    return lambda pages: classifier.predict(vectorizer.transform(lines_of(pages)))


def _fasttext(work: Path, model: Path | None) -> Callable[[Sequence[str]], object]:
    import fasttext

    loaded = fasttext.load_model(str(work / "peer.bin"))
    return lambda pages: loaded.predict([line.replace("\r", " ") for line in lines_of(pages)])


def _trafilatura(work: Path, model: Path | None) -> Callable[[Sequence[str]], object]:
    import trafilatura

    return lambda pages: [trafilatura.extract(page, include_comments=False) for page in pages]


def _justext(work: Path, model: Path | None) -> Callable[[Sequence[str]], object]:
    import justext

    words = justext.get_stoplist("English")
    return lambda pages: [justext.justext(page.encode("utf8", "replace"), words, encoding="utf8") for page in pages]


CONTENDERS: dict[str, Contender] = {
    OURS: Contender("pagefilter", "filter", _clean_many),
    STAGE_ONE: Contender("pagefilter", "filter", _stage_one),
    PEER: Contender("scikit-learn", "sklearn", _scikit_learn),
    FASTTEXT: Contender("fasttext-numpy2", "fasttext", _fasttext),
    "trafilatura": Contender("trafilatura", "trafilatura", _trafilatura, as_html=True),
    "jusText": Contender("justext", "justext", _justext, as_html=True),
}


def lines_of(pages: Sequence[str]) -> list[str]:
    """List the lines of pages that are not blank."""
    return [line for page in pages for line in page.split("\n") if line.strip()]


def as_paragraphs(page: str) -> str:
    """Write a page of text as HTML, a line a paragraph."""
    rows = "\n".join(f"<p>{html.escape(line)}</p>" for line in page.split("\n") if line.strip())
    return f'<!doctype html><html><head><meta charset="utf-8"><title></title></head><body>\n{rows}\n</body></html>'


def n_bytes(page: str) -> int:
    """Size of a page as UTF-8."""
    return len(page.encode("utf8", "surrogatepass"))


def train_peers(work: Path) -> None:
    """Train what is trained, on the seed lines, as junk or genuine."""
    import training_data
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    from filter.labels import BLANK, GENUINE

    data = training_data.seeds()
    lines = [line for page in data.pages for line in page.lines if line.label != BLANK] + list(data.loose)
    texts, junk = [line.text for line in lines], [line.label not in GENUINE for line in lines]
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4))
    classifier = LogisticRegression(max_iter=30, tol=1e-2).fit(vectorizer.fit_transform(texts), junk)
    with (work / "peer.pickle").open("wb") as stored:
        pickle.dump((vectorizer, classifier), stored)
    if is_there("fasttext"):
        import fasttext

        rows = "\n".join(
            f"__label__{int(is_junk)} {' '.join(text.split())}" for text, is_junk in zip(texts, junk, strict=True)
        )
        (work / "lines.txt").write_text(rows + "\n", encoding="utf8", errors="replace")
        try:
            fasttext.train_supervised(
                str(work / "lines.txt"), lr=0.05, dim=16, epoch=3, minn=1, maxn=4, bucket=1 << 18, thread=1, verbose=0
            ).save_model(str(work / "peer.bin"))
        except RuntimeError as error:
            # Its training can meet a number that is none; the others are compared all the same.
            print(f"fastText is left out: {error}", file=sys.stderr)


def is_there(module: str) -> bool:
    """Whether a module can be imported."""
    return importlib.util.find_spec(module) is not None


def fresh_pages(rounds: int, size: int) -> tuple[list[list[str]], str]:
    """Pages for every round, about `size` bytes each, none of them twice; and what they were made of."""
    import corpora
    import training_data

    from filter.training import TrainingSet, gather
    from filter.training.compose import compose

    seeds = training_data.seeds()
    real = [page.labelled() for page in [*corpora.wcxb_pages(), *corpora.zh_pages()]] if corpora.available() else []
    table, pages, loose = gather(TrainingSet([*seeds.pages, *real], seeds.loose), 0)
    seen: set[str] = set()

    def supply() -> Iterator[str]:
        for seed in range(1000):
            import numpy as np

            made = [
                page
                for page in compose(pages, loose, table.labels, table.families, table.languages, seed)
                if len(page.lines) > 3
            ]
            for index in np.random.default_rng(seed).permutation(len(made)):
                text = "\n".join(table.texts[i] if i >= 0 else "" for i in made[index].lines)
                if text not in seen:
                    seen.add(text)
                    yield text

    source = supply()
    found: list[list[str]] = []
    for _ in range(rounds):
        chosen: list[str] = []
        filled = 0
        while filled < size:
            chosen.append(next(source))
            filled += n_bytes(chosen[-1])
        found.append(chosen)
    made_of = "seed pages and lines" + (
        f", and {len(real)} real pages (WCXB development set, Chinese pages)" if real else ""
    )
    return found, f"{made_of}, composed anew for every round, junk set into most of them"


def serve(name: str, work: Path, model: Path | None) -> None:
    """Be a contender: judge the pages of each round that is asked for, and tell seconds, bytes and peak memory."""
    contender = CONTENDERS[name]
    judge = contender.make(work, model)
    judge(
        [
            "One line of text.\nAnother line."
            if not contender.as_html
            else as_paragraphs("One line of text.\nAnother line.")
        ]
    )
    for order in sys.stdin:
        number, limit = json.loads(order)
        pages = _first_pages(json.loads((work / f"round-{number}.json").read_text(encoding="utf8")), limit)
        size = sum(map(n_bytes, pages))
        pages = [as_paragraphs(page) for page in pages] if contender.as_html else pages
        began = time.perf_counter()
        judge(pages)
        seconds = time.perf_counter() - began
        print(json.dumps([seconds, size, peak_memory()]), flush=True)


def _first_pages(pages: Sequence[str], limit: int) -> list[str]:
    chosen: list[str] = []
    filled = 0
    for page in pages:
        if chosen and filled >= limit:
            break
        chosen.append(page)
        filled += n_bytes(page)
    return chosen


@dataclass(slots=True)
class Score:
    """What a contender did: bytes a second in every round, peak kilobytes, bytes in its last round."""

    rates: list[float] = field(default_factory=list)
    peak: int = 0
    size: int = 0


class Runner:
    """A contender's process."""

    def __init__(self, name: str, work: Path, model: Path | None) -> None:
        options = ["--model", str(model)] if model else []
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), "--serve", name, "--work", str(work), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **THREADS},
        )  # fmt: skip

    def turn(self, number: int, limit: int) -> tuple[float, int, int]:
        """Seconds, bytes and peak kilobytes of a round."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([number, limit]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"a contender ended before its time: {self.process.args}")
        seconds, size, peak = json.loads(answer)
        return seconds, size, peak

    def close(self) -> None:
        """End it."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def race(names: Sequence[str], work: Path, model: Path | None, rounds: int, size: int) -> dict[str, Score]:
    """Let all contenders judge all rounds, in turns; the first round only shows how much each can take."""
    scores = {name: Score() for name in names}
    runners = {name: Runner(name, work, model) for name in names}
    limits = {}
    for name, runner in runners.items():
        seconds, done, _ = runner.turn(0, FIRST_BYTES)
        limits[name] = int(min(size, max(FIRST_BYTES, done / seconds * TURN_SECONDS)))
    for number in range(1, rounds):
        # Another one begins each time.
        for name in [*names[number % len(names) :], *names[: number % len(names)]]:
            seconds, done, peak = runners[name].turn(number, limits[name])
            scores[name].rates.append(done / seconds)
            scores[name].peak, scores[name].size = peak, done
    for runner in runners.values():
        runner.close()
    return scores


def peak_memory(process: int | str = "self") -> int:
    """Most kilobytes that a process has held; what `getrusage` says counts its parent's too."""
    try:
        rows = Path(f"/proc/{process}/status").read_text().split("\n")
    except OSError:
        return 0
    return next((int(row.split()[1]) for row in rows if row.startswith("VmHWM")), 0)


def version_of(package: str) -> str:
    """Version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "?"


def race_table(scores: dict[str, Score]) -> list[str]:
    """Markdown rows; ratios are the median of the rounds' own ratios."""
    rows = [
        "| | version | MB/s | slowest to fastest round | times scikit-learn | peak memory, MB | MB a round |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for name, score in scores.items():
        rates = [rate / 1e6 for rate in score.rates]
        ratio = (
            median(own / peer for own, peer in zip(score.rates, scores[PEER].rates, strict=True))
            if PEER in scores
            else float("nan")
        )
        rows.append(
            f"| {name} | {version_of(CONTENDERS[name].package)} "
            f"| {median(rates):.3g} | {min(rates):.3g} to {max(rates):.3g} "
            f"| {ratio:.3g} | {score.peak / 1024:.0f} | {score.size / 1e6:.2f} |"
        )
    return rows


def command() -> str | None:
    """Find the installed command, that of this interpreter first."""
    beside = Path(sys.executable).with_name("pagefilter")
    return str(beside) if beside.is_file() else shutil.which("pagefilter")


def cold_start(page: str, work: Path, model: Path | None) -> list[str]:
    """Whole processes, in turns: one page cleaned, and NumPy imported."""
    program = command()
    if program is None:
        return ["Cold start: not measured, the command is not installed (`pip install .`)."]
    (work / "page.txt").write_text(page, encoding="utf8", errors="replace")
    commands = {
        "`pagefilter clean page.txt`": [
            program,
            "clean",
            str(work / "page.txt"),
            *(["--model", str(model)] if model else []),
        ],
        '`python -c "import numpy"`': [sys.executable, "-c", "import numpy"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(STARTS + 1):
        for name, arguments in commands.items():
            began = time.perf_counter()
            subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            taken[name].append(time.perf_counter() - began)
    rows = [
        f"| cold start, {STARTS} runs in turns | fastest, ms | median, ms | times NumPy (fastest) |",
        "|---|--:|--:|--:|",
    ]
    base = min(list(taken.values())[1][1:])
    for name, seconds in taken.items():
        seconds = seconds[1:]  # the first fills the disk's cache
        rows.append(
            f"| {name} | {1000 * min(seconds):.0f} | {1000 * median(seconds):.0f} | {min(seconds) / base:.2f} |"
        )
    return rows


def streaming_memory(pages: Sequence[str], megabytes: int, model: Path | None) -> list[str]:
    """Peak memory of the command over JSON lines of several sizes."""
    program = command()
    if program is None:
        return ["Streaming: not measured, the command is not installed (`pip install .`)."]
    rows = [
        "| JSON lines through `pagefilter clean --jsonl --field text` | seconds | MB/s | peak memory, MB |",
        "|---|--:|--:|--:|",
    ]
    for size in sorted({max(megabytes // 10, 1), megabytes}):
        arguments = [
            program,
            "clean",
            "--jsonl",
            "--field",
            "text",
            *(["--model", str(model)] if model else []),
        ]
        began = time.perf_counter()
        process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert process.stdin
        written = number = 0
        while written < size * 1_000_000:
            row = json.dumps(
                {"id": number, "text": f"{pages[number % len(pages)]}\n{number}"}, ensure_ascii=False
            ).encode("utf8", "replace")
            process.stdin.write(row + b"\n")
            written, number = written + len(row), number + 1
        process.stdin.close()
        peak = 0
        while process.poll() is None:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.005)
        seconds = time.perf_counter() - began
        note = "" if process.returncode == 0 else f" (exit {process.returncode})"
        rows.append(f"| {size} MB{note} | {seconds:.0f} | {written / 1e6 / seconds:.2f} | {peak / 1024:.0f} |")
    return rows


def profile(pages: Sequence[str], model: Path | None) -> None:
    """Where the time of `clean_many` goes, by function."""
    import cProfile
    import pstats

    judge = _clean_many(Path(), model)
    judge(pages[:20])
    profiler = cProfile.Profile()
    profiler.runcall(judge, pages)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def machine() -> str:
    """Processor and versions, in a line."""
    import numpy

    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [row.split(":", 1)[1].strip() for row in info.read_text().splitlines() if row.startswith("model name")]
        model = names[0] if names else model
    return f"{model}, one core, one thread; Python {platform.python_version()}, NumPy {numpy.__version__}"


def pin() -> None:
    """Stay on one core, children too."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def report(arguments: argparse.Namespace) -> str:
    """Measure, and tell as Markdown."""
    rounds, size = (4, 2_000_000) if arguments.quick else (8, 4_000_000)
    names = [name for name, contender in CONTENDERS.items() if is_there(contender.module)]
    skipped = [name for name in CONTENDERS if name not in names]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        pages, made_of = fresh_pages(rounds, size)
        for number, chosen in enumerate(pages):
            (work / f"round-{number}.json").write_text(json.dumps(chosen), encoding="utf8")
        train_peers(work)
        names = [name for name in names if name != FASTTEXT or (work / "peer.bin").exists()]
        scores = race(names, work, arguments.model, rounds, size)
        start = cold_start(pages[0][0], work, arguments.model)
        megabytes = (1000 if arguments.memory else 100) if not arguments.quick else 10
        streaming = streaming_memory(pages[0], megabytes, arguments.model)
    mean = sum(map(len, pages[1])) / max(len(pages[1]), 1)
    lines = lines_of(pages[1])
    length = sum(map(len, lines)) / max(len(lines), 1)
    parts = [
        "# Benchmark",
        "",
        f"`python scripts/benchmark.py{' --quick' * arguments.quick}{' --memory' * arguments.memory}`, "
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}.",
        f"{machine()}.",
        "",
        "Pages:",
        f"{made_of};",
        f"{mean:.0f} characters a page and {length:.0f} a line on average. {rounds - 1} rounds, in turns.",
        "MB are a million bytes of UTF-8 text. Contenders that are trained learnt from the seed lines, junk against",
        "genuine, and say this of every line; trafilatura and jusText get the same lines as `<p>` paragraphs.",
        "Numbers move with the machine; ratios stay.",
        "",
        *race_table(scores),
        *(f"\nNot measured: {name}. Install it with `pip install {CONTENDERS[name].package}`." for name in skipped),
        "",
        *start,
        "",
        *streaming,
        "",
    ]
    return "\n".join(parts)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="less of everything, under a minute; writes no file unless told to",
    )
    parser.add_argument(
        "--memory", action="store_true", help="stream 1 GB of JSON lines through the command, not 100 MB"
    )
    parser.add_argument(
        "--profile", action="store_true", help="show where the time of clean_many goes, and nothing else"
    )
    parser.add_argument("--model", type=Path, help="a model folder; the shipped model by default")
    parser.add_argument("--out", type=Path, help="where to write the table; docs/benchmark.md by default")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    pin()
    if arguments.serve:
        serve(arguments.serve, arguments.work, arguments.model)
        return
    if arguments.profile:
        profile(fresh_pages(1, 4_000_000)[0][0], arguments.model)
        return
    text = report(arguments)
    print(text)
    out: Any = arguments.out or (None if arguments.quick else ROOT / "docs" / "benchmark.md")
    if out:
        out.write_text(text, encoding="utf8")


if __name__ == "__main__":
    main()
