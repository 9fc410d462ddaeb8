"""A filter that goes by the first word of a line, and ways to run the command with it or the real one."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from filter.errors import PagefilterError
from filter.labels import BLANK, FURNITURE, INJECTED, LABELS
from filter.page import Line, Page, Span, apply_spans
from filter.policy import Policy

ROOT = Path(__file__).resolve().parents[1]
WORDS = {"NAV": "navigation", "AD": "advert", "SPAM": "spam_adult", "BET": "spam_gambling", "BY": "metadata"}
"""First words that decide the label of a line; all other lines are article."""

shipped_model = pytest.mark.skipif(
    not (ROOT / "models" / "default" / "card.json").is_file(), reason="the shipped model has not been built"
)


@dataclass(frozen=True)
class FakeModel:
    digest: str = "d1ce"
    card: dict[str, Any] = field(default_factory=dict)


class FakeFilter:
    """Labels a line by its first word; cuts ``(wǎng)`` out of lines that stay."""

    def __init__(self, policy: str = "careful", dropped: frozenset[str] = frozenset(FURNITURE + INJECTED)) -> None:
        self.policy = policy
        self.model = FakeModel()
        self.settings = Policy(policy, 0.5, 0.6, 0.7, 0.8, dropped)
        self.missing, self.second_opinion = "", None
        self._dropped = dropped

    @classmethod
    def load(
        cls,
        model: str | Path | None = None,
        *,
        policy: str = "careful",
        only: Sequence[str] = (),
        keep: Sequence[str] = (),
        drop: Sequence[str] = (),
    ) -> FakeFilter:
        for label in (*only, *keep, *drop):
            if label not in LABELS:
                raise PagefilterError(f"unknown label {label!r}; the labels are {', '.join(LABELS)}")
        dropped = set(LABELS) - set(only) if only else set(FURNITURE + INJECTED)
        return cls(policy, frozenset((dropped - set(keep)) | set(drop)))

    def clean(self, text: str) -> Page:
        end = "\n" if text.endswith("\n") else ""
        lines = [self._line(number, line) for number, line in enumerate(text.removesuffix("\n").split("\n"))]
        if all(line.output == line.text for line in lines):
            return Page(text, lambda: lines)
        dropped = Counter("injected" if line.label in INJECTED else "furniture" for line in lines if not line.kept)
        outputs = [line.output for line in lines if line.output is not None]
        text = "\n".join(outputs) + end if outputs else ""
        verdict = ("injected" if text.strip() else "spam") if dropped["injected"] else "clean"
        return Page(text, lambda: lines, dropped=dict(dropped), verdict=verdict)

    def clean_html(self, html: str, url: str | None = None) -> Page:
        from filter.html import layout

        return self.clean(layout(html, url))

    def clean_many(self, texts: Iterable[str], sites: Iterable[str | None] | None = None) -> Iterator[Page]:
        """Reads three pages ahead, as the real one reads some characters ahead, each with its site."""
        group: list[str] = []
        if sites is not None:
            texts = (text for text, site in zip(texts, sites, strict=True))
        for text in texts:
            group.append(text)
            if len(group) == 3:
                yield from map(self.clean, group)
                group = []
        yield from map(self.clean, group)

    def explain(self, text: str) -> list[Any]:
        page = self.clean(text)
        return self.reasons(page, text, page.lines)

    def reasons(self, page: Page, text: str, lines: Sequence[Line]) -> list[Any]:
        from filter.explain import Explanation, Reason

        some = (Reason("n-gram", "自拍", 3.125), Reason("page", "its length", -1.0))
        return [Explanation(line, *(((), None) if line.label == BLANK else (some, 0.5))) for line in lines]

    def _line(self, number: int, text: str) -> Line:
        if not text.strip():
            return Line(number, text, BLANK, 0.0, True, text)
        label = WORDS.get(text.split()[0], "article")
        if label in self._dropped:
            return Line(number, text, label, 0.9912345, False, None)
        at = text.find("(wǎng)")
        spans = (Span(at, at + 6, "residue"),) if at >= 0 else ()
        probability = 0.0625 if label in ("article", "metadata") else 0.875
        return Line(number, text, label, probability, True, apply_spans(text, spans), spans)


def install() -> None:
    """Put the fake in the place of the real filter, for this process."""
    import filter as package

    package.PageFilter = FakeFilter  # type: ignore[assignment, misc]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str
    raw: bytes


@dataclass(frozen=True)
class Cli:
    """Runs the command in this process, with the fake filter."""

    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[bytes]

    def __call__(self, *arguments: str | Path, stdin: bytes = b"") -> Result:
        from filter.cli.app import run

        self.patch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        self.capture.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = self.capture.readouterr()
        return Result(code, out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "replace"), out)


FAKE = "import cli_support; cli_support.install(); from filter.cli.app import main; main()"
"""A program that is the command with the fake filter."""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]), "PYTHONUTF8": "0"}


def run_fake(*arguments: str, stdin: bytes = b"", cwd: Path | None = None, **kwargs: Any) -> Result:
    """Run the command in a process of its own, with the fake filter."""
    return run_program(FAKE, *arguments, stdin=stdin, cwd=cwd, **kwargs)


def run_program(program: str, *arguments: str, stdin: bytes = b"", cwd: Path | None = None, **kwargs: Any) -> Result:
    """Run a Python program that finds the package and this module."""
    return _run([sys.executable, "-c", program, *arguments], stdin, cwd, **kwargs)


def run_real(*arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> Result:
    """Run the command in a process of its own, with the shipped model."""
    return _run([sys.executable, "-m", "filter.cli.app", *arguments], stdin, cwd)


def _run(command: list[str], stdin: bytes, cwd: Path | None, **kwargs: Any) -> Result:
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        cwd=cwd,
        timeout=120,
        env=kwargs.pop("env", environment()),
        **kwargs,
    )
    out = done.stdout.decode("utf-8", "surrogateescape")
    return Result(done.returncode, out, done.stderr.decode("utf-8", "replace"), done.stdout)
