"""Labelled lines as a product: what a row must hold, and what a stranger's file is checked for before it is trained on.

A row breaks the schema, contradicts another, nearly repeats one, or looks copied from somewhere: each problem is one sentence
that names file and row.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filter.codepoints import fold_table, to_codes
from filter.io.jsonl import parse_object
from filter.labels import BLANK, DUPLICATE, GENUINE, LABELS

FIELDS: dict[str, type] = {
    "text": str,
    "label": str,
    "language": str,
    "family": str,
    "note": str,
    "page": str,
    "clean": str,
}
REQUIRED = ("text", "label", "language", "family")
NEAR = 0.6
"""Jaccard similarity of 4-character shingles above which two lines count as copies."""
SHINGLE = 4
SHORTEST = 8
"""Folded characters under which lines are not compared: menus everywhere say Home and Search, and should."""
LEAST_LETTERS = 0.5
"""Share of letters under which lines are not compared: dates and counts fold to the same zeros."""
FAMILY_SHARE = 0.03

_RESERVED = re.compile(r"(?:^|\.)(?:test|example|invalid|localhost)$|(?:^|\.)example\.(?:com|net|org)$")
_HOST = re.compile(r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b")
_MAIL = re.compile(r"[a-z0-9._%+-]+@((?:[a-z0-9-]+\.)+[a-z]{2,})")
_NUMBER = re.compile(r"\+?\d[\d \-()]{8,}\d")
_INVENTED = re.compile(r"555|000|0123|12345|^(?:19|20)\d\d")
_ENDINGS = frozenset(
    [
        "com",
        "net",
        "org",
        "info",
        "biz",
        "xyz",
        "top",
        "vip",
        "cc",
        "cn",
        "ru",
        "io",
        "shop",
        "site",
        "online",
        "club",
        "bet",
        "win",
        "casino",
        "porn",
        "xxx",
        "jp",
        "kr",
        "vn",
        "id",
        "th",
        "tv",
        "me",
        "co",
        "app",
    ]
)
"""Last parts of names that are meant as hosts even without a scheme before them; others may be file names."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A row of the seeds and where it stands."""

    place: str
    fields: dict[str, Any]

    @property
    def text(self) -> str:
        """The line."""
        return str(self.fields.get("text", ""))

    @property
    def label(self) -> str:
        """What it is."""
        return str(self.fields.get("label", ""))

    @property
    def family(self) -> str:
        """The kind of junk or the source."""
        return str(self.fields.get("family", ""))

    @property
    def is_line(self) -> bool:
        """Whether it is more than a blank line of a page."""
        return self.label != BLANK


def read_seeds(paths: Iterable[Path]) -> tuple[list[Seed], list[str]]:
    """Read rows of JSON lines or CSV.

    Parameters
    ----------
    paths : iterable of Path
        Files, or folders of .jsonl files.

    Returns
    -------
    seeds : list of Seed
    problems : list of str
        What is wrong with rows that are none.
    """
    seeds: list[Seed] = []
    problems: list[str] = []
    files = [file for path in paths for file in (sorted(path.glob("*.jsonl")) if path.is_dir() else [path])]
    for file in files:
        for number, row in _rows(file):
            place = f"{file.name}:{number}"
            if isinstance(row, dict):
                seeds.append(Seed(place, row))
            else:
                problems.append(f"{place}: {row}")
    return seeds, problems


def _rows(file: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Rows of a file by number; where one cannot be read, what is wrong with it."""
    if file.suffix == ".csv":
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as opened:
            reader = csv.DictReader(opened)
            for fields in reader:
                yield reader.line_num, {name: value for name, value in fields.items() if name and value}
        return
    for number, row in enumerate(file.read_bytes().split(b"\n"), 1):
        if not row.strip():
            continue
        try:
            yield number, parse_object(row)
        except ValueError as error:
            yield number, str(error)


def check_schema(seeds: Sequence[Seed]) -> Iterator[str]:
    """Rows with missing, unknown or contradictory fields, and pages that are torn apart."""
    last_page: dict[str, str] = {}
    closed: set[tuple[str, str]] = set()
    for seed in seeds:
        yield from (f"{seed.place}: {problem}" for problem in _row_problems(seed))
        file, page = seed.place.split(":")[0], str(seed.fields.get("page", ""))
        if page and (file, page) in closed and last_page.get(file) != page:
            yield f"{seed.place}: the lines of page {page} do not stand together"
        last_page[file] = page
        closed.add((file, page))


def _row_problems(seed: Seed) -> Iterator[str]:
    fields = seed.fields
    for name in REQUIRED:
        if name not in fields:
            yield f"no field {name}"
    for name, value in fields.items():
        if name not in FIELDS:
            yield f"unknown field {name}"
        elif not isinstance(value, FIELDS[name]):
            yield f"the field {name} is not a string"
    if seed.label not in (*LABELS, BLANK):
        yield f"unknown label {seed.label!r}"
    if (seed.label == BLANK) != (not seed.text.strip()):
        yield "blank lines, and only these, are labelled blank"
    if seed.label == BLANK and not fields.get("page"):
        yield "a blank line outside a page"
    if "\n" in seed.text:
        yield "a line break in the text"
    if seed.is_line and not seed.family:
        yield "no family"
    if seed.is_line and not fields.get("language"):
        yield "no language"
    if "clean" in fields and (seed.label not in GENUINE or fields["clean"] == seed.text):
        yield "clean is for a genuine line that comes out otherwise"


def check_contradictions(seeds: Sequence[Seed]) -> Iterator[str]:
    """Loose lines that stand under two labels, and equal ones that stand there twice.

    A line on a page is judged with its page: the same words can be a heading here and a menu there.
    """
    first: dict[str, Seed] = {}
    for seed in seeds:
        if seed.is_line and not seed.fields.get("page"):
            before = first.setdefault(" ".join(seed.text.split()), seed)
            if before is not seed and before.label != seed.label:
                yield f"{seed.place}: labelled {seed.label}, but {before.label} in {before.place}; decide for one"
            elif before is not seed:
                yield f"{seed.place}: the same line as {before.place}; remove one"


def check_invented(seeds: Sequence[Seed]) -> Iterator[str]:
    """Rows with a host name, an e-mail address or a number that could be somebody's."""
    for seed in seeds:
        text = seed.text.lower()
        for host in sorted({*_HOST.findall(text), *_MAIL.findall(text)}):
            meant = host.rsplit(".", 1)[1] in _ENDINGS or f"//{host}" in text or f"@{host}" in text
            if meant and not _RESERVED.search(host):
                yield f"{seed.place}: the host {host} is not a reserved one (.test, .example, .invalid, example.com)"
        for number in _NUMBER.findall(seed.text):
            digits = re.sub(r"\D", "", number)
            if len(digits) >= 9 and not _INVENTED.search(digits):
                yield f"{seed.place}: {number} could be a real number; put 000, 555 or 12345 into it"


def folded(text: str) -> str:
    """Fold a line as the classifier does, and level its white space."""
    codes = fold_table()[to_codes(text)]
    return " ".join("".join(map(chr, codes[codes != 0])).split())


def near_copies(seeds: Sequence[Seed], limit: float = NEAR) -> list[tuple[Seed, Seed, float]]:
    """Pairs of lines of one label that share more than `limit` of their shingles.

    Two sets this alike share one of their rarest shingles, so that only those are looked up (prefix filtering,
    Chaudhuri and others, A Primitive Operator for Similarity Joins in Data Cleaning, 2006).
    """
    by_label: dict[str, list[tuple[Seed, frozenset[str]]]] = defaultdict(list)
    for seed in seeds:
        if seed.is_line and seed.label != DUPLICATE:
            text = folded(seed.text)
            if len(text) >= SHORTEST and sum(map(str.isalpha, text)) >= LEAST_LETTERS * len(text):
                by_label[seed.label].append(
                    (seed, frozenset(text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)))
                )
    return [pair for entries in by_label.values() for pair in _near_copies_of_label(entries, limit)]


def _near_copies_of_label(
    entries: Sequence[tuple[Seed, frozenset[str]]], limit: float
) -> Iterator[tuple[Seed, Seed, float]]:
    often = Counter(shingle for _, shingles in entries for shingle in shingles)
    holders: dict[str, list[int]] = defaultdict(list)
    for number, (seed, shingles) in enumerate(entries):
        rarest = sorted(shingles, key=lambda shingle: (often[shingle], shingle))
        rarest = rarest[: len(rarest) - int(limit * len(rarest)) + 1]
        for other in sorted({other for shingle in rarest for other in holders[shingle]}):
            other_seed, other_shingles = entries[other]
            if min(len(shingles), len(other_shingles)) > limit * max(len(shingles), len(other_shingles)):
                alike = len(shingles & other_shingles) / len(shingles | other_shingles)
                if alike > limit:
                    yield other_seed, seed, alike
        for shingle in rarest:
            holders[shingle].append(number)


def large_families(seeds: Sequence[Seed], share: float = FAMILY_SHARE) -> list[tuple[str, str, int, float]]:
    """Families that hold more than `share` of their label: label, family, lines, share."""
    lines = [seed for seed in seeds if seed.is_line]
    of_label = Counter(seed.label for seed in lines)
    of_family = Counter((seed.label, seed.family) for seed in lines)
    found = [
        (label, family, n, n / of_label[label])
        for (label, family), n in of_family.items()
        if n > share * of_label[label]
    ]
    return sorted(found, key=lambda row: -row[3])


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with some seeds, by kind; each problem names file and row."""

    rows: list[str]
    contradictions: list[str]
    near_copies: list[str]
    invented: list[str]

    @property
    def every(self) -> list[str]:
        """All of them."""
        return [*self.rows, *self.contradictions, *self.near_copies, *self.invented]


def check_seeds(seeds: Sequence[Seed], problems: Sequence[str] = ()) -> Findings:
    """Check rows for all that a program can see.

    Parameters
    ----------
    seeds : sequence of Seed
    problems : sequence of str
        Of `read_seeds`.

    Returns
    -------
    Findings

    Examples
    --------
    >>> row = {"text": "Call 020 7946 1234 88", "label": "advert", "language": "en", "family": "en-shop"}
    >>> check_seeds([Seed("mine.jsonl:1", row)]).every
    ['mine.jsonl:1: 020 7946 1234 88 could be a real number; put 000, 555 or 12345 into it']
    """
    copies = [
        f"{b.place}: shares {alike:.0%} of its shingles with {a.place}: {b.text[:50]!r}, {a.text[:50]!r}"
        for a, b, alike in near_copies(seeds)
    ]
    return Findings(
        [*problems, *check_schema(seeds)], list(check_contradictions(seeds)), copies, list(check_invented(seeds))
    )
